"""What a node keeps about disputes: its cases, the secrets behind its nonces, its ballots, what it shows arbiters."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.court.arbiter import Ballot
from ainur_node.domain.court.docket import Docket
from ainur_node.domain.ids import EscrowId
from ainur_node.ports import Clock, TaskStore

CASE, NONCE, BALLOT, SHOWN, SCANNED = "court_case", "court_nonce", "court_ballot", "court_shown", "court_scanned"
ORDER, LEFT = "court_order", "court_left"
MAX_KEPT = 512
"""Cases that a node still tells of, and ballots; the oldest go first."""
MAX_SHOWN = 32
"""Blobs of one case that its arbiters may have."""


@dataclass(frozen=True, slots=True)
class Known:
    """A case and what this node is in it: payer, payee or arbiter."""

    escrow: str
    role: str


@dataclass(frozen=True, slots=True)
class Order:
    """A step into the court or out of it that is under way: its key at the ledger, and the stake it is about."""

    key: str
    stake: str


class CourtRecords:
    """Documents, each written before the call that rests on it leaves."""

    def __init__(self, store: TaskStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def note(self, case: bytes, escrow: EscrowId, role: str) -> None:
        """Remember a case; the oldest beyond what is kept are forgotten."""
        if await self._store.get_doc(CASE, case) is not None:
            return
        await self._put(CASE, case, Known(escrow.hex(), role))
        for key, _ in (await self._store.docs(CASE, 2 * MAX_KEPT))[MAX_KEPT:]:
            for kind in (CASE, NONCE, SHOWN):
                await self._store.delete_doc(kind, key)

    async def cases(self, limit: int) -> list[tuple[bytes, Known]]:
        """The newest cases first."""
        return [(key, msgspec.json.decode(doc, type=Known)) for key, doc in await self._store.docs(CASE, limit)]

    async def secret(self, case: bytes) -> bytes:
        """The secret behind my nonces in a case: made once, and on disk before anything is committed to."""
        doc = await self._store.get_doc(NONCE, case)
        if doc is not None:
            return bytes.fromhex(msgspec.json.decode(doc, type=str))
        made = self._clock.random(32)
        await self._put(NONCE, case, made.hex())
        return made

    async def ballot(self, docket: Docket) -> Ballot | None:
        """My vote in the draw that stands."""
        doc = await self._store.get_doc(BALLOT, _draw(docket))
        return msgspec.json.decode(doc, type=Ballot) if doc is not None else None

    async def cast(self, docket: Docket, ballot: Ballot) -> None:
        """Keep a vote; never in place of one that is committed."""
        await self._put(BALLOT, _draw(docket), ballot)
        for key, _ in (await self._store.docs(BALLOT, 2 * MAX_KEPT))[MAX_KEPT:]:
            await self._store.delete_doc(BALLOT, key)

    async def show(self, case: bytes, blobs: Sequence[bytes]) -> None:
        """Let arbiters of a case have these blobs."""
        known = await self.shown(case)
        both = list(dict.fromkeys([*known, *blobs]))[:MAX_SHOWN]
        await self._put(SHOWN, case, [each.hex() for each in both])

    async def shown(self, case: bytes) -> list[bytes]:
        """What arbiters of a case may have."""
        doc = await self._store.get_doc(SHOWN, case)
        return [bytes.fromhex(each) for each in msgspec.json.decode(doc, type=list[str])] if doc is not None else []

    async def scanned(self) -> int | None:
        """The last block whose seats are known here."""
        doc = await self._store.get_doc(SCANNED, bytes(32))
        return msgspec.json.decode(doc, type=int) if doc is not None else None

    async def note_scanned(self, block: int) -> None:
        """Seats up to a block are known."""
        await self._put(SCANNED, bytes(32), block)

    async def order(self, name: str, stake: int = 0) -> tuple[bytes, int]:
        """Key and stake of the open order of that name: another process asks for the same, and it happens once."""
        doc = await self._store.get_doc(ORDER, _named(name))
        if doc is not None:
            known = msgspec.json.decode(doc, type=Order)
            return bytes.fromhex(known.key), int(known.stake)
        key = self._clock.random(16)
        await self._put(ORDER, _named(name), Order(key.hex(), str(stake)))
        return key, stake

    async def ordered(self, name: str) -> bool:
        """Whether an order of that name is open."""
        return await self._store.get_doc(ORDER, _named(name)) is not None

    async def end_order(self, name: str) -> None:
        """The order has ended, one way or the other: the next is another one."""
        await self._store.delete_doc(ORDER, _named(name))

    async def left(self) -> bool:
        """Whether a person told this node to leave the court, and none to join it since."""
        return await self._store.get_doc(LEFT, bytes(32)) is not None

    async def note_left(self, *, left: bool) -> None:
        """Keep what a person said: the configuration alone does not bring an arbiter back that left."""
        if left:
            await self._put(LEFT, bytes(32), True)
        else:
            await self._store.delete_doc(LEFT, bytes(32))

    async def _put(self, kind: str, key: bytes, value: object) -> None:
        await self._store.put_doc(kind, key, msgspec.json.encode(value).decode())


def _named(name: str) -> bytes:
    return content_hash(name.encode())


def _draw(docket: Docket) -> bytes:
    """A repeated draw needs another salt: the first one may be known by then."""
    return content_hash(docket.case + bytes([docket.round, docket.redrawn]))
