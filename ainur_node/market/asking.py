"""Parameters of local questions: hex ids, money, names; Refuse says which one is wrong and how to write it."""

from collections.abc import Mapping
from typing import Any, NoReturn

from ainur_node.domain.money import MAX_BUDGET, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.rpc.messages import ExitCode, Refuse

Params = Mapping[str, Any]


def refuse(rejection: Rejection, exit_code: int = ExitCode.REFUSED) -> NoReturn:
    """Raise a domain refusal for the command line."""
    raise Refuse(rejection.code, rejection.hint, exit_code, dict(rejection.details))


def text(params: Params, name: str, most: int = 256, default: str | None = None) -> str:
    """A text parameter."""
    value = params.get(name, default)
    if not isinstance(value, str) or len(value) > most:
        raise Refuse("bad_parameter", f"{name} must be a text of at most {most} characters", ExitCode.USAGE)
    return value


def blob(params: Params, name: str, most: int) -> bytes:
    """A bytes parameter."""
    value = params.get(name)
    if not isinstance(value, bytes):
        raise Refuse("bad_parameter", f"{name} must be bytes", ExitCode.USAGE)
    if len(value) > most:
        raise Refuse("too_large", f"{name} has {len(value):,} bytes; at most {most:,} are allowed")
    return value


def id32(params: Params, name: str) -> bytes:
    """A 32-byte id as hex or bytes."""
    value = params.get(name)
    if isinstance(value, str):
        try:
            value = bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            value = None
    if not isinstance(value, bytes) or len(value) != 32:
        raise Refuse("bad_id", f"{name} must be 64 hexadecimal digits", ExitCode.USAGE)
    return value


def whole(params: Params, name: str, least: int, most: int, default: int | None = None) -> int:
    """A whole number within bounds."""
    value = params.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise Refuse("bad_parameter", f"{name} must be a whole number from {least} to {most}", ExitCode.USAGE)
    return value


def planck(params: Params, name: str) -> Amount:
    """Money as a decimal string of planck."""
    value = params.get(name)
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 40:
        raise Refuse("bad_amount", f"{name} must be whole planck as a decimal string", ExitCode.USAGE)
    if int(value) > MAX_BUDGET:
        raise Refuse("bad_amount", f"{name} is above the largest amount", ExitCode.USAGE)
    return Amount(int(value))
