"""Channels as this node keeps them: one document each, the newest voucher in it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ainur_node.domain.channels.payee import Payee
from ainur_node.domain.channels.payer import Payer
from ainur_node.domain.channels.voucher import SessionKey, Voucher
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.ports import TaskStore

PAYING, EARNING = "channel_paying", "channel_earning"
MAX_KEPT = 512
"""Closed channels whose end a node still tells, per side; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Paying:
    """A channel that I pay into. ``salt`` names its session key; ``acked`` is the newest total the payee answered for.

    ``opening`` until its ``open`` is seen in a block; ``ended`` says how it was closed.
    """

    state: Payer
    payee: AccountId
    salt: bytes
    signer: SessionKey
    counter: int
    challenge: int
    newest: Voucher | None = None
    acked: Amount = ZERO
    opening: bool = True
    ended: str = ""
    paid: Amount = ZERO


@dataclass(frozen=True, slots=True)
class Earning:
    """A channel that pays me; ``peer`` sent its first voucher."""

    state: Payee
    peer: str
    steps: int = 0
    ended: str = ""
    paid: Amount = ZERO


def encode(record: Paying | Earning) -> str:
    """As a document; money stays an exact integer."""
    return msgspec.json.encode(record).decode()


def decode_paying(doc: str) -> Paying:
    """The record behind a document."""
    return msgspec.json.decode(doc, type=Paying)


def decode_earning(doc: str) -> Earning:
    """The record behind a document."""
    return msgspec.json.decode(doc, type=Earning)


async def trim(store: TaskStore, kind: str, decode: Callable[[str], Paying | Earning]) -> None:
    """Forget the oldest closed channels beyond what is kept; an open one is never forgotten."""
    closed = [key for key, doc in await store.docs(kind, 10_000) if decode(doc).ended]
    for key in closed[MAX_KEPT:]:
        await store.delete_doc(kind, key)
