"""What a client of the chain host meets when something behind a method is broken, or when it watches too much."""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.asyncio.client import connect

from chain_host.chain import Chain
from chain_host.errors import StoreError
from chain_host.node import Node
from chain_host.rpc.errors import RpcError
from chain_host.rpc.server import RpcServer
from chain_host.rpc.subscriptions import KEY_OVERHEAD, MAX_WATCHED_BYTES, Subscriptions


@pytest.mark.parametrize("fault", [StoreError("the disk is full"), TimeoutError(), KeyError("never thought of")])
def test_a_fault_behind_a_method_is_an_answer_and_the_next_request_is_served(
    new_chain: Callable[..., Chain], fault: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(_params: Any) -> Any:
        raise fault

    async def main() -> list[Any]:
        chain = new_chain(on_disk=True)
        node, reader = Node(chain, None), chain.store.reader()
        rpc = RpcServer(node, reader, chain_name="Test", version="0")
        rpc._methods["ainur_importBlock"] = broken
        server, port = await rpc.listen(0)
        try:
            async with asyncio.timeout(30), connect(f"ws://127.0.0.1:{port}") as client:
                for number, method in enumerate(("ainur_importBlock", "system_name")):
                    await client.send(json.dumps({"id": number, "method": method}))
                return [json.loads(await client.recv()) for _ in range(2)]
        finally:
            server.close()
            await server.wait_closed()
            await node.close()
            reader.close()

    first, second = asyncio.run(main())
    assert (first["id"], first["error"]["code"]) == (0, -32603)
    assert second["result"] == "ainur-chain-host"
    assert type(fault).__name__ in capsys.readouterr().err


def test_the_keys_that_one_connection_watches_are_bounded_by_their_bytes() -> None:
    subscriptions, sink = Subscriptions(), SimpleNamespace(subscriptions=set())
    half = frozenset({bytes(MAX_WATCHED_BYTES // 2 - KEY_OVERHEAD)})
    first = subscriptions.add(sink, "state_storage", keys=half)
    subscriptions.add(sink, "state_storage", keys=half)
    with pytest.raises(RpcError, match="Too many keys"):
        subscriptions.add(sink, "state_storage", keys=frozenset({b""}))

    subscriptions.remove(sink, first.id)
    subscriptions.add(sink, "state_storage", keys=frozenset({b""}))
