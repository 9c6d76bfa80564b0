"""libp2p behind ports.Mesh, hardened against hostile peers."""
