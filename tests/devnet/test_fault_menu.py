"""The menu of faults: what is on it, how it is told, and what is not on it."""

import dataclasses
import re
from pathlib import Path

import pytest
from e2e_world import Ainur

from ainur_node import config
from ainur_node.devnet.faults.fault import Altered, Answering, Fault
from ainur_node.devnet.faults.menu import FAULTS, find
from ainur_node.devnet.layout import DevnetError
from ainur_node.domain.ids import PeerId
from ainur_node.ports import Handler
from pallets_client.pallets.market import Params

NODES = {"n1", "n2", "n3", "submitter", "observer"}


@pytest.fixture
def ainur(short_home: Path) -> Ainur:
    return Ainur(short_home)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_names_are_unique() -> None:
    names = [fault.name for fault in FAULTS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_an_entry_is_complete(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", fault.name)
    assert fault.sentence
    assert fault.ends
    assert set(fault.nodes) <= NODES
    assert (fault.alter is not None) == bool(fault.nodes)
    assert fault.alter is not None or fault.trouble is not None
    assert set(fault.params) <= {camel(field.name) for field in dataclasses.fields(Params)}
    assert config.dump(fault.settings) is not None  # every key is one of the configuration, and in its limits


def test_each_is_found_by_its_name() -> None:
    assert [find(fault.name) for fault in FAULTS] == list(FAULTS)


def test_an_unknown_one_is_refused_with_the_way_to_the_list() -> None:
    with pytest.raises(DevnetError) as refused:
        find("sings-out-of-tune")

    assert refused.value.code == "no-such-fault"
    assert "--faults" in refused.value.hint


def test_the_command_line_lists_all_and_starts_nothing(ainur: Ainur) -> None:
    said = ainur("devnet", "up", "--faults")

    assert said.code == 0
    assert [row["name"] for row in said.data["faults"]] == [fault.name for fault in FAULTS]
    assert all(row["does"] and row["ends"] for row in said.data["faults"])
    assert list(ainur.home.iterdir()) == []


def test_an_unknown_fault_starts_no_world(ainur: Ainur) -> None:
    said = ainur("devnet", "up", "--fault", "sings-out-of-tune")

    assert (said.code, said.error) == (4, "no_such_fault")
    assert list(ainur.home.iterdir()) == []


# --- what faults are made of --------------------------------------------------------------------------------------


class Port:
    name = "honest"

    def __init__(self) -> None:
        self.served: dict[str, Handler] = {}
        self.limits: dict[str, object] = {}

    def serve(self, method: str, handler: Handler, **limits: object) -> None:
        self.served[method], self.limits[method] = handler, limits

    def said(self) -> str:
        return "the truth"


class Liar(Altered):
    def said(self) -> str:
        return f"not {self._honest.said()}"


def test_an_altered_port_is_the_honest_one_but_for_what_it_defines() -> None:
    liar = Liar(Port())

    assert (liar.name, liar.said()) == ("honest", "not the truth")
    with pytest.raises(AttributeError):
        _ = liar.sung


async def test_a_twist_answers_one_method_and_may_ask_the_honest_handler() -> None:
    async def honest(peer: PeerId, body: bytes) -> bytes:
        return b"honest " + body

    async def twist(handler: Handler, peer: PeerId, body: bytes) -> bytes:
        return b"not so " + await handler(peer, body)

    port = Port()
    mesh = Answering(port, "task.output", twist)
    for method in ("task.output", "task.input"):
        mesh.serve(method, honest, max_body=256)

    peer = PeerId("somebody")
    assert await port.served["task.output"](peer, b"work") == b"not so honest work"
    assert await port.served["task.input"](peer, b"work") == b"honest work"
    assert port.limits == {"task.output": {"max_body": 256}, "task.input": {"max_body": 256}}
