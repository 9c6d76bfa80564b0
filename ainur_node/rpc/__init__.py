"""The local protocol of command line and node."""
