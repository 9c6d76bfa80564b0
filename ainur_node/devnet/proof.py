"""What every scenario of the demo ends with: a proof that anybody can repeat, or a verdict that it failed."""

import shlex
from pathlib import Path
from typing import Any

DEFAULT_HOME = Path("~/.ainur")


class NotProven(Exception):  # noqa: N818 # a verdict, not a fault of ours
    """The task ended, but something about it is not as promised; ``faults`` says what, ``result`` what was seen."""

    code = "not-proven"
    exit_code = 5
    hint = "please report this with the output of: ainur demo --json"

    def __init__(self, found: list[str], result: dict[str, Any]) -> None:
        super().__init__("; ".join(found))
        self.faults = found
        self.result = result


def verify_line(home: Path, node: str, words: str) -> str:
    """A command line about a world that was kept."""
    named = "" if home.expanduser() == DEFAULT_HOME.expanduser() else f" --home {shlex.quote(str(home))}"
    return f"ainur{named} --node {node} {words}"
