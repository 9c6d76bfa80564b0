"""`ainur init`: keys that are there are used, ports that are taken are not."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import trio

from ainur_node import config, keystore
from ainur_node.devnet import init as making
from ainur_node.devnet import joining
from ainur_node.devnet.init import init
from ainur_node.devnet.layout import DevnetError
from ainur_node.errors import Misbehaviour
from ainur_node.mesh.libp2p_mesh import Libp2pMesh
from ainur_node.mesh.settings import MeshSettings


@pytest.fixture
def without_genesis(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"genesis": "0x" + "11" * 32, "network_id": "0x" + "22" * 32}
    monkeypatch.setattr(making, "_make_genesis", lambda *_: said)


@pytest.mark.usefixtures("without_genesis")
def test_a_home_takes_the_keys_of_wallet_new(short_home: Path) -> None:
    keys = keystore.create(short_home)
    assert init(short_home)["account"] == keys.account.hex()
    with pytest.raises(DevnetError, match="already"):
        init(short_home)


@pytest.mark.usefixtures("without_genesis")
def test_ports_that_are_taken_are_not_asked_for(short_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        usual = taken.getsockname()[1]
        monkeypatch.setattr(making, "MESH_PORT", usual)
        init(short_home)
    listen = config.load(short_home / config.FILE_NAME).config.mesh.listen[0]
    assert usual < int(listen.rpartition("/")[2]) < usual + making.PORTS_TRIED


async def answering(body: bytes, ask: Any) -> Any:
    """What `ask` finds out from a node that answers every newcomer with `body`."""
    mesh = Libp2pMesh(MeshSettings(), b"\7" * 32, b"\5" * 32, joining._NoBlobs())

    async def world(peer: str, asked: bytes) -> bytes:
        return body

    mesh.serve(joining.METHOD, world, max_body=64, per_peer_per_second=2, concurrent=8)
    found: Any = None
    async with trio.open_nursery() as nursery:
        await nursery.start(mesh.run)
        try:
            found = await ask(mesh.addresses()[0])
        except Misbehaviour as error:
            found = error
        nursery.cancel_scope.cancel()
    return found


def test_a_newcomer_learns_the_chain_from_a_peer() -> None:
    body = json.dumps({"chain": "ws://127.0.0.1:9944"}).encode()
    assert trio.run(answering, body, joining._learn) == "ws://127.0.0.1:9944"


def test_a_peer_that_says_nothing_of_use_is_named() -> None:
    assert isinstance(trio.run(answering, b'{"chain": "http://elsewhere"}', joining._learn), Misbehaviour)


def test_a_peer_that_is_not_there_is_told_with_what_to_do() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        nobody = f"/ip4/127.0.0.1/tcp/{port}/p2p/12D3KooWA7bobJVExVvYfMn9m39m5Q6VuRpWSAGSXdmCbyvfR7BX"
        with pytest.raises(DevnetError) as refused:
            joining.learn_chain(nobody)
    assert refused.value.code == "peer-unreachable"
    assert "--chain" in refused.value.hint


def test_nothing_but_the_answer_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    test_a_peer_that_is_not_there_is_told_with_what_to_do()
    assert capfd.readouterr() == ("", "")
