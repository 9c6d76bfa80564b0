"""The local protocol of command line, gateway and node."""
