"""What connects a node to its chain is closed without holding up the loop."""

from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from ainur_node import chain_side
from ainur_node.chain_side import NoChain, host_link, open_chain

CONFIG: Any = SimpleNamespace(chain=SimpleNamespace(url="ws://127.0.0.1:1"))


class Slow:
    """Something that is closed only while the loop turns."""

    def __init__(self) -> None:
        self.closed = False
        self.link = SimpleNamespace(url="ws://127.0.0.1:1")

    @property
    def genesis_hash(self) -> bytes:
        raise OSError("nobody is there")

    def close(self) -> None:
        trio.from_thread.run_sync(self._turned)

    def _turned(self) -> None:
        self.closed = True


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    one = Slow()
    monkeypatch.setattr(chain_side, "HostLink", lambda _url: one)
    monkeypatch.setattr(chain_side, "ChainClient", lambda _url: one)
    return one


async def test_the_loop_turns_while_the_hosts_link_is_closed(slow: Slow) -> None:
    async with AsyncExitStack() as stack:
        host_link(CONFIG, stack)

    assert slow.closed


async def test_the_loop_turns_while_the_client_is_closed(slow: Slow) -> None:
    rest: list[Any] = [None] * 5

    with pytest.raises(NoChain):
        async with AsyncExitStack() as stack:
            await open_chain(CONFIG, *rest, stack)

    assert slow.closed


async def test_a_link_is_closed_also_by_who_is_cancelled(slow: Slow) -> None:
    with trio.CancelScope() as scope:
        async with AsyncExitStack() as stack:
            host_link(CONFIG, stack)
            scope.cancel()
            await trio.lowlevel.checkpoint()

    assert slow.closed
