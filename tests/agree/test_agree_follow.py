"""Following a running node block by block, with a chain host in the place of the native one; and nodes that fail."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from chain_host.runtimes import Runtimes
from chain_host.world import make_world, runtime_blob, world_genesis
from tests.chain_host.processes import Host, running
from tools.agree.directions import Disagreement, _follow_one
from tools.agree.embedded import Start, new_chain
from tools.agree.native import NativeTrouble, Rpc, import_blocks, launch

BLOCKS = 8


@pytest.fixture
def world(tmp_path: Path, compiled: Path) -> Start:
    made = make_world(tmp_path / "world", cache=compiled)
    return Start(runtime_blob(), made.config, world_genesis(made, Runtimes(compiled)))


@pytest.fixture
def host(tmp_path: Path, compiled: Path, world: Start) -> Iterator[Host]:
    del world
    with running(tmp_path / "data", cache=compiled, world=tmp_path / "world") as process:
        yield process


@pytest.fixture
def rpc(host: Host) -> Iterator[Rpc]:
    with connect(host.url, max_size=64 << 20, compression=None) as socket:
        yield Rpc(socket)


def test_random_extrinsics_go_into_the_pool_and_every_block_is_executed_again(
    rpc: Rpc, world: Start, compiled: Path
) -> None:
    told: list[str] = []
    chain = new_chain(world, compiled)

    agreed = _follow_one(rpc, chain, BLOCKS, 21, told.append, time.monotonic())

    assert agreed.blocks == chain.head.number == BLOCKS
    assert agreed.extrinsics > BLOCKS + 5, "beside the timestamps"
    assert agreed.ends["ok"] > 0
    assert told == [f"followed {BLOCKS} blocks of a native chain"]
    chain.store.close()


def test_a_chain_with_another_genesis_is_a_disagreement(rpc: Rpc, start: Start, compiled: Path) -> None:
    chain = new_chain(start, compiled)

    with pytest.raises(Disagreement, match="genesis"):
        _follow_one(rpc, chain, 1, 1, print, time.monotonic())

    chain.store.close()


class Lying:
    """A node whose answers to one method are made up."""

    def __init__(self, rpc: Rpc, method: str, answer: Any) -> None:
        self._rpc, self._method, self._answer = rpc, method, answer

    def ask(self, method: str, *params: Any) -> Any:
        return self._answer if method == self._method else self._rpc.ask(method, *params)

    def attempt(self, method: str, *params: Any) -> bool:
        return self._rpc.attempt(method, *params)

    def block(self, number: int) -> dict[str, Any] | None:
        found = self._rpc.block(number)
        if found is not None and self._method == "block":
            found["block"]["header"][self._answer] = "0x" + "11" * 32
            found["hash"] = "0x" + "00" * 32 if self._answer is None else found["hash"]
        return found


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        ("state_getStorage", "0x00", "the events differ"),
        ("block", "stateRoot", "the hash of its header differs"),
        ("block", "extrinsicsRoot", "the hash of its header differs"),
    ],
)
def test_a_node_that_answers_something_else_is_a_disagreement(
    rpc: Rpc, world: Start, compiled: Path, method: str, answer: str, said: str
) -> None:
    chain = new_chain(world, compiled)

    with pytest.raises(Disagreement, match=said):
        _follow_one(Lying(rpc, method, answer), chain, 2, 1, print, time.monotonic())  # type: ignore[arg-type]

    chain.store.close()


def test_an_error_answer_is_trouble_with_the_name_of_the_method(rpc: Rpc) -> None:
    with pytest.raises(NativeTrouble, match="no_such_method"):
        rpc.ask("no_such_method")
    assert not rpc.attempt("author_submitExtrinsic", "0x00")


def failing(tmp_path: Path) -> Path:
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\necho 'Error: the database is away' >&2\nexit 1\n")
    program.chmod(0o755)
    return program


def test_a_node_that_ends_at_once_is_trouble_with_the_end_of_its_log(tmp_path: Path) -> None:
    node = launch(failing(tmp_path), "dev", tmp_path / "base", rpc_port=9, p2p_port=9)

    with pytest.raises(NativeTrouble, match="the database is away"), node.rpc():
        pass

    node.stop()


def test_blocks_that_are_refused_are_trouble_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(NativeTrouble, match="the database is away"):
        import_blocks(failing(tmp_path), tmp_path / "spec", tmp_path / "base", tmp_path / "blocks")
