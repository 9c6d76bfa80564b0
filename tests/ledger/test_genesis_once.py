"""The genesis is megabytes: a node packs it once, beside its loop, and garbage makes nobody pack it."""

import threading
from typing import Any

import pytest
import trio

from ainur_node.errors import Misbehaviour
from ainur_node.ledger import host_link
from ainur_node.ledger.block_serving import BlockServing
from ainur_node.ledger.host_link import HostLink


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the chain host was asked for."""
    found: list[str] = []

    class Answering:
        def __init__(self, *_: Any) -> None:
            pass

        def call(self, method: str, *_: Any) -> dict[str, str]:
            found.append(method)
            return {"genesis": "00" * 100_000}

    monkeypatch.setattr(host_link, "Link", Answering)
    return found


async def test_many_askers_at_once_have_it_packed_once_and_not_in_the_loop(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    pack = host_link._packed

    def packed(spec: Any) -> bytes:
        threads.append(threading.get_ident())
        return pack(spec)

    monkeypatch.setattr(host_link, "_packed", packed)
    link, answers = HostLink("ws://nowhere"), set[bytes]()

    async def ask() -> None:
        answers.add(await link.genesis())

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(ask)

    assert (len(answers), len(asked), len(threads)) == (1, 1, 1)
    assert threads != [threading.get_ident()]


async def test_garbage_is_refused_before_the_host_is_asked(asked: list[str]) -> None:
    serving = BlockServing(None, HostLink("ws://nowhere"), None)  # type: ignore[arg-type]

    with pytest.raises(Misbehaviour):
        await serving._genesis("peer", b"\xff garbage")  # type: ignore[arg-type]
    assert asked == []
