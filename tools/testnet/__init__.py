"""A testnet of native validators with a devnet on top, as `configs/testnet.toml` says: `python -m tools.testnet`."""
