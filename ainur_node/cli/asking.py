"""What a command is given: its options, the home, the screen, and a line to the node when it asks for one."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ainur_node.cli.screen import Screen
from ainur_node.cli.target import find_home, find_node, names_of, start_hint
from ainur_node.rpc.client import Client, Refused, Unreachable
from ainur_node.rpc.whereabouts import Whereabouts

UNKNOWN = (
    "unknown",
    "not_found",
    "no_such",
    "no_auction",
    "no_receipt",
    "no_task",
    "no_escrow",
    "not_mine",
    "no_channel",
)
"""How the codes begin with which a node says that it knows nothing of that name."""


class Ask:
    """One call of a command; closes its connection at the end of the block."""

    def __init__(self, options: Any, home: Path, node: str | None, config: Path | None, screen: Screen) -> None:
        self.options = options
        self.home = home
        self.node = node
        self.config = config
        self.screen = screen
        self._client: Client | None = None
        self._here: Whereabouts | None = None
        self._short: dict[str, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            self._client.close()

    @property
    def target(self) -> Path:
        """Home of the node that this call is about."""
        return find_home(self.home, self.node)

    @property
    def names(self) -> dict[str, str]:
        """What the nodes of this world are called, by peer id and by account; for people only."""
        return names_of(self.target)

    def named(self, text: object) -> str:
        """A sentence of a node with the names of nodes in place of the first digits of their accounts."""
        if self._short is None:
            names = self.names.items() if self._client is not None else ()
            self._short = {ident[:12]: name for ident, name in names if len(ident) == 64}
        words = str(text)
        for digits, name in self._short.items():
            words = words.replace(digits, name)
        return words

    @property
    def here(self) -> Whereabouts:
        """Where the node is; Unreachable when there is none."""
        if self._here is None:
            self._here = find_node(self.home, self.node)
        return self._here

    @property
    def client(self) -> Client:
        """A line to the node; it connects at the first question."""
        if self._client is None:
            self._client = Client(Path(self.here.rpc))
        return self._client

    def call(self, method: str, /, *, wait: float | None = None, **params: Any) -> dict[str, Any]:
        """The node's answer; Refused, or Unreachable with what to do."""
        return self._reached(lambda: self.client.call(method, wait=wait, **params))

    def call_either(self, method: str, first: str, second: str, ident: str, **params: Any) -> dict[str, Any]:
        """Ask by the id of one kind of thing, then of the other."""
        try:
            return self.call(method, wait=120.0, **{first: ident}, **params)
        except Refused as no:
            if not no.code.startswith(UNKNOWN):
                raise
            refused = no
        try:
            return self.call(method, wait=120.0, **{second: ident}, **params)
        except Refused as no:
            raise (refused if no.code.startswith(UNKNOWN) else no) from None

    def submitter(self) -> "Ask | None":
        """The same call at the node that is asked when none is named; None when that is this one."""
        if self.node is None or find_home(self.home, None) == self.target:
            return None
        return Ask(self.options, self.home, None, self.config, self.screen)

    def follow(self, method: str, each: Callable[[dict[str, Any]], bool], /, *, wait: float, **params: Any) -> None:
        """Hand each item of a stream to ``each`` until it returns False or the stream ends."""

        def read() -> dict[str, Any]:
            stream = self.client.stream(method, wait=wait, **params)
            for item in stream:
                if not each(item):
                    break
            return {}

        self._reached(read)

    def _reached(self, question: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return question()
        except Unreachable as away:
            if away.hint:
                raise
            raise Unreachable(str(away), hint=start_hint(self.home, self.target), code=away.code) from away
