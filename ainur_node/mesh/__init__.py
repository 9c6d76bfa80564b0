"""Peers of one world: gossip, requests over streams, discovery and blobs, on libp2p behind a wall."""

from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.mesh.memory import Faults, MemoryMesh, MemoryNetwork
from ainur_node.mesh.peers import Peer, node_key_of, peer_id_of
from ainur_node.mesh.records import Subscription, Topic, WrongWorld
from ainur_node.mesh.settings import BlobSource, MeshSettings

__all__ = [
    "BlobSource",
    "Faults",
    "Libp2pMesh",
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
