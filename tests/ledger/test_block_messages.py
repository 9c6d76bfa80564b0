"""What followers of the chain say to each other: whatever arrives is a message or misbehaviour."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ainur_node.errors import Misbehaviour
from ainur_node.ledger import block_messages
from ainur_node.ledger.block_messages import VERSION, Blocks, BlocksWanted, Message, Part, PartWanted

SAMPLES: dict[type[Message], Message] = {
    BlocksWanted: BlocksWanted(VERSION, 7, bytes(32), 5000),
    Blocks: Blocks(VERSION, 8, [b"block", b""], 9),
    PartWanted: PartWanted(VERSION, 7, 1 << 20),
    Part: Part(VERSION, 3, b"abc"),
}
KINDS = st.sampled_from(sorted(SAMPLES, key=lambda kind: kind.__name__))
# A map whose only key is text that is not UTF-8: msgspec has an exception of its own for most things, but not for this.
NOT_TEXT = b"\x81\xa3\x96\x10\x8d\xc0"


def is_a_message_or_misbehaviour(kind: type[Message], frame: bytes) -> None:
    try:
        message = block_messages.decode(kind, frame)
    except Misbehaviour:
        return
    assert block_messages.decode(kind, block_messages.encode(message)) == message


@given(KINDS, st.binary(max_size=200))
@example(PartWanted, NOT_TEXT)
def test_any_bytes_are_a_message_or_misbehaviour(kind: type[Message], frame: bytes) -> None:
    is_a_message_or_misbehaviour(kind, frame)


@given(KINDS, st.integers(0, 200), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_damaged_message_is_another_one_or_misbehaviour(
    kind: type[Message], place: int, damage: bytes, cut: bool
) -> None:
    frame = block_messages.encode(SAMPLES[kind])
    at = place % len(frame)
    is_a_message_or_misbehaviour(kind, frame[:at] + damage + (b"" if cut else frame[at + len(damage) :]))


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)
def test_samples_come_back_and_other_versions_do_not(kind: type[Message]) -> None:
    sample = SAMPLES[kind]
    assert block_messages.decode(kind, block_messages.encode(sample)) == sample
    with pytest.raises(Misbehaviour, match="unknown version"):
        block_messages.decode(kind, block_messages.encode(msgspec.structs.replace(sample, v=VERSION + 1)))


def test_deep_nesting_is_misbehaviour() -> None:
    is_a_message_or_misbehaviour(Blocks, b"\x91" * 100_000)
