"""Headers, digests, seals and bodies as bytes and back."""

from dataclasses import dataclass, replace

from .errors import BadBlock, MalformedScale
from .hashing import blake2_256
from .scale import Reader, blob, compact, vector
from .trie import ordered_root

ENGINE = b"aura"
_CONSENSUS, _SEAL, _PRE_RUNTIME, _OTHER, _UPDATED = 4, 5, 6, 0, 8
MAX_DIGEST_ITEMS = 64
SEAL_SIZE = 64


def pre_digest(slot: int) -> bytes:
    """Digest item that names the slot of a block."""
    return bytes((_PRE_RUNTIME,)) + ENGINE + blob(slot.to_bytes(8, "little"))


def seal_item(signature: bytes) -> bytes:
    """Digest item that carries the author's signature over the header without it."""
    return bytes((_SEAL,)) + ENGINE + blob(signature)


@dataclass(frozen=True, slots=True)
class Header:
    """A block header; `digest` holds encoded items, the seal last."""

    parent: bytes
    number: int
    state_root: bytes
    extrinsics_root: bytes
    digest: tuple[bytes, ...]

    def encode(self) -> bytes:
        """SCALE bytes."""
        roots = self.state_root + self.extrinsics_root
        return self.parent + compact(self.number) + roots + vector(list(self.digest))

    @property
    def hash(self) -> bytes:
        """32-byte block hash."""
        return blake2_256(self.encode())

    @property
    def slot(self) -> int | None:
        """Slot of the pre-runtime digest, None when the header has none."""
        start = bytes((_PRE_RUNTIME,)) + ENGINE
        for item in self.digest:
            if item.startswith(start) and len(item) == 14:
                return int.from_bytes(item[-8:], "little")
        return None

    def sealed(self, signature: bytes) -> "Header":
        """This header with a seal added."""
        return replace(self, digest=(*self.digest, seal_item(signature)))

    def unsealed(self) -> tuple["Header", bytes]:
        """(header without its seal, signature). Raises BadBlock when the last item is no seal."""
        last = self.digest[-1] if self.digest else b""
        if len(last) != 7 + SEAL_SIZE or not last.startswith(bytes((_SEAL,)) + ENGINE):
            raise BadBlock("the header has no seal", "no-seal")
        return replace(self, digest=self.digest[:-1]), last[-SEAL_SIZE:]


def _digest_item(reader: Reader) -> bytes:
    start = reader.offset
    kind = reader.uint(1)
    if kind in (_CONSENSUS, _SEAL, _PRE_RUNTIME):
        reader.take(4)
        reader.blob()
    elif kind == _OTHER:
        reader.blob()
    elif kind != _UPDATED:
        raise MalformedScale(f"unknown digest item {kind}")
    return reader.data[start : reader.offset]


def decode_header(data: bytes) -> Header:
    """The header of exactly these bytes; raises MalformedScale."""
    reader = Reader(data)
    header = _header(reader)
    reader.finish()
    return header


def _header(reader: Reader) -> Header:
    return Header(
        parent=reader.take(32),
        number=reader.compact(),
        state_root=reader.take(32),
        extrinsics_root=reader.take(32),
        digest=_digest(reader),
    )


def _digest(reader: Reader) -> tuple[bytes, ...]:
    count = reader.count()
    if count > MAX_DIGEST_ITEMS:
        raise MalformedScale(f"{count} digest items")
    return tuple(_digest_item(reader) for _ in range(count))


def split_extrinsics(data: bytes) -> list[bytes]:
    """Extrinsics of a SCALE vector, each with its own length prefix; raises MalformedScale."""
    reader = Reader(data)
    out = []
    for _ in range(reader.count()):
        start = reader.offset
        reader.blob()
        out.append(data[start : reader.offset])
    reader.finish()
    return out


def genesis_header(state_root: bytes) -> Header:
    """Header of block 0: no extrinsics, no digest."""
    return Header(bytes(32), 0, state_root, ordered_root([], 0), ())


@dataclass(frozen=True, slots=True)
class Block:
    """A sealed header and its extrinsics (each with its length prefix)."""

    header: Header
    extrinsics: tuple[bytes, ...]

    def encode(self) -> bytes:
        """SCALE bytes."""
        return self.header.encode() + vector(list(self.extrinsics))


def decode_block(data: bytes) -> Block:
    """The block of exactly these bytes; raises MalformedScale."""
    reader = Reader(data)
    header = _header(reader)
    return Block(header, tuple(split_extrinsics(data[reader.offset :])))
