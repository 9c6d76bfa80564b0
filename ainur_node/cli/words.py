"""Values as people read them: amounts in AIN, short hashes, times; and the same values for JSON."""

import math
import time
from collections.abc import Mapping
from typing import Any

from ainur_node.domain.money import format_ain

TIMES = frozenset({"at", "submitted_at", "ended_at", "started", "commit_end", "reveal_end", "award_by"}) | {
    "expires_at",
    "closing_at",
    "closes_at",
}
"""Keys whose values are wall-clock milliseconds; JSON shows them as ISO 8601."""


def ain(planck: object) -> str:
    """Planck (a whole number or its decimal string) as AIN with the unit; a dash for nothing."""
    if planck is None or planck == "":
        return "–"
    try:
        return f"{format_ain(int(str(planck)))} AIN"
    except ValueError:
        return str(planck)


BONDS = {
    "kept": "at stake while the award can be challenged",
    "returned": "free again, nobody proved a fault in time",
    "lost": "lost: a fault was proven on chain, or the award came too late",
    "gone": "no longer on hold",
}


def bond(row: Mapping[str, Any] | None) -> str | None:
    """What became of the submitter's own bond; None when its auction cannot be challenged."""
    return f"{ain(row.get('amount'))}, {BONDS.get(str(row.get('state')), row.get('state'))}" if row else None


def short(ident: object, digits: int = 12) -> str:
    """The first digits of an id: enough to tell it from others and to be typed; tables take 8."""
    text = str(ident or "–")
    return f"{text[:digits]}…" if len(text) > 20 else text


def peer(ident: object, names: Mapping[str, str]) -> str:
    """A peer or an account by its name in this world, else its last digits: peer ids all begin alike."""
    text = str(ident or "–")
    return names.get(text, f"…{text[-8:]}" if len(text) > 20 else text)


def when(ms: object) -> str:
    """Wall-clock ms as UTC to the second."""
    if isinstance(ms, str):
        return ms[:19].replace("T", " ")
    if not isinstance(ms, int) or ms <= 0:
        return "–"
    try:
        return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(ms / 1000))
    except (OverflowError, ValueError, OSError):
        return str(ms)


def iso(ms: int) -> str | None:
    """Wall-clock ms as ISO 8601, UTC, with milliseconds; None for 0."""
    if ms <= 0:
        return None
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"
    except (OverflowError, ValueError, OSError):
        return None


def size(count: object) -> str:
    """Bytes with a unit."""
    if not isinstance(count, int):
        return "–"
    if count < 10_000:
        return f"{count} bytes"
    return f"{count / 1024:.1f} KiB" if count < 10 << 20 else f"{count / (1 << 20):.1f} MiB"


def yes(value: object) -> str:
    """A truth as a word."""
    return "yes" if value else "no"


def counted(counts: object) -> str:
    """A map of numbers in one line."""
    if not isinstance(counts, Mapping) or not counts:
        return "none"
    return ", ".join(f"{name} {number}" for name, number in counts.items())


def clean(text: object, *, lines: bool = False) -> str:
    """Text that cannot move the cursor or colour the terminal: other nodes' words are printed too."""
    kept = "\n\t" if lines else ""
    return "".join(c if c in kept or (c.isprintable() or c == " ") else "\N{REPLACEMENT CHARACTER}" for c in str(text))


def for_json(value: Any, key: str = "") -> Any:
    """The value as JSON can carry it: bytes as hex, times as ISO 8601, no NaN; market time stays a number."""
    if isinstance(value, Mapping) and key == "market_time":
        return dict(value)
    if isinstance(value, Mapping):
        return {str(name): for_json(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [for_json(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if key in TIMES and type(value) is int:
        return iso(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)
