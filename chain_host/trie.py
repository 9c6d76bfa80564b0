"""Patricia-Merkle trie of Substrate (BLAKE2b-256), persistent: an update shares all untouched nodes."""

import struct
from collections.abc import Iterable, Mapping

from .hashing import blake2_256
from .scale import compact

EMPTY_ROOT = blake2_256(b"\0")
HASHED_VALUE = 33  # state version 1 keeps values of at least this size as their hash


_OF_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
_TO_DIGITS = bytes.maketrans(bytes(range(16)), b"0123456789abcdef")


class Node:
    """A leaf or branch; never changed once another node points at it.

    `partial` holds one nibble a byte; `reference` caches what a parent stores: the encoding, or its hash
    when that is shorter.
    """

    __slots__ = ("children", "partial", "reference", "value")

    def __init__(self, partial: bytes, value: bytes | None, children: dict[int, "Node"] | None) -> None:
        self.partial = partial
        self.value = value
        self.children = children
        self.reference: bytes | None = None


def nibbles(key: bytes) -> bytes:
    """One byte for each half byte of the key, high half first."""
    return key.hex().encode().translate(_OF_DIGITS)


def _header(prefix: int, bits: int, count: int) -> bytes:
    limit = (1 << bits) - 1
    if count < limit:
        return bytes((prefix | count,))
    out = bytearray((prefix | limit,))
    count -= limit
    while count >= 255:
        out.append(255)
        count -= 255
    out.append(count)
    return bytes(out)


def _packed(partial: bytes) -> bytes:
    digits = partial.translate(_TO_DIGITS).decode()
    return bytes.fromhex("0" + digits if len(partial) & 1 else digits)


def _inserted(node: Node | None, path: bytes, value: bytes) -> Node:
    if node is None:
        return Node(path, value, None)
    partial = node.partial
    shared = 0
    limit = min(len(partial), len(path))
    while shared < limit and partial[shared] == path[shared]:
        shared += 1
    if shared == len(partial):
        if shared == len(path):
            return Node(partial, value, node.children)
        children = dict(node.children) if node.children else {}
        slot = path[shared]
        children[slot] = _inserted(children.get(slot), path[shared + 1 :], value)
        return Node(partial, node.value, children)
    lower = Node(partial[shared + 1 :], node.value, node.children)
    fork = {partial[shared]: lower}
    if shared == len(path):
        return Node(partial[:shared], value, fork)
    fork[path[shared]] = Node(path[shared + 1 :], value, None)
    return Node(partial[:shared], None, fork)


def _removed(node: Node | None, path: bytes) -> Node | None:
    if node is None:
        return None
    partial = node.partial
    if path[: len(partial)] != partial:
        return node
    value, children = node.value, node.children
    if len(path) == len(partial):
        if value is None:
            return node
        value = None
    else:
        slot = path[len(partial)]
        if not children or slot not in children:
            return node
        below = _removed(children[slot], path[len(partial) + 1 :])
        if below is children[slot]:
            return node
        children = dict(children)
        if below is None:
            del children[slot]
        else:
            children[slot] = below
    if not children:
        return None if value is None else Node(partial, value, None)
    if value is None and len(children) == 1:
        ((slot, only),) = children.items()
        return Node(partial + bytes((slot,)) + only.partial, only.value, only.children)
    return Node(partial, value, children)


def encoded(node: Node, version: int) -> bytes:
    """What the node hashes to: header, partial key, value or its hash, references of the children."""
    value, children, partial = node.value, node.children, node.partial
    hashed = value is not None and version == 1 and len(value) >= HASHED_VALUE
    if not children:
        head = _header(0x20, 5, len(partial)) if hashed else _header(0x40, 6, len(partial))
    elif hashed:
        head = _header(0x10, 4, len(partial))
    else:
        head = _header(0x80 if value is None else 0xC0, 6, len(partial))
    parts = [head, _packed(partial)]
    if children:
        bitmap = 0
        for slot in children:
            bitmap |= 1 << slot
        parts.append(struct.pack("<H", bitmap))
    if value is not None:
        if hashed:
            parts.append(blake2_256(value))
        else:
            parts += (compact(len(value)), value)
    if children:
        for slot in sorted(children):
            child = children[slot]
            reference = child.reference
            if reference is None:
                encoding = encoded(child, version)
                reference = encoding if len(encoding) < 32 else blake2_256(encoding)
                child.reference = reference
            parts += (bytes((len(reference) << 2,)), reference)
    return b"".join(parts)


class Trie:
    """An immutable map from byte strings to byte strings with a Merkle root."""

    __slots__ = ("_node", "_root", "version")

    def __init__(self, node: Node | None = None, *, version: int = 1) -> None:
        self._node = node
        self._root: bytes | None = None
        self.version = version

    def updated(self, changes: Mapping[bytes, bytes | None] | Iterable[tuple[bytes, bytes | None]]) -> "Trie":
        """The trie with these keys set, or removed where the value is None."""
        node = self._node
        items = changes.items() if isinstance(changes, Mapping) else changes
        for key, value in items:
            node = _removed(node, nibbles(key)) if value is None else _inserted(node, nibbles(key), value)
        return self if node is self._node else Trie(node, version=self.version)

    @property
    def top(self) -> Node | None:
        """The root node, None when empty."""
        return self._node

    @property
    def root(self) -> bytes:
        """32-byte Merkle root."""
        if self._root is None:
            self._root = EMPTY_ROOT if self._node is None else blake2_256(encoded(self._node, self.version))
        return self._root


def ordered_root(values: list[bytes], version: int) -> bytes:
    """Root of a list, keyed by the compact index; this is how a header commits to its extrinsics."""
    return Trie(version=version).updated((compact(i), value) for i, value in enumerate(values)).root
