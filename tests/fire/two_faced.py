"""Agents that do what they should until a certain task comes, and the packages that hold them."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sandbox_modules import wat


@dataclass(frozen=True, slots=True)
class Face:
    """What an agent does on a task {"do": letter…}, and the code with which its provider declines; none: it is paid."""

    name: str
    letter: str
    code: str
    wat: str


_LOOP = "(loop $again {} (br $again))"
_SAY = "(call $print (i32.const 1) (i32.const {at}) (i32.const {size}))"
GOOD, WRONG_TYPE, WORDS, TOO_LONG = (
    b'{"did":"ok"}',
    b'{"did":7}',
    b"as you wish, master",
    b'{"did":"' + b"x" * 80 + b'"}',
)
NOT_UTF8, MORE, NAN = b'{"did":"\xff\xfe"}', b'{"did":"ok","more":1}', b'{"did":NaN}'
_AT = 4096
_TEXTS = (GOOD, WRONG_TYPE, WORDS, TOO_LONG, NOT_UTF8, MORE, NAN)


def _say(text: bytes) -> str:
    return _SAY.format(at=_AT + 256 * _TEXTS.index(text), size=len(text))


def _filled(byte: int) -> str:
    """60,000 times the same byte."""
    return f"(memory.fill (i32.const 65536) (i32.const {byte}) (i32.const 60000))" + _SAY.format(at=65536, size=60000)


_GROW = "(loop $grow (br_if $grow (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))"
FACES = (
    Face("endless loop", "a", "exit_out_of_fuel", _LOOP.format("")),
    Face("recursion without end", "b", "exit_stack_overflow", "(call $deep)"),
    Face(
        "memory to the limit, and on",
        "c",
        "exit_out_of_fuel",
        _GROW + _LOOP.format("(drop (memory.grow (i32.const 1)))"),
    ),
    Face(
        "memory to the limit, then its end",
        "d",
        "exit_trap",
        _GROW + "(i32.store (i32.shl (memory.size) (i32.const 16)) (i32.const 1))",
    ),
    Face(
        "table past its limit",
        "e",
        "exit_trap",
        "(drop (table.grow $t (ref.null func) (i32.const 20000))) (drop (table.get $t (i32.const 15000)))",
    ),
    Face(
        "table to its limit, and on",
        "f",
        "exit_out_of_fuel",
        _LOOP.format("(drop (table.grow $t (ref.null func) (i32.const 100)))"),
    ),
    Face("output flood", "g", "exit_output_limit", _LOOP.format(_SAY.format(at=65536, size=60000))),
    Face(
        "log flood",
        "h",
        "exit_out_of_fuel",
        _LOOP.format("(call $print (i32.const 2) (i32.const 65536) (i32.const 60000))"),
    ),
    Face("words instead of JSON", "i", "output_schema", _say(WORDS)),
    Face("no output", "j", "output_schema", ""),
    Face("output of a wrong type", "k", "output_schema", _say(WRONG_TYPE)),
    Face("a text that is too long", "l", "output_schema", _say(TOO_LONG)),
    Face("one member more", "m", "output_schema", _say(MORE)),
    Face("half a character", "n", "output_schema", _say(NOT_UTF8)),
    Face("a number that is none", "p", "output_schema", _say(NAN)),
    Face("60,000 opening brackets", "q", "output_schema", _filled(0x5B)),
    Face("a number of 60,000 digits", "r", "output_schema", _filled(0x39)),
    Face("a result, then a trap", "s", "exit_trap", _say(GOOD) + "(unreachable)"),
    Face("a result, then exit code 7", "t", "exit_nonzero", _say(GOOD) + "(call $exit (i32.const 7))"),
    Face("a result, then an endless loop", "u", "exit_out_of_fuel", _say(GOOD) + _LOOP.format("")),
    Face(
        "asks to sleep for ever",
        "v",
        "exit_out_of_fuel",
        _LOOP.format("(drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192)))"),
    ),
    Face(
        "waits for the clock",
        "w",
        "exit_out_of_fuel",
        _LOOP.format("(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 96)))"),
    ),
    Face(
        "reads files that are not there",
        "x",
        "exit_out_of_fuel",
        _LOOP.format("(drop (call $read (i32.const 3) (i32.const 0) (i32.const 1) (i32.const -1)))"),
    ),
    Face(
        "a result out of chance and time",
        "z",
        "",
        """(drop (call $random (i32.const 96) (i32.const 8)))
        (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 104)))
        (i32.store8 (i32.const 4104) (i32.add (i32.const 97) (i32.and (i32.load (i32.const 96)) (i32.const 15))))
        (i32.store8 (i32.const 4105) (i32.add (i32.const 97) (i32.and (i32.load (i32.const 104)) (i32.const 15))))"""
        + _say(GOOD),
    ),
)
# Only the wall clock ends these: more fuel than time.
SLOW_FACES = (Face("a loop longer than its time", "c", "exit_deadline", ""),)

_IMPORTS = """
(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))"""


def _quoted(text: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in text)


def two_faced(unless: str = "o") -> bytes:
    """An agent that answers GOOD to whatever begins with ``unless``, and shows the face of every other letter."""
    texts = "".join(f'(data (i32.const {_AT + 256 * n}) "{_quoted(t)}")' for n, t in enumerate(_TEXTS))
    cases = "".join(
        f"(if (i32.eq (local.get $do) (i32.const {ord(face.letter)})) (then {face.wat} (return)))" for face in FACES
    )
    code = f"""(local $do i32)
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 2000))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $do (i32.load8_u (i32.const {64 + len('{"do":"')})))
        (if (i32.eq (local.get $do) (i32.const {ord(unless)})) (then {_say(GOOD)} (return)))
        {cases} {_say(GOOD)}"""
    memory = f'(memory (export "memory") 3) (table $t 1 funcref) {texts} (func $deep (call $deep))'
    return wat(code, memory=memory, imports=_IMPORTS)


def honest() -> bytes:
    """An agent that always answers GOOD."""
    data = f'(memory (export "memory") 1) (data (i32.const {_AT}) "{_quoted(GOOD)}")'
    return wat(_say(GOOD), memory=data)


def package(name: str, wasm: bytes, *, capability: str = "", fuel: int = 200_000_000, **changes: Any) -> bytes:
    """A manifest for a module that takes {"do": text} and gives {"did": text}; ``changes`` replace its keys."""
    manifest = {
        "manifest": 1,
        "name": name,
        "version": "1.0.0",
        "capability": capability or name,
        "description": "does what it is told",
        "class": "deterministic",
        "module": {"file": f"{name}.wasm", "sha256": hashlib.sha256(wasm).hexdigest(), "size": len(wasm)},
        "input": {"media_type": "application/json", "schema": TAKES},
        "output": {"schema": GIVES},
        "limits": {"fuel": fuel, "memory": 64 << 20, "output": 65_536},
        "royalty_bps": 0,
        **changes,
    }
    return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()


def _shape(name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "maxLength": 64}},
        "required": [name],
        "additionalProperties": False,
        **more,
    }


TAKES = _shape("do", examples=[{"do": "only what you should"}])
GIVES = _shape("did")
