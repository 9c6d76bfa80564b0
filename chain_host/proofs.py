"""Read proofs: the trie nodes and values that show, from a state root alone, what keys hold or that they are absent."""

from collections.abc import Iterable

from .trie import HASHED_VALUE, Node, Trie, encoded, nibbles


def read_proof(trie: Trie, keys: Iterable[bytes]) -> list[bytes]:
    """Encoded nodes on the paths to the keys and the values that nodes only hash, each once, root first."""
    found: dict[bytes, None] = {}
    for key in keys:
        for part in _path(trie.top, nibbles(key), trie.version):
            found.setdefault(part)
    return list(found)


def _path(node: Node | None, path: bytes, version: int) -> Iterable[bytes]:
    top = True
    while node is not None:
        encoding = encoded(node, version)
        if top or len(encoding) >= 32:  # a shorter one stands inside its parent
            yield encoding
        top = False
        if path[: len(node.partial)] != node.partial:
            return
        path = path[len(node.partial) :]
        if not path:
            if version == 1 and node.value is not None and len(node.value) >= HASHED_VALUE:
                yield node.value
            return
        node, path = (node.children or {}).get(path[0]), path[1:]
