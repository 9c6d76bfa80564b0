"""Canonical bytes and domain-separated hashes: fixed-width SCALE, no compact integers (docs/protocol.md §1)."""

from collections.abc import Sequence
from hashlib import blake2b, sha256

SIGNATURE_PREFIX = b"ainur/sig/1\x00"


def u8(value: int) -> bytes:
    """One byte; OverflowError outside its range, as for all widths below."""
    return value.to_bytes(1, "little")


def u16(value: int) -> bytes:
    """Two bytes, little-endian."""
    return value.to_bytes(2, "little")


def u32(value: int) -> bytes:
    """Four bytes, little-endian."""
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    """Eight bytes, little-endian."""
    return value.to_bytes(8, "little")


def u128(value: int) -> bytes:
    """Sixteen bytes, little-endian."""
    return value.to_bytes(16, "little")


def i32(value: int) -> bytes:
    """Four bytes, little-endian, two's complement."""
    return value.to_bytes(4, "little", signed=True)


def b32(value: bytes) -> bytes:
    """Exactly 32 bytes, unchanged; ValueError otherwise."""
    if len(value) != 32:
        raise ValueError(f"32 bytes are needed, not {len(value)}")
    return value


def vec(items: Sequence[bytes]) -> bytes:
    """Already encoded items behind their count as u32."""
    return u32(len(items)) + b"".join(items)


def text(value: str) -> bytes:
    """UTF-8 behind its length in bytes as u32."""
    raw = value.encode()
    return u32(len(raw)) + raw


def tagged_hash(genesis: bytes, tag: str, *fields: bytes) -> bytes:
    """``H(tag, fields…)``: blake2b-256 over tag, zero byte, genesis hash and the fields joined."""
    return blake2b(b"".join((tag.encode("ascii"), b"\x00", b32(genesis), *fields)), digest_size=32).digest()


def content_hash(data: bytes) -> bytes:
    """sha-256: the name of packages, modules, inputs and outputs."""
    return sha256(data).digest()


def capability_id(name: str) -> bytes:
    """sha-256 of the capability's name: the same in every world."""
    return sha256(name.encode()).digest()


def signing_bytes(digest: bytes) -> bytes:
    """What a node key signs for a digest: never the bare 32 bytes (docs/protocol.md §1)."""
    return SIGNATURE_PREFIX + b32(digest)


class Reader:
    """Reads canonical bytes back; ValueError on anything short, long or out of range."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        end = self._at + size
        if end > len(self._data):
            raise ValueError(f"{size} bytes are needed at {self._at}, {len(self._data) - self._at} are left")
        chunk = self._data[self._at : end]
        self._at = end
        return chunk

    def integer(self, size: int) -> int:
        """The next little-endian unsigned integer of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little")

    def signed(self, size: int) -> int:
        """The next little-endian two's complement integer of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little", signed=True)

    def count(self, most: int) -> int:
        """A u32 count of at most ``most`` items."""
        count = self.integer(4)
        if count > most:
            raise ValueError(f"{count} items where at most {most} may stand")
        return count

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at} bytes too many")
