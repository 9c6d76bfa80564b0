"""A testnet of native validators with a devnet on top, by `configs/testnet/network.toml`: `python -m tools.testnet`."""
