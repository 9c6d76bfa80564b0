"""Questions to the nodes of a world over their local sockets, and waits for facts among the answers."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ainur_node.errors import Transient
from ainur_node.rpc.client import Client, Unreachable
from ainur_node.rpc.whereabouts import read_whereabouts

_POLL = 0.05
T = TypeVar("T")


def client_of(home: Path, *, timeout: float = 30.0) -> Client:
    """A client of the node that runs on a home; raises Unreachable when none does."""
    try:
        here = read_whereabouts(home)
    except ValueError as error:
        raise Unreachable(str(error), hint="look whether the node runs: ainur status") from error
    if here is None:
        raise Unreachable(f"no node runs on {home}", hint="start it: ainur run, or ainur devnet up")
    return Client(Path(here.rpc), timeout=timeout)


def ask(home: Path, method: str, /, **params: Any) -> dict[str, Any]:
    """One question to the node of a home; raises Refused or Unreachable."""
    with client_of(home) as client:
        return client.call(method, **params)


def wait_for(what: str, ask_once: Callable[[], T | None], *, timeout: float) -> T:
    """Ask again until the answer is not None; raises Transient after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = ask_once()
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise Transient(f"{what} did not happen within {timeout:.0f} s", hint="is the machine very busy?")
        time.sleep(_POLL)
