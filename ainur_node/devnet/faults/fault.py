"""What a fault is: one sentence, the nodes that carry it, and what it changes in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ainur_node.wiring import Alter


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the menu.

    ``alter`` wraps the ports of the nodes named in ``nodes``. ``params`` patches the market's parameters in the
    genesis and ``settings`` the configuration of every node ({section: {key: value}}), so that what the fault sets off
    can be watched within a minute.
    """

    name: str
    sentence: str
    ends: str
    nodes: tuple[str, ...]
    alter: "Alter | None" = None
    params: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Altered:
    """A port with one thing changed: whatever a subclass does not define is the honest part's."""

    def __init__(self, honest: Any) -> None:
        self._honest = honest

    def __getattr__(self, name: str) -> Any:
        return getattr(self._honest, name)
