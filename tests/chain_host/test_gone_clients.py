"""What a client began is finished and told to the others when it hangs up in the middle."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chain_host.block import Block
from chain_host.errors import BadBlock
from chain_host.node import NewBlock, Node
from chain_host.pool import PoolRefusal, Status

BLOCK = cast(Block, SimpleNamespace(header=SimpleNamespace(number=1, hash=b"h")))
NEW = cast(NewBlock, SimpleNamespace(number=1))


class Slow:
    """Work of the executor that waits until it may go on."""

    def __init__(self, answer: Any) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        self._answer = answer

    def __call__(self, *_: Any) -> Any:
        self.began.set()
        assert self.go_on.wait(10)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def hung_up(slow: Slow, prepare: Callable[[Node], None], ask: Callable[[Node], Awaitable[Any]]) -> list[Any]:
    """Ask, hang up while the executor works, let it finish; what the others were told."""

    async def main() -> list[Any]:
        chain = SimpleNamespace(head=SimpleNamespace(number=0), store=SimpleNamespace(hash_of=lambda _: None))
        node = Node(cast(Any, chain), None)
        told: list[Any] = []
        node.on_block = told.append
        node.on_statuses = told.extend
        prepare(node)
        asking = asyncio.ensure_future(ask(node))
        await asyncio.to_thread(slow.began.wait, 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        slow.go_on.set()
        await node.execute(lambda: None)  # behind the work in the executor
        for _ in range(5):
            await asyncio.sleep(0)
        await node.close()
        return told

    return asyncio.run(main())


def test_a_block_that_was_taken_is_told_though_its_sender_went_away() -> None:
    slow = Slow(NEW)

    def prepare(node: Node) -> None:
        node._import = slow  # type: ignore[method-assign]

    assert hung_up(slow, prepare, lambda node: node.take(BLOCK)) == [NEW]


def test_a_bad_block_whose_sender_went_away_disturbs_nobody() -> None:
    slow = Slow(BadBlock("no", "bad-root"))

    def prepare(node: Node) -> None:
        node._import = slow  # type: ignore[method-assign]

    assert hung_up(slow, prepare, lambda node: node.take(BLOCK)) == []


def test_what_an_extrinsic_replaced_is_told_though_its_sender_went_away() -> None:
    replaced = [Status(b"new", "ready"), Status(b"old", "usurped", b"new")]
    slow = Slow([replaced])

    def prepare(node: Node) -> None:
        node._admit_some = slow  # type: ignore[method-assign]

    assert hung_up(slow, prepare, lambda node: node.submit(bytes([4, 0]))) == replaced


def test_a_refused_extrinsic_whose_sender_went_away_is_told_to_nobody() -> None:
    slow = Slow([PoolRefusal(1010, "Invalid Transaction")])

    def prepare(node: Node) -> None:
        node._admit_some = slow  # type: ignore[method-assign]

    assert hung_up(slow, prepare, lambda node: node.submit(bytes([4, 0]))) == []


def test_an_extrinsic_that_is_thrown_out_is_told_though_whoever_asked_went_away() -> None:
    gone = [Status(b"x", "invalid")]
    slow = Slow(gone)

    def prepare(node: Node) -> None:
        node.pool.remove = slow  # type: ignore[method-assign]

    assert hung_up(slow, prepare, lambda node: node.remove(b"x" * 32)) == gone
