"""What the node and its local clients say to each other: one msgpack map per frame, read with suspicion."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import msgspec

from ainur_node.errors import Misbehaviour

VERSION = 1
MAX_METHOD = 64
MAX_ID = 2**53
"""Ids stay exact in every language that may speak this protocol."""
MAX_CREDIT = 1024
"""Items that may be under way in one stream before its reader says that it has read some."""
NOBODY = 0
"""The id of an error that concerns the whole connection, not one request."""


class ExitCode(IntEnum):
    """How a command ends for the shell; the contract of the command line."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    CONFIGURATION = 4
    NOT_VERIFIED = 5
    BUG = 70


class Refuse(Exception):  # noqa: N818 — an answer, not an error of ours
    """A handler says no: stable code, hint for people, exit code of the command line, details for programs."""

    def __init__(
        self, code: str, hint: str, exit_code: int = ExitCode.REFUSED, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {hint}")
        self.code = code
        self.hint = hint
        self.exit_code = int(exit_code)
        self.details = dict(details or {})


@dataclass(frozen=True, slots=True)
class Then:
    """A handler's answer with something to do once it is on its way, such as stopping the node."""

    result: dict[str, Any]
    action: Callable[[], None]


Params = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[Params], Awaitable[dict[str, Any] | Then]]
StreamHandler = Callable[[Params, Send], Awaitable[None]]
"""Calls ``send`` for each item and returns at the end; ``send`` waits while the reader is behind."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal or a fault as it travels."""

    code: str
    hint: str
    exit: int = ExitCode.REFUSED
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hello:
    """First word of both sides: the version they speak."""

    version: int


@dataclass(frozen=True, slots=True)
class Request:
    """Do this; ``credit`` is how many items of a stream may be under way."""

    id: int
    method: str
    params: Params
    credit: int = 64


@dataclass(frozen=True, slots=True)
class Cancel:
    """The asker lost interest."""

    id: int


@dataclass(frozen=True, slots=True)
class Credit:
    """The reader of a stream has read ``more`` items."""

    id: int
    more: int


@dataclass(frozen=True, slots=True)
class Result:
    """The one answer of a request."""

    id: int
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """The request ended without an answer."""

    id: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class Item:
    """One of a stream."""

    id: int
    item: dict[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """The stream is over."""

    id: int


FromClient = Hello | Request | Cancel | Credit
FromServer = Hello | Result | Failure | Item | End

_decoder = msgspec.msgpack.Decoder(dict[str, Any])
_encoder = msgspec.msgpack.Encoder()


def encode(message: FromClient | FromServer) -> bytes:
    """The map of a message; TypeError or OverflowError for values that msgpack cannot carry."""
    return _encoder.encode(_as_map(message))


def _as_map(message: FromClient | FromServer) -> dict[str, Any]:
    match message:
        case Hello(version):
            return {"v": version}
        case Request(ident, method, params, credit):
            return {"id": ident, "method": method, "params": params, "credit": credit}
        case Cancel(ident):
            return {"cancel": ident}
        case Credit(ident, more):
            return {"credit": ident, "more": more}
        case Result(ident, result):
            return {"id": ident, "result": result}
        case Failure(ident, problem):
            error = {"code": problem.code, "hint": problem.hint, "exit": problem.exit, "details": problem.details}
            return {"id": ident, "error": error}
        case Item(ident, item):
            return {"id": ident, "item": item}
        case End(ident):
            return {"id": ident, "end": True}


def decode_from_client(body: bytes) -> FromClient:
    """A client's message; Misbehaviour for anything else."""
    record = _map_of(body)
    keys = record.keys()
    if keys == {"v"}:
        return Hello(_whole(record, "v", MAX_ID))
    if keys == {"cancel"}:
        return Cancel(_whole(record, "cancel", MAX_ID))
    if keys == {"credit", "more"}:
        return Credit(_whole(record, "credit", MAX_ID), _whole(record, "more", MAX_CREDIT))
    if {"id", "method"} <= keys <= {"id", "method", "params", "credit"}:
        method = record["method"]
        if type(method) is not str or not 0 < len(method) <= MAX_METHOD:
            raise Misbehaviour("the method of a request is a short text")
        credit = _whole(record, "credit", MAX_CREDIT) if "credit" in record else 64
        return Request(_whole(record, "id", MAX_ID), method, _mapping(record.get("params", {}), "params"), credit)
    raise Misbehaviour("neither a request nor a cancel nor credit")


def decode_from_server(body: bytes) -> FromServer:
    """A node's message; Misbehaviour for anything else."""
    record = _map_of(body)
    keys = record.keys()
    if keys == {"v"}:
        return Hello(_whole(record, "v", MAX_ID))
    if keys == {"id", "result"}:
        return Result(_whole(record, "id", MAX_ID), _mapping(record["result"], "result"))
    if keys == {"id", "item"}:
        return Item(_whole(record, "id", MAX_ID), _mapping(record["item"], "item"))
    if keys == {"id", "end"}:
        return End(_whole(record, "id", MAX_ID))
    if keys == {"id", "error"}:
        return Failure(_whole(record, "id", MAX_ID), _problem(_mapping(record["error"], "error")))
    raise Misbehaviour("neither a result nor an item nor an end nor an error")


def _map_of(body: bytes) -> dict[str, Any]:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise Misbehaviour(f"not a msgpack map: {exc}") from exc


def _whole(record: Mapping[str, Any], key: str, most: int) -> int:
    value = record[key]
    if type(value) is not int or not 0 <= value <= most:
        raise Misbehaviour(f"{key} is a whole number from 0 to {most}")
    return value


def _mapping(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(type(key) is str for key in value):
        raise Misbehaviour(f"{name} is a map with texts as keys")
    return value


def _problem(error: dict[str, Any]) -> Problem:
    code, hint, exit_code = error.get("code"), error.get("hint", ""), error.get("exit", 1)
    if type(code) is not str or type(hint) is not str or type(exit_code) is not int or not 0 <= exit_code <= 255:
        raise Misbehaviour("an error has a code, a hint and an exit code")
    return Problem(code, hint, exit_code, _mapping(error.get("details", {}), "details"))
