"""Random blocks between two instances of the embedded host, and what the comparison with a native node would notice."""

import struct
from pathlib import Path
from typing import Any

import pytest

from chain_host.block import decode_header
from chain_host.errors import BadBlock
from chain_host.following import import_block
from chain_host.hashing import storage_prefix
from tools.agree.chopsticks import differences, raw_spec
from tools.agree.directions import Disagreement, compare_block, resealed_with_wrong_root
from tools.agree.embedded import Record, Start, author_blocks, new_chain, write_blocks

BLOCKS = 12


@pytest.fixture(scope="module")
def record(start: Start, compiled: Path) -> Record:
    chain, follower = new_chain(start, compiled), new_chain(start, compiled)
    *_, made = author_blocks(chain, follower, BLOCKS, 11, start.code)
    assert chain.state.values == follower.state.values
    chain.store.close()
    follower.store.close()
    return made


def test_random_blocks_hold_calls_that_succeed_and_calls_that_fail(record: Record) -> None:
    assert len(record.blocks) == len(record.events) == BLOCKS
    assert record.ends["ok"] > 30
    assert sum(record.ends.values()) - record.ends["ok"] > 30
    assert record.included < record.offered
    assert not [name for name in record.counts if name.startswith("not understood")]


def test_a_story_gets_as_far_as_an_open_auction(record: Record) -> None:
    assert record.counts["event VcgAuction"] > 0
    assert record.counts["event AgentRegistry"] > 0


def test_one_block_says_that_the_runtime_was_replaced(record: Record) -> None:
    replaced = [block.header.number for block in record.blocks if b"\x08" in block.header.digest]

    assert replaced == [BLOCKS // 2 + 1]


def test_the_file_of_blocks_is_what_import_blocks_reads(record: Record, tmp_path: Path) -> None:
    file = tmp_path / "some.blocks"

    write_blocks(record.blocks[:1], file)

    data, header = file.read_bytes(), record.blocks[0].header
    assert struct.unpack_from("<Q", data) == (1,)
    assert decode_header(data[8 : 8 + len(header.encode())]) == header
    assert data.endswith(record.blocks[0].extrinsics[-1] + b"\0")


def test_a_wrong_state_root_under_a_right_seal_is_refused(start: Start, compiled: Path, record: Record) -> None:
    follower = new_chain(start, compiled)

    with pytest.raises(BadBlock, match="the runtime refuses"):
        import_block(follower, resealed_with_wrong_root(record.blocks[0]))

    import_block(follower, record.blocks[0])
    follower.store.close()


class Native:
    """What a native node would answer about one block."""

    def __init__(self, record: Record, **lies: Any) -> None:
        header = record.blocks[0].header
        self._answers: dict[str, Any] = {
            "chain_getBlockHash": "0x" + header.hash.hex(),
            "chain_getHeader": {
                "stateRoot": "0x" + header.state_root.hex(),
                "extrinsicsRoot": "0x" + header.extrinsics_root.hex(),
            },
            "state_getStorage": "0x" + record.events[0].hex(),
        } | lies

    def ask(self, method: str, *_params: Any) -> Any:
        return self._answers[method]


def test_a_native_node_with_the_same_block_and_events_agrees(record: Record) -> None:
    compare_block(Native(record), 1, record.blocks[0], record.events[0], b"key")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"chain_getBlockHash": "0x00"}, "the native node has 0x00"),
        ({"chain_getHeader": {"stateRoot": "0x01", "extrinsicsRoot": "0x02"}}, "roots 0x01, 0x02"),
        ({"state_getStorage": "0x00"}, "the events differ"),
        ({"state_getStorage": None}, "the events differ"),
    ],
)
def test_any_difference_is_a_disagreement(record: Record, lie: dict[str, Any], said: str) -> None:
    with pytest.raises(Disagreement, match=said):
        compare_block(Native(record, **lie), 1, record.blocks[0], record.events[0], b"key")  # type: ignore[arg-type]


def test_only_the_parent_hash_of_block_1_may_differ_from_chopsticks(start: Start, compiled: Path) -> None:
    chain = new_chain(start, compiled)
    parent = storage_prefix("System", "ParentHash")
    theirs = {**chain.state.values, parent: b"\x46" * 32}

    assert differences(1, theirs, chain.state) == []
    assert differences(2, theirs, chain.state) == [parent.hex()]
    assert differences(1, {**theirs, b"one more": b""}, chain.state) == [b"one more".hex()]
    assert differences(1, {}, chain.state) != []
    chain.store.close()


def test_the_specification_for_chopsticks_holds_the_whole_genesis(start: Start) -> None:
    top = raw_spec(start)["genesis"]["raw"]["top"]

    assert len(top) == len(start.genesis.state)
    assert top["0x" + b":code".hex()] == "0x" + start.code.hex()
