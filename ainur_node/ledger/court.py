"""ports.CourtBook on pallets_client: disputes, panels and arbiters, each call at most once under its natural id."""

from collections.abc import Callable, Sequence
from typing import Any

from ainur_node.domain.court import docket as d
from ainur_node.domain.court.docket import Decision, Docket, Role, Seat
from ainur_node.domain.court.nonces import case_id
from ainur_node.domain.ids import AccountId, AuctionId, EscrowId, NodeKey
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.ledger.account_view import AccountView
from ainur_node.ledger.calls import Caller
from ainur_node.ledger.chain_reads import refusal_of
from ainur_node.ledger.intents import Intents
from ainur_node.ledger.watch import ChainWatch
from ainur_node.ports.court import ArbiterRecord, Bench, CourtTerms, Done
from ainur_node.ports.price import Price
from pallets_client.pallets import court, did, escrow
from pallets_client.records import Call, Included

_ZERO = bytes(32)
_LARGE = 2**90
SCANNED_AT_ONCE = 256
"""Blocks whose events are read for seats in one go."""
_POKES: dict[str, Callable[[bytes], Call]] = {
    "draw": court.draw,
    "tally": court.tally,
    "execute": court.execute,
    "appeal": court.appeal,
}
_SAMPLES = {
    "dispute": escrow.dispute(_ZERO, 0, 0, _ZERO),
    "respond": court.respond(_ZERO, [_ZERO], _ZERO),
    "plead": court.plead(_ZERO, [_ZERO], _ZERO),
    "submit_evidence": court.submit_evidence(_ZERO, _ZERO),
    "appeal": court.appeal(_ZERO),
    "commit_vote": court.commit_vote(_ZERO, _ZERO),
    "reveal_vote": court.reveal_vote(_ZERO, court.Revealed(_ZERO, True, 1), _ZERO),  # a record's field
    "denounce_vote": court.denounce_vote(_ZERO, _ZERO, court.Revealed(_ZERO, True, 1), _ZERO),
    "join_arbiters": court.join_arbiters(_LARGE),
    "leave_arbiters": court.leave_arbiters(),
    "withdraw_arbiter": court.withdraw_arbiter(),
}
"""Calls as large as the real ones, to ask for fees."""


