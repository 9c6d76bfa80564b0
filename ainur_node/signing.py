"""Node keys at work: ed25519 signatures over prefixed digests, checked as the chain checks them (ZIP-215)."""

from hashlib import blake2b

import ed25519_zebra
import sr25519
from nacl.signing import SigningKey

from ainur_node.domain.canonical import signing_bytes
from ainur_node.domain.channels.voucher import KeyKind, SessionKey
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


class SessionSigner:
    """A channel's ed25519 session key: signs vouchers and agreed ends of that channel only."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.key = SessionKey(KeyKind.ED25519, bytes(self._key.verify_key))

    def sign(self, digest: bytes) -> bytes:
        """64 bytes over ``ainur/sig/1`` and the digest."""
        return bytes(self._key.sign(signing_bytes(digest)).signature)


class SessionKeys:
    """Session keys of one node: each follows from the node's seed and a public salt, so none is ever stored."""

    def __init__(self, node_seed: bytes, genesis: bytes) -> None:
        self._root = blake2b(b"ainur/session/1\x00" + genesis, key=node_seed, digest_size=32).digest()

    def of(self, salt: bytes) -> SessionSigner:
        """The key of the channel that was opened with ``salt``."""
        return SessionSigner(blake2b(salt, key=self._root, digest_size=32).digest())


def session_signed(key: SessionKey, digest: bytes, signature: bytes) -> bool:
    """Whether a session key signed the digest, by the rules of the chain."""
    if len(key.public) != 32 or len(signature) != 64:
        return False
    if key.kind is KeyKind.ED25519:
        return signed_by(NodeKey(key.public), digest, signature)
    try:
        return bool(sr25519.verify(signature, signing_bytes(digest), key.public))
    except ValueError:
        return False
