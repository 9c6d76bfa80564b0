"""A testnet of native validators with a devnet on top, as `configs/testnet/network.toml` says: `python -m tools.testnet`."""
