"""Peers of one world: gossip, requests over streams, discovery and blobs.

The real mesh is in libp2p_mesh.py: importing libp2p takes most of a second, so nothing here does it.
"""

from ainur_node.mesh.memory import Faults, MemoryMesh, MemoryNetwork
from ainur_node.mesh.peers import Peer, node_key_of, peer_id_of
from ainur_node.mesh.records import Subscription, Topic, WrongWorld
from ainur_node.mesh.settings import BlobSource, MeshSettings

__all__ = [
    "BlobSource",
    "Faults",
    "MemoryMesh",
    "MemoryNetwork",
    "MeshSettings",
    "Peer",
    "Subscription",
    "Topic",
    "WrongWorld",
    "node_key_of",
    "peer_id_of",
]
