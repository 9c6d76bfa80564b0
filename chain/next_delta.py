"""Write the way from one blob to the next: ``python3 chain/next_delta.py OLD NEW OUT``.

OUT is JSON: the sha256 of both, and the parts of NEW in their order, each either ``[offset, length]`` of OLD or bytes
in hex. Two blobs of sources that differ in a version number alone have most functions in common, in another order and
with other numbers in their calls: the file has a quarter of a blob's size. `chain_host/next_runtime.py` puts NEW together again.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

BLOCK = 32  # least common bytes that are worth a copy


def parts(old: bytes, new: bytes) -> Iterator[tuple[int, int] | bytes]:
    """Greedy: the longest run of OLD that goes on from a block of NEW found in OLD's blocks."""
    places: dict[bytes, int] = {}
    for offset in range(0, len(old) - BLOCK + 1, BLOCK):
        places.setdefault(old[offset : offset + BLOCK], offset)
    at = literal = 0
    expected = 0  # where OLD goes on after the last copy, moved by what was skipped
    while at < len(new):
        block = new[at : at + BLOCK]
        shifted = expected + at - literal
        found = shifted if len(block) == BLOCK and old[shifted : shifted + BLOCK] == block else places.get(block)
        if found is None:
            at += 1
            continue
        begin = at
        while begin > literal and found and new[begin - 1] == old[found - 1]:
            begin, found = begin - 1, found - 1
        length = _common(old, found, new, begin)
        if begin > literal:
            yield new[literal:begin]
        yield found, length
        at = literal = begin + length
        expected = found + length
    if literal < len(new):
        yield new[literal:]


def _common(old: bytes, left: int, new: bytes, right: int) -> int:
    """Length of what both have in common from these offsets on."""
    length, step = 0, 1 << 16
    while step:
        one, other = old[left + length : left + length + step], new[right + length : right + length + step]
        if len(one) == step and one == other:
            length += step
        else:
            step >>= 1
    return length


def delta(old: bytes, new: bytes) -> dict[str, object]:
    """The file's contents."""
    return {
        "from": hashlib.sha256(old).hexdigest(),
        "to": hashlib.sha256(new).hexdigest(),
        "parts": [part.hex() if isinstance(part, bytes) else list(part) for part in parts(old, new)],
    }


if __name__ == "__main__":
    before, after, out = sys.argv[1:]
    text = json.dumps(delta(Path(before).read_bytes(), Path(after).read_bytes()), separators=(",", ":"))
    Path(out).write_text(text.replace('],"', '],\n"').replace('",[', '",\n[') + "\n")
