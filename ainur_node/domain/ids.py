"""Names of things: each id is 32 bytes with a type of its own."""

from typing import NewType

TaskId = NewType("TaskId", bytes)
AuctionId = NewType("AuctionId", bytes)
EscrowId = NewType("EscrowId", bytes)
AgentId = NewType("AgentId", bytes)
ChannelId = NewType("ChannelId", bytes)
PackageId = NewType("PackageId", bytes)  # sha-256 of the manifest
ModuleId = NewType("ModuleId", bytes)  # sha-256 of the WebAssembly module
AccountId = NewType("AccountId", bytes)  # sr25519 public key
NodeKey = NewType("NodeKey", bytes)  # ed25519 public key, also the libp2p identity
PeerId = NewType("PeerId", str)  # base58 libp2p id of a node key

ID_BYTES = 32
