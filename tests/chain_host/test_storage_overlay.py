"""The overlay against a model made of plain dictionaries, copied at every transaction."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chain_host.errors import RuntimeTrap
from chain_host.overlay import MAX_DEPTH, Overlay
from chain_host.scale import compact
from chain_host.state import HeadState
from chain_host.trie import Trie

KEYS = st.sampled_from([b"", b"a", b"aa", b"ab", b"b", b"ba", b"bab", b"c", b"cc"])
PREFIXES = st.sampled_from([b"", b"a", b"b", b"ba", b"d"])
VALUES = st.binary(max_size=3)


class OverlayModel(RuleBasedStateMachine):
    """`model[-1]` is what the runtime should see, `written[-1]` the keys it wrote since the last commit."""

    @initialize(state=st.dictionaries(KEYS, VALUES))
    def start(self, state):
        self.state = HeadState(state)
        self.overlay = Overlay(self.state)
        self.model = [dict(state)]
        self.written = [set()]

    @rule(key=KEYS, value=st.none() | VALUES)
    def write(self, key, value):
        self.overlay.put(key, value)
        self.model[-1].pop(key, None)
        self.written[-1].add(key)
        if value is not None:
            self.model[-1][key] = value

    @rule(key=st.sampled_from([b"list", b"a"]), item=VALUES)
    def append(self, key, item):
        self.overlay.put(key, None) if key == b"a" else None
        self.model[-1].pop(key, None) if key == b"a" else None
        old = self.model[-1].get(key, b"\0")
        self.overlay.append(key, item)
        self.model[-1][key] = compact((old[0] >> 2) + 1) + old[1:] + item
        self.written[-1].add(key)

    @precondition(lambda self: len(self.model) < 5)
    @rule()
    def begin(self):
        self.overlay.begin()
        self.model.append(dict(self.model[-1]))
        self.written.append(set(self.written[-1]))

    @precondition(lambda self: len(self.model) > 1)
    @rule(keep=st.booleans())
    def end(self, keep):
        if keep:
            self.overlay.commit()
            del self.model[-2], self.written[-2]
        else:
            self.overlay.rollback()
            del self.model[-1], self.written[-1]

    @rule(prefix=PREFIXES, limit=st.none() | st.integers(0, 4))
    def clear_prefix(self, prefix, limit):
        committed = [key for key in self.state.keys if key.startswith(prefix)]
        visited = committed if limit is None else committed[:limit]

        assert self.overlay.clear_prefix(prefix, limit) == (len(visited), len(visited) < len(committed))

        gone = {key for key in self.written[-1] if key.startswith(prefix)} | set(visited)
        for key in gone:
            self.model[-1].pop(key, None)
        self.written[-1] |= gone

    @precondition(lambda self: len(self.model) == 1)
    @rule()
    def commit_block(self):
        writes, _before = self.state.difference(self.overlay.changes())
        self.state.commit(writes)
        self.overlay = Overlay(self.state)
        self.written = [set()]

    @invariant()
    def the_runtime_sees_the_model(self):
        seen, key = {}, b"" if self.overlay.get(b"") is not None else self.overlay.next_key(b"")
        while key is not None:
            seen[key] = self.overlay.get(key)
            key = self.overlay.next_key(key)

        assert seen == self.model[-1]
        assert list(seen) == sorted(seen)
        assert self.overlay.root(1) == Trie().updated(self.model[-1]).root


OverlayModel.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_overlay_follows_the_model = OverlayModel.TestCase


def test_a_call_cannot_close_transactions_that_are_not_its_own():
    overlay = Overlay(HeadState())
    overlay.begin()
    mark = overlay.enter_call()

    with pytest.raises(RuntimeTrap):
        overlay.commit()

    overlay.leave_call(mark, keep=True)
    overlay.commit()


def test_transactions_a_call_leaves_open_are_rolled_back():
    overlay = Overlay(HeadState())
    mark = overlay.enter_call()
    overlay.put(b"kept", b"1")
    overlay.begin()
    overlay.put(b"lost", b"2")

    overlay.leave_call(mark, keep=True)

    assert overlay.changes() == {b"kept": b"1"}


def test_nesting_is_bounded():
    overlay = Overlay(HeadState())

    with pytest.raises(RuntimeTrap):
        for _ in range(MAX_DEPTH + 2):
            overlay.begin()


def test_appending_to_what_is_no_vector_starts_a_new_one():
    overlay = Overlay(HeadState({b"k": b"\x03"}))

    overlay.append(b"k", b"item")

    assert overlay.get(b"k") == b"\4item"
