"""Orders with a key: what to type again when nobody knows whether the first one went through."""

from collections.abc import Iterator
from contextlib import contextmanager

from ainur_node.rpc.client import Refused, Unreachable
from ainur_node.rpc.messages import ExitCode


@contextmanager
def once(key: str) -> Iterator[None]:
    """Add the way to ask for the same order again to every end that leaves it open."""
    again = f"the order may be under way: type the same with --key {key}, and it happens once"
    try:
        yield
    except Unreachable as away:
        raise Unreachable(str(away), hint=f"{away.hint}; {again}", code=away.code) from away
    except Refused as no:
        if no.exit_code != ExitCode.UNREACHABLE:
            raise
        raise Refused(no.code, f"{no.hint}; {again}", no.exit_code, no.details) from no
