"""What a fault is: one sentence, the nodes that carry it, and what it changes in them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ainur_node.domain.ids import PeerId

if TYPE_CHECKING:
    from ainur_node.devnet.faults.parts import Parts
    from ainur_node.ports import Handler
    from ainur_node.wiring import Alter

# The provider with the lowest ask wins every first auction of a devnet.
WINNER = "n1"


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the menu.

    ``alter`` wraps the ports of the nodes named in ``nodes``. ``params`` patches the market's parameters in the
    genesis and ``settings`` the configuration of every node ({section: {key: value}}), so that what the fault sets off
    can be watched within a minute. ``trouble`` is what happens to the parts of the running world: the keeper takes a
    step of it at each of its turns.
    """

    name: str
    sentence: str
    ends: str
    nodes: tuple[str, ...]
    alter: "Alter | None" = None
    trouble: "Callable[[Parts], Iterator[None]] | None" = None
    params: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Altered:
    """A port with one thing changed: whatever a subclass does not define is the honest part's."""

    def __init__(self, honest: Any) -> None:
        self._honest = honest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)


Twist = Callable[["Handler", PeerId, bytes], Awaitable[bytes]]
"""Answers a peer's request in place of the honest handler, which it may ask first."""


class Answering(Altered):
    """A mesh on which one method is answered by a twist."""

    def __init__(self, honest: Any, method: str, twist: Twist) -> None:
        super().__init__(honest)
        self._method = method
        self._twist = twist

    def serve(self, method: str, handler: "Handler", **limits: Any) -> None:
        """Serve as the honest node does, but for the one method."""
        self._honest.serve(method, partial(self._twist, handler) if method == self._method else handler, **limits)
