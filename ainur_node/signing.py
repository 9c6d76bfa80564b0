"""Node keys at work: ed25519 signatures over prefixed digests, checked as the chain checks them (ZIP-215)."""

import ed25519_zebra
from nacl.signing import SigningKey

from ainur_node.domain.canonical import signing_bytes
from ainur_node.domain.ids import NodeKey


class NodeSigner:
    """Signs digests with the node key; the seed never leaves this object."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.node_key = NodeKey(bytes(self._key.verify_key))

    def sign(self, digest: bytes) -> bytes:
        """64 bytes over ``ainur/sig/1`` and the digest."""
        return bytes(self._key.sign(signing_bytes(digest)).signature)


def signed_by(node_key: NodeKey, digest: bytes, signature: bytes) -> bool:
    """Whether ``node_key`` signed the digest."""
    if len(node_key) != 32 or len(signature) != 64:
        return False
    try:
        return bool(ed25519_zebra.ed_verify(signature, signing_bytes(digest), node_key))
    except ValueError:
        return False
