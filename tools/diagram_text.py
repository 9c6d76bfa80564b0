"""Arrows between states, and how they are drawn: Mermaid's stateDiagram-v2."""

from collections.abc import Iterable
from dataclasses import dataclass

START = END = "[*]"


@dataclass(frozen=True, slots=True)
class Arrow:
    """What leads from one state to another; ``label`` names the fact or call, its condition, and the orders."""

    source: str
    target: str
    label: str


def drawn(title: str, sentence: str, arrows: Iterable[Arrow]) -> str:
    """A section of Markdown with one diagram; arrows in the order in which they were found."""
    lines = [f"    {a.source} --> {a.target}" + (f": {a.label}" if a.label else "") for a in dict.fromkeys(arrows)]
    return "\n".join([f"## {title}", "", sentence, "", "```mermaid", "stateDiagram-v2", *lines, "```", ""])
