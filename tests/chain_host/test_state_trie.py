"""The trie: roots against a slow independent computation and against roots a native node agreed with."""

from hypothesis import given
from hypothesis import strategies as st

from chain_host.hashing import blake2_256
from chain_host.scale import compact
from chain_host.trie import EMPTY_ROOT, Trie, nibbles, ordered_root

KEYS = st.binary(max_size=6) | st.sampled_from([b"", b"\0", b"\x0a" * 3, b"\xaa" * 3, b"\xaa" * 4, b"key" * 30])
VALUES = st.binary(max_size=40) | st.sampled_from([b"", b"v" * 32, b"v" * 33, b"v" * 300])


def slow_root(state: dict[bytes, bytes], version: int) -> bytes:
    """The root from the definition: no sharing, no caching, no incremental change."""
    if not state:
        return EMPTY_ROOT
    return blake2_256(slow_node([(list(nibbles(key)), value) for key, value in sorted(state.items())], version))


def slow_node(items: list[tuple[list[int], bytes]], version: int) -> bytes:
    first, last = items[0][0], items[-1][0]
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    partial = first[:shared]
    value = items[0][1] if len(first) == shared else None
    rest = items[1:] if value is not None else items
    hashed = value is not None and version == 1 and len(value) > 32
    if not rest:
        kind, bits = (0b001 << 5, 5) if hashed else (0b01 << 6, 6)
    elif value is None:
        kind, bits = 0b10 << 6, 6
    else:
        kind, bits = (0b0001 << 4, 4) if hashed else (0b11 << 6, 6)
    room = (1 << bits) - 1
    if shared < room:
        out = bytes([kind | shared])
    else:
        extra = shared - room
        out = bytes([kind | room]) + b"\xff" * (extra // 255) + bytes([extra % 255])
    padded = ([0] if shared % 2 else []) + partial
    out += bytes(high * 16 + low for high, low in zip(padded[::2], padded[1::2], strict=True))
    if rest:
        slots = sorted({path[shared] for path, _ in rest})
        out += sum(1 << slot for slot in slots).to_bytes(2, "little")
    if value is not None:
        out += blake2_256(value) if hashed else compact(len(value)) + value
    if rest:
        for slot in slots:
            child = slow_node([(path[shared + 1 :], v) for path, v in rest if path[shared] == slot], version)
            child = blake2_256(child) if len(child) >= 32 else child
            out += compact(len(child)) + child
    return out


@given(st.lists(st.tuples(KEYS, st.none() | VALUES), max_size=40), st.sampled_from([0, 1]))
def test_any_order_of_writes_and_removals_gives_the_root_of_what_is_left(changes, version):
    trie, state = Trie(version=version), {}

    for key, value in changes:
        trie = trie.updated({key: value})
        state.pop(key, None)
        if value is not None:
            state[key] = value
        assert trie.root == slow_root(state, version)


@given(st.dictionaries(KEYS, VALUES, max_size=20), st.dictionaries(KEYS, st.none() | VALUES, max_size=20))
def test_an_update_leaves_the_trie_it_started_from_alone(state, changes):
    before = Trie().updated(state)
    root = slow_root(state, 1)

    before.updated(changes).updated({b"other": b"value"})

    assert before.root == root
    assert Trie().updated(state).root == root


def test_removing_what_is_not_there_returns_the_same_trie():
    trie = Trie().updated({b"aa": b"1", b"ab": b"2"})

    assert trie.updated({b"ac": None, b"a": None, b"aab": None, b"": None}) is trie


def numbered(i: int) -> bytes:
    return bytes([i * 7 % 256]) * (i % 5) + i.to_bytes(2, "big")


def test_roots_are_those_a_native_node_agrees_with():
    trie = Trie().updated((numbered(i), bytes([i % 256]) * (i % 80)) for i in range(500))
    fewer = trie.updated((numbered(i), None) for i in range(0, 500, 3))
    nested = Trie().updated({b"ab" * 40: b"1", b"ab" * 40 + b"c": b"2" * 33})
    items = [b"", b"a", b"x" * 100] * 50

    assert EMPTY_ROOT.hex() == "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"
    assert trie.root.hex() == "22851cd0bdea0befe1e0aa15a4c786988e6b1fdb5052a320d36fbe5e885da207"
    assert fewer.root.hex() == "1be4bcf91ab03cd5eaf3c55c8645936ef2da64dd3aecf420dcf0454b6b3d4365"
    assert nested.root.hex() == "d16e06a2220dd65a078a0686cda5cb3f2255e2480ef6b30dc393122b763d41f4"
    assert ordered_root(items, 0).hex() == "ba80620e6a8981290536e6742ef1be6f8e3d1b395df9078e6d1938c6aaf51962"
    assert ordered_root(items, 1).hex() == "e7da9b3c54d74d0cd13fee8ef88d4598bb6f26d0155e2e59c95414b4665f3fdd"
