"""What people type, as values: amounts, durations, ids, files; everything else is refused with a sentence."""

import argparse
import os
import re
import stat
import sys
from pathlib import Path

from ainur_node.cli.command import Usage, as_path
from ainur_node.domain.manifest import MAX_MANIFEST, MAX_MODULE
from ainur_node.domain.money import parse_ain

MAX_INPUT = 1 << 20
"""Bytes of a task's input that nodes take."""
MIN_DEADLINE_MS, MAX_DEADLINE_MS = 1_000, 3_600_000
MAX_DURATION_MS = 24 * 3_600_000
MAX_KEY = 64

_DURATION = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?(ms|s|m|h)?", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]{6,64})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", re.ASCII)


def amount(text: str) -> str:
    """Decimal AIN as a planck string."""
    try:
        return str(parse_ain(text))
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def milliseconds(text: str) -> int:
    """A duration such as ``30s``, ``1500ms``, ``2m`` or ``1h`` in whole milliseconds; a bare number is seconds."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a duration: write 30s, 1500ms, 2m or 1h")
    whole, fraction, unit = match.group(1), match.group(2) or "", _UNIT_MS[match.group(3) or "s"]
    found = int(whole) * unit + int(fraction.ljust(3, "0")) * unit // 1000
    if not 0 < found <= MAX_DURATION_MS:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a duration between 1ms and 24h")
    return found


def deadline(text: str) -> int:
    """A duration that nodes take as a deadline."""
    found = milliseconds(text)
    if not MIN_DEADLINE_MS <= found <= MAX_DEADLINE_MS:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a deadline between 1s and 1h")
    return found


def identifier(text: str) -> str:
    """64 hex digits, or at least the first 6, in small letters."""
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is not an id: 64 hex digits, or at least the first 6 of them")
    return match.group(1).lower()


def digest(text: str) -> str:
    """All 64 hex digits of 32 bytes, in small letters."""
    if re.fullmatch(r"(?:0x)?[0-9a-fA-F]{64}", text.strip(), re.ASCII) is None:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is not 32 bytes: all 64 hex digits are needed")
    return text.strip().removeprefix("0x").lower()


def name(text: str) -> str:
    """A short name of a capability, node or agent."""
    if _NAME.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not a name: letters, digits, '.', '_', '/' and '-', at most 64"
        )
    return text


def node_name(text: str) -> str:
    """What a node may call itself."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", text, re.ASCII) is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a name: letters, digits, '.', '_' and '-', at most 32")
    return text


def key(text: str) -> str:
    """A word that stands for one submission, however often it is typed."""
    if not 0 < len(text) <= MAX_KEY or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a key: 1 to {MAX_KEY} printable characters")
    return text


def whole(least: int, most: int) -> "Whole":
    """A whole number between two bounds."""
    return Whole(least, most)


class Whole:
    """A whole number between two bounds, both included."""

    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    def __call__(self, text: str) -> int:
        """The number; refuses everything else."""
        found = int(text) if re.fullmatch(r"\d{1,18}", text.strip(), re.ASCII) else -1
        if not self._least <= found <= self._most:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from {self._least} to {self._most}")
        return found


def read_file(text: str, option: str, limit: int) -> bytes:
    """The bytes of a file, or of stdin for ``-``; never more than ``limit``; Usage says what is wrong with it."""
    if text == "-":
        data = sys.stdin.buffer.read(limit + 1)
        return _within(data, "stdin", limit)
    path = as_path(text, option)
    try:
        # Not blocking: a pipe without a writer must not hold the command for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise Usage(f"{option} {text}: this is a directory", hint="name a file in it")
            os.set_blocking(descriptor, True)
            data = file.read(limit + 1)
    except FileNotFoundError as exc:
        raise Usage(f"{option} {text}: there is no such file", hint="check the path, or use - for stdin") from exc
    except IsADirectoryError as exc:
        raise Usage(f"{option} {text}: this is a directory", hint="name a file in it") from exc
    except (OSError, ValueError) as exc:
        raise Usage(f"{option} {text}: {getattr(exc, 'strerror', None) or exc}") from exc
    return _within(data, text, limit)


def _within(data: bytes, what: str, limit: int) -> bytes:
    if len(data) > limit:
        raise Usage(f"{what} has more than {limit:,} bytes", hint="give a smaller file")
    return data


def check_writable(text: str, option: str) -> None:
    """Usage when a file surely cannot be written, before anything is done that costs money."""
    if text == "-":
        return
    path = as_path(text, option)
    if path.is_dir():
        raise Usage(f"{option} {text}: this is a directory", hint="name a file in it")
    if not path.parent.is_dir():
        raise Usage(f"{option} {text}: there is no directory {path.parent}", hint="make it, or name another file")
    there = path.exists()
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644))
    except OSError as exc:
        raise Usage(f"{option} {text}: {exc.strerror}", hint="name a file in a directory of yours") from exc
    if not there:
        path.unlink(missing_ok=True)


def write_file(text: str, option: str, data: bytes) -> None:
    """Write bytes to a file, or to stdout for ``-``; Usage when it cannot be."""
    if text == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    path = as_path(text, option)
    try:
        path.write_bytes(data)
    except (OSError, ValueError) as exc:
        raise Usage(f"{option} {text}: {getattr(exc, 'strerror', None) or exc}") from exc


def read_package(text: str) -> tuple[bytes, bytes, Path]:
    """Manifest and module of a package directory, and the module's path; Usage says what is missing."""
    import json

    directory = as_path(text, "DIR")
    if not directory.is_dir():
        raise Usage(f"{text}: this is no directory", hint="name the directory that holds manifest.json")
    if not (directory / "manifest.json").exists():
        raise Usage(f"{text} holds no manifest.json", hint="name the directory of a package, like agents/text-summary")
    manifest = read_file(str(directory / "manifest.json"), "DIR", MAX_MANIFEST)
    try:
        file = json.loads(manifest)["module"]["file"]
    except (ValueError, TypeError, LookupError, RecursionError) as exc:
        raise Usage(f"{directory}/manifest.json names no module.file", hint="see docs/protocol.md, packages") from exc
    if not isinstance(file, str) or not file or "/" in file or file in (".", "..") or "\0" in file:
        raise Usage("module.file of the manifest is a plain file name beside it")
    path = directory / file
    return manifest, read_module(str(path), "DIR"), path


def read_module(text: str, option: str) -> bytes:
    """The bytes of a module; Usage names the limit that nodes have, too."""
    return read_file(text, option, MAX_MODULE)


def address(text: str) -> str:
    """An account as 64 hex digits, from those or from its address, whose checksum must hold."""
    if re.fullmatch(r"(?:0x)?[0-9a-fA-F]{64}", text, re.ASCII):
        return text.removeprefix("0x").lower()
    from pallets_client.keys import BadAddress, ss58_decode

    try:
        return ss58_decode(text).hex()
    except BadAddress as exc:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is neither an address nor 64 hex digits: {exc}") from exc