class ChainCourt(AccountView):
    """The court as this node's account sees it."""

    def __init__(self, client: Any, caller: Caller, orders: Intents, watch: ChainWatch, account: bytes) -> None:
        """``orders``: what people ask for; what follows from the state of a case needs no memory but the chain's."""
        super().__init__(client, caller, watch, account)
        self._orders = orders

    async def sealed_now(self) -> int:
        """Market time of the best block."""
        return await self._read(self._client.market_now)

    async def height(self) -> int:
        """Number of the best block."""
        return self._watch.height

    async def wait_block(self, after: int, seconds: float) -> None:
        """Until a block above ``after`` was seen, or so many seconds went by."""
        await self._watch.wait_height(after, seconds)

    async def docket(self, escrow_id: EscrowId) -> Docket | None:
        """The dispute of an escrow: all of it read at one block."""
        return await self._read(self._docket, escrow_id)

    def _docket(self, escrow_id: EscrowId) -> Docket | None:
        at = self._client.head().hash
        found = self._client.escrow(escrow_id, at)
        if found is None:
            return None
        disputed = found.state if isinstance(found.state, escrow.Disputed) else None
        case = disputed.case if disputed is not None else case_id(self.genesis, escrow_id, 0)
        record = self._client.case(case, at) if any(case) else None
        if disputed is None and record is None:
            return None
        base = _base(escrow_id, found, disputed)
        if record is None:
            params = self._client.params(at)
            since = self._client.link.storage(court.PALLET, "Sitting", at=at)
            arbiters = self._client.link.storage(court.PALLET, "SlotCount", at=at) or 0
            opened = disputed.at if disputed is not None else 0
            sat = since is not None and since <= opened
            return _with_case(base, None, d.Unanswered(opened + params.dispute_answer, sat, arbiters > 0), None)
        panel = self._client.panel(case, record.round, at)
        phase = _phase(record) if disputed is not None else d.Closed()
        return _with_case(base, (case, record), phase, panel)

    async def escrow_of(self, case: bytes) -> EscrowId | None:
        """The escrow that a case is about."""
        found = await self._read(self._client.case, case)
        return None if found is None else EscrowId(found.escrow)

    async def bench(self, case: bytes, round_: int) -> Bench | None:
        """The panel of a round."""
        found = await self._read(self._client.panel, case, round_)
        return None if found is None else Bench(round_, _seats(found))

    async def seated_in(self, first: int, last: int) -> list[tuple[EscrowId, bytes]]:
        """What the chain's events say of seats of this account."""
        return await self._read(self._seated_in, first, last)

    def _seated_in(self, first: int, last: int) -> list[tuple[EscrowId, bytes]]:
        cases: dict[bytes, None] = {}
        for number in range(first, min(last, first + SCANNED_AT_ONCE) + 1):
            for event in self._client.events(self._client.block(number).hash):
                seated = (event.pallet, event.name) == (court.PALLET, "Seated")
                if seated and event.fields["arbiter"] == self.account:
                    cases[event.fields["case"]] = None
        records = [(case, self._client.case(case)) for case in cases]
        return [(EscrowId(record.escrow), case) for case, record in records if record is not None]

    async def arbiter(self, account: AccountId) -> ArbiterRecord | None:
        """An arbiter."""
        found = await self._read(self._client.arbiter, account)
        if found is None:
            return None
        return ArbiterRecord(Amount(found.stake), Amount(found.locked), found.units, found.leaving)

    async def terms(self) -> CourtTerms:
        """What this world's court costs."""
        p = await self._read(self._client.params)
        return CourtTerms(Amount(p.stake_unit), Amount(p.seat_fee), p.dispute_answer, p.court_appeal, p.court_commit)

    async def price(self, calls: Sequence[str]) -> Price:
        """What calls would cost now, with the node key's if joining has to bind it first."""
        samples = [_SAMPLES[call] for call in calls]
        if "join_arbiters" in calls and await self._read(self._client.did, self.account) is None:
            samples.insert(0, did.create(_ZERO, bytes(64)))  # the node key, by which parties know an arbiter
        return await self._price_of(*samples)

    async def node_key(self, account: AccountId) -> NodeKey | None:
        """The node key that is bound to an account, or was last: who gives up an identity answers for its receipts."""
        found = await self._read(self._client.did, account)
        return NodeKey(found.node_key) if found is not None else None

    async def account_of(self, node_key: NodeKey) -> AccountId | None:
        """The account that a node key is bound to."""
        found = await self._read(self._client.node_key_owner, node_key)
        return None if found is None else AccountId(found)

    # --- calls ----------------------------------------------------------------------------------------------------

    async def respond(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done | Rejection:
        """Answer a dispute."""
        return await self._send(court.respond(docket.escrow, exhibits, head), docket.escrow)

    async def plead(self, docket: Docket, exhibits: Sequence[bytes], head: bytes) -> Done | Rejection:
        """Plead."""
        return await self._send(court.plead(docket.case, exhibits, head), docket.case)

    async def submit_evidence(self, docket: Docket, exhibit: bytes) -> Done | Rejection:
        """Add a hash to the own evidence."""
        return await self._send(court.submit_evidence(docket.case, exhibit), docket.case, exhibit)

    async def open_nonce(self, docket: Docket, link: bytes) -> Done | Rejection:
        """Open the next link."""
        return await self._send(court.open_nonce(docket.case, link), docket.case, link)

    async def poke(self, docket: Docket, call: str) -> Done | Rejection:
        """What moves a case on."""
        if call == "default_ruling":
            return await self._send(court.default_ruling(docket.escrow), docket.escrow)
        return await self._send(_POKES[call](docket.case), *_turn(docket))

    async def commit_vote(self, docket: Docket, commit: bytes) -> Done | Rejection:
        """Commit to a vote."""
        return await self._send(court.commit_vote(docket.case, commit), *_turn(docket))

    async def reveal_vote(self, docket: Docket, vote: tuple[bytes, bool, int], salt: bytes) -> Done | Rejection:
        """Open the own vote."""
        output, holds, payee_bps = vote
        opening = court.Revealed(output, holds, payee_bps)
        return await self._send(court.reveal_vote(docket.case, opening, salt), *_turn(docket))

    async def denounce_vote(
        self, docket: Docket, arbiter: AccountId, vote: tuple[bytes, bool, int], salt: bytes
    ) -> Done | Rejection:
        """Show a leaked vote."""
        output, holds, payee_bps = vote
        opening = court.Revealed(output, holds, payee_bps)
        return await self._send(court.denounce_vote(docket.case, arbiter, opening, salt), *_turn(docket), arbiter)

    async def join(self, stake: Amount, key: bytes) -> Done | Rejection:
        """Become an arbiter or add to the stake."""
        return await self._order(court.join_arbiters(stake), key)

    async def knows_join(self, key: bytes) -> bool:
        """Whether such a join was ordered before, and is under way or done."""
        return await self._orders.knows(court.join_arbiters(ZERO), key)

    async def leave(self, key: bytes) -> Done | Rejection:
        """Be drawn no more."""
        return await self._order(court.leave_arbiters(), key)

    async def withdraw(self, key: bytes) -> Done | Rejection:
        """Have the stake back."""
        return await self._order(court.withdraw_arbiter(), key)

    async def _order(self, call: Call, key: bytes) -> Done | Rejection:
        """A call that nothing on chain would keep from happening twice."""
        told = await self._orders.carry_out(call, key)
        if isinstance(told, Rejection):
            return told
        # An earlier process may have seen it end: then only the row of the outbox says where, "included in block N".
        number = told.get("block") or str(told.get("state", "0")).rsplit(" ", 1)[-1]
        return Done(int(number), Amount(int(told.get("fee", 0))))

    async def _send(self, call: Call, *natural_id: bytes) -> Done | Rejection:
        outcome = await self._caller.send(call, *natural_id)
        if isinstance(outcome, Included):
            return Done(outcome.block_number, Amount(outcome.fee))
        return Rejection(*refusal_of(outcome))


def _turn(docket: Docket) -> tuple[bytes, bytes]:
    """What makes a call of one draw another than that of the next."""
    return docket.case, bytes([docket.round, docket.redrawn])


def _base(escrow_id: EscrowId, found: Any, disputed: escrow.Disputed | None) -> dict[str, Any]:
    return {
        "escrow": escrow_id,
        "auction": AuctionId(found.source),
        "payer": AccountId(found.payer),
        "payee": AccountId(found.payee),
        "module": found.module,
        "terms": found.terms,
        "awarded_at": found.awarded_at,
        "price": Amount(found.amount),
        "ground": disputed.ground if disputed is not None else 0,
        "delivery": disputed.delivery if disputed is not None else b"",
        "until": disputed.until if disputed is not None else 0,
    }


def _with_case(
    base: dict[str, Any], opened: tuple[bytes, court.Case] | None, phase: d.Phase, panel: court.Panel | None
) -> Docket:
    if opened is None:
        return Docket(**base, case=b"", milestone=0, phase=phase)
    case, c = opened
    ruling = c.ruling
    return Docket(
        **{**base, "price": Amount(c.price), "ground": c.ground},
        case=case,
        milestone=c.milestone,
        phase=phase,
        replay=c.replay,
        round=c.round,
        redrawn=c.redrawn,
        nonces=(c.payer.nonce, c.payee.nonce),
        exhibits=(c.payer.exhibits, c.payee.exhibits),
        panel=() if panel is None else _seats(panel),
        decision=None if ruling is None else Decision(ruling.payee_bps, ruling.output, ruling.holds),
        appeals=tuple((Role(int(each.by)), Amount(each.bond)) for each in c.appeals),
        unit=ZERO if panel is None else Amount(panel.unit),
    )


def _phase(case: court.Case) -> d.Phase:
    match case.phase:
        case court.Pleading(ends=ends):
            return d.Pleading(ends)
        case court.Seeding(block=block, ends=ends):
            sides = {Role.PAYER: case.payer, Role.PAYEE: case.payee}
            return d.Seeding(block, ends, frozenset(role for role, side in sides.items() if side.opened))
        case court.Voting(commit_end=commit_end, reveal_end=reveal_end):
            return d.Voting(commit_end, reveal_end)
        case court.Ruled(ends=ends, appealable=appealable):
            return d.Ruled(ends, appealable)
        case court.Closed():
            return d.Closed()


def _seats(panel: court.Panel) -> tuple[Seat, ...]:
    return tuple(_seat(seat) for seat in panel.seats)


def _seat(seat: court.Seat) -> Seat:
    who = AccountId(seat.arbiter)
    match seat.vote:
        case court.Committed(commit=commit):
            return Seat(who, seat.seats, "committed", commit)
        case court.Revealed(output=output, holds=holds, payee_bps=payee_bps):
            return Seat(who, seat.seats, "revealed", b"", output, holds, payee_bps)
        case court.Denounced():
            return Seat(who, seat.seats, "denounced")
        case court.Waiting():
            return Seat(who, seat.seats)
