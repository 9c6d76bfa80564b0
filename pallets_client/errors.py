"""What can go wrong between this client and a chain node, by blame."""

# ruff: noqa: N818  # the names say what happened; "Error" would add nothing

from __future__ import annotations


class ChainError(Exception):
    """Base of everything this package raises about a chain node."""


class ChainUnreachable(ChainError):
    """No answer in time, or no connection: retry later; nothing is known about the request."""


class StaleHead(ChainUnreachable):
    """No endpoint has had a new block for long: nothing is signed on such a head."""


class EndpointsDisagree(ChainUnreachable):
    """Two endpoints finalized different blocks of one number: nothing is signed until they agree."""


class ChainMisbehaviour(ChainError):
    """The node answered something that no honest node of this chain would."""


class ChainRefused(ChainError):
    """The node understood the request and refused it.

    ``code`` is the JSON-RPC error code, ``reason`` the node's own words, cut to 300 characters.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} (code {code})")
        self.code = code
        self.reason = reason


class UnknownBlock(ChainError):
    """The node does not have this block (any more)."""


class CallMalformed(ChainError):
    """A call does not fit the metadata of the runtime it is meant for: our own bug or a newer runtime."""


class WriterClosed(ChainError):
    """The writer was closed before this call left; nothing was signed for it."""


class WriterBusy(ChainError):
    """Too many calls wait for this writer; nothing was signed for this one."""
