"""The desk for disputes: open, show evidence, vote, appeal, and who judges."""

from typing import Any

from ainur_node.domain.court.arbiter import ALL, Ballot
from ainur_node.domain.court.docket import (
    LAST_ROUND,
    ROUND_SEATS,
    Closed,
    Docket,
    Pleading,
    Role,
    Ruled,
    Seat,
    Seeding,
    Unanswered,
    Voting,
)
from ainur_node.domain.court.nonces import case_id
from ainur_node.domain.ids import EscrowId
from ainur_node.domain.money import ZERO, Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.market.asking import Params, blob, id32, planck, refuse, whole
from ainur_node.market.court_arbitrating import Arbitrating
from ainur_node.market.court_evidence import MAX_EXHIBIT, Evidence
from ainur_node.market.court_joining import Joining
from ainur_node.market.court_judging import Judging
from ainur_node.market.court_parties import Parties
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.finding import own_task
from ainur_node.ports import ChainEscrow, Clock, Ledger, TaskStore
from ainur_node.ports.court import CourtBook, Done
from ainur_node.rpc.messages import ExitCode, Refuse

GROUNDS = ("not_available", "receipt_invalid", "replay_differs", "schema_invalid", "checker_fails")
MAX_LISTED = 200
BOND_HOLD, STAKE_HOLD = "Escrow::DisputeBond", "Escrow::ArbiterStake"
_NO_CASE = "no dispute of this name is on chain: ainur dispute show lists those of this node"


class CourtDesk:
    """Everything a party or an arbiter can ask for."""

    def __init__(
        self,
        book: CourtBook,
        ledger: Ledger,
        store: TaskStore,
        records: CourtRecords,
        evidence: Evidence,
        judging: Judging,
        arbitrating: Arbitrating,
        parties: Parties,
        joining: Joining,
        clock: Clock,
    ) -> None:
        self._book = book
        self._ledger = ledger
        self._store = store
        self._records = records
        self._evidence = evidence
        self._judging = judging
        self._arbitrating = arbitrating
        self._parties = parties
        self._joining = joining
        self._clock = clock

    # --- the payer opens ----------------------------------------------------------------------------------------------

    async def open(self, params: Params) -> dict[str, Any]:
        """Dispute a delivery of an own task; one that is disputed already is shown."""
        escrow, found, ground = await self._disputable(params)
        if found.state != "disputed":
            word = str(params.get("why") or GROUNDS[ground]).encode()[:1000]
            exhibit = await self._evidence.add(case_id(self._book.genesis, escrow, 0), word)
            await self._ledger.dispute(escrow, ground, exhibit)
            await self._records.note(case_id(self._book.genesis, escrow, 0), escrow, "payer")
            self._parties.adopt(escrow)
        docket = await self._book.docket(escrow)
        if docket is None:
            raise Refuse("not_disputed", "the escrow ended before the dispute was in a block")
        return {**await self._shown(docket), "repeated": found.state == "disputed"}

    async def quote_open(self, params: Params) -> dict[str, Any]:
        """What a dispute would hold and cost."""
        _, found, _ = await self._disputable(params)
        bond = Amount(0 if found.state == "disputed" else (found.amount + 1) // 2)
        return await self._quote("dispute", {BOND_HOLD: bond})

    async def _disputable(self, params: Params) -> tuple[EscrowId, ChainEscrow, int]:
        ground = whole(params, "ground", 0, len(GROUNDS) - 1, 2)
        wanted = id32(params, "task")
        task = await own_task(self._store, wanted)
        if task is None or task.escrow is None:
            raise Refuse("unknown_task", "this node did not submit that task, or nobody won it yet: ainur task list")
        found = await self._ledger.escrow(task.escrow)
        if found is None or found.state not in ("delivered", "disputed"):
            state = found.state if found is not None else "unknown"
            raise Refuse("not_delivered", f"only what is delivered and not paid can be disputed; it is {state}")
        return task.escrow, found, ground

    # --- parties ------------------------------------------------------------------------------------------------------

    async def evidence(self, params: Params) -> dict[str, Any]:
        """Show the arbiters one more file."""
        data = blob(params, "data", MAX_EXHIBIT)
        docket, role = await self._mine(params)
        if not docket.case:
            raise Refuse("no_case", "the payee has not answered yet: there is nobody to show evidence to")
        exhibit = await self._evidence.add(docket.case, data)
        if exhibit not in docket.exhibits[role]:
            _done(await self._book.submit_evidence(docket, exhibit))
        return {"case": docket.case.hex(), "exhibit": exhibit.hex(), "bytes": len(data), "by": role.name.lower()}

    async def quote_evidence(self, params: Params) -> dict[str, Any]:
        """What one more exhibit would cost."""
        await self._mine(params)
        return await self._quote("submit_evidence", {})

    async def appeal(self, params: Params) -> dict[str, Any]:
        """Ask a larger panel."""
        docket, _ = await self._appealable(params)
        done = _done(await self._book.poke(docket, "appeal"))
        after = await self._docket(params)
        return {**await self._shown(after), "block": done.block, "bond": str(await self._appeal_bond(docket))}

    async def quote_appeal(self, params: Params) -> dict[str, Any]:
        """What an appeal would hold and cost."""
        docket, _ = await self._appealable(params)
        return await self._quote("appeal", {BOND_HOLD: await self._appeal_bond(docket)})

    async def _appealable(self, params: Params) -> tuple[Docket, Role]:
        docket, role = await self._mine(params)
        if not isinstance(docket.phase, Ruled):
            raise Refuse("nothing_to_appeal", f"there is no ruling that can be appealed; the case is {_word(docket)}")
        if not docket.phase.appealable or docket.round >= LAST_ROUND:
            raise Refuse("final", "this ruling is the last: it will be executed")
        return docket, role

    async def _appeal_bond(self, docket: Docket) -> Amount:
        terms = await self._book.terms()
        bond = max((docket.price + 1) // 2, ROUND_SEATS[0] * terms.seat_fee)
        return Amount(max(bond << (docket.round + 1), ROUND_SEATS[docket.round + 1] * terms.seat_fee))

    # --- arbiters -----------------------------------------------------------------------------------------------------

    async def vote(self, params: Params) -> dict[str, Any]:
        """Judge a case in which this account has a seat, and commit; the node opens the vote by itself in time."""
        docket = await self._docket(params)
        seat = docket.seat_of(self._book.account)
        if seat is None:
            raise Refuse("not_seated", "this account has no seat in the panel that sits now")
        if not isinstance(docket.phase, Voting):
            raise Refuse("not_voting", f"the case is {_word(docket)}: there is nothing to vote on")
        known = await self._records.ballot(docket)
        given = None if known is not None else await self._given(docket, params)
        ballot = await self._arbitrating.vote(docket, given)
        if seat.vote == "waiting":
            after = await self._docket(params)
            mine = after.seat_of(self._book.account)
            done = None if mine is None or mine.vote != "waiting" else await self._arbitrating.commit(after, ballot)
            if isinstance(done, Rejection) and done.code not in ("already_voted", "voted"):
                refuse(done)
        return {
            "case": docket.case.hex(),
            "round": docket.round,
            "seats": seat.seats,
            "holds": ballot.holds,
            "payee_bps": ballot.payee_bps,
            "output_sha256": ballot.output.hex(),
            "repeated": known is not None,
        }

    async def _given(self, docket: Docket, params: Params) -> Ballot | None:
        """What a person decided against the node's own judgement; the output is always that of the own replay."""
        holds, share = params.get("holds"), params.get("payee_bps")
        if holds is None and share is None:
            return None
        judged = await self._judging.judge(docket)
        bps = whole(params, "payee_bps", 0, ALL, judged.payee_bps) if share is not None else None
        ground = bool(holds) if holds is not None else judged.holds
        return Ballot(judged.output, ground, bps if bps is not None else (0 if ground else ALL), judged.salt)

    async def quote_vote(self, params: Params) -> dict[str, Any]:
        """What a vote costs: two calls."""
        await self._docket(params)
        first, second = await self._book.price("commit_vote"), await self._book.price("reveal_vote")
        return _quoted({**first.fees, **second.fees}, {}, first.spendable, first.fee_reserve)

    async def join(self, params: Params) -> dict[str, Any]:
        """Become an arbiter, or add to the stake."""
        stake = await self._stake(params)
        done = _done(await self._joining.join(stake))
        return {**await self.arbiter({}), "added": str(stake), "block": done.block}

    async def quote_join(self, params: Params) -> dict[str, Any]:
        """What joining would hold and cost."""
        return await self._quote("join_arbiters", {STAKE_HOLD: await self._stake(params)})

    async def _stake(self, params: Params) -> Amount:
        stake, terms = planck(params, "stake"), await self._book.terms()
        known = await self._book.arbiter(self._book.account)
        if known is not None and known.leaving is not None:
            raise Refuse("leaving", "this account is leaving the court: ainur dispute leave takes the stake back first")
        if stake <= 0 or stake + (known.stake if known is not None else 0) < terms.stake_unit:
            details = {"stake_unit": str(terms.stake_unit)}
            raise Refuse("stake_too_low", "the stake must be enough for one seat", details=details)
        return stake

    async def leave(self, params: Params) -> dict[str, Any]:
        """Be drawn no more; asked again after the unbonding time, take the stake back."""
        del params
        how, done = await self._joining.leave()
        return {**await self.arbiter({}), "how": how, "block": _done(done).block}

    async def quote_leave(self, params: Params) -> dict[str, Any]:
        """What leaving would cost."""
        del params
        known = await self._book.arbiter(self._book.account)
        call = "leave_arbiters" if known is None or known.leaving is None else "withdraw_arbiter"
        return {**await self._quote(call, {}), "frees": str(known.stake if known is not None else 0)}

    async def arbiter(self, params: Params) -> dict[str, Any]:
        """This account as an arbiter."""
        del params
        known = await self._book.arbiter(self._book.account)
        now = await self._book.market_now()
        return {
            "account": self._book.account.hex(),
            "arbiter": known is not None,
            "stake": str(known.stake if known is not None else 0),
            "locked": str(known.locked if known is not None else 0),
            "units": known.units if known is not None else 0,
            "withdraw_at": self._wall(known.leaving, now) if known is not None else None,
        }

    # --- showing ------------------------------------------------------------------------------------------------------

    async def show(self, params: Params) -> dict[str, Any]:
        """One dispute, by its case, its escrow or an own task."""
        return await self._shown(await self._docket(params))

    async def list_cases(self, params: Params) -> dict[str, Any]:
        """Disputes that this node has to do with, the newest first."""
        limit = whole(params, "limit", 1, MAX_LISTED, 50)
        rows = []
        for case, known in await self._records.cases(limit):
            docket = await self._book.docket(EscrowId(bytes.fromhex(known.escrow)))
            state = "closed" if docket is None else _word(docket)
            row = {"case": case.hex(), "escrow": known.escrow, "role": known.role, "state": state}
            rows.append({**row, "round": docket.round if docket is not None else None})
        return {"cases": rows, "arbiter": await self.arbiter({})}

    async def _docket(self, params: Params) -> Docket:
        wanted = id32(params, "case")
        escrow = await self._book.escrow_of(wanted)
        if escrow is None:
            task = await own_task(self._store, wanted)
            escrow = task.escrow if task is not None and task.escrow is not None else EscrowId(wanted)
        docket = await self._book.docket(escrow)
        if docket is None:
            raise Refuse("no_case", _NO_CASE)
        return docket

    async def _mine(self, params: Params) -> tuple[Docket, Role]:
        docket = await self._docket(params)
        role = docket.role_of(self._book.account)
        if role is None:
            raise Refuse("not_party", "only the payer and the payee of the escrow can do that")
        return docket, role

    async def _shown(self, docket: Docket) -> dict[str, Any]:
        now, role = await self._book.market_now(), docket.role_of(self._book.account)
        rounds = []
        for number in range(docket.round + 1):
            bench = await self._book.bench(docket.case, number) if docket.case else None
            if bench is not None:
                seats = [_seat(seat) for seat in bench.seats]
                rounds.append({"round": number, "seats": sum(each.seats for each in bench.seats), "arbiters": seats})
        ended = await self._ledger.escrow(docket.escrow)
        decision = docket.decision
        ruling = None
        if decision is not None:
            output = decision.output.hex() if any(decision.output) else None
            winner = decision.winner.name.lower()
            ruling = {"payee_bps": decision.payee_bps, "for": winner, "holds": decision.holds, "output_sha256": output}
        return {
            "case": docket.case.hex() or None,
            "escrow": docket.escrow.hex(),
            "payer": docket.payer.hex(),
            "payee": docket.payee.hex(),
            "role": role.name.lower() if role is not None else "arbiter" if _sat(rounds, self._book.account) else None,
            "ground": GROUNDS[docket.ground],
            "state": _word(docket),
            "ends_at": self._wall(_ends(docket), now),
            "price": str(docket.price),
            "round": docket.round,
            "redrawn": docket.redrawn,
            "rounds": rounds,
            "ruling": ruling,
            "appealable": isinstance(docket.phase, Ruled) and docket.phase.appealable,
            "appeals": [{"by": by.name.lower(), "bond": str(bond)} for by, bond in docket.appeals],
            "evidence": {side.name.lower(): [each.hex() for each in docket.exhibits[side]] for side in Role},
            "outcome": ended.outcome or None if ended is not None else None,
            "paid": str(ended.paid_so_far) if ended is not None and ended.outcome else None,
        }

    def _wall(self, market: int | None, now: int) -> int | None:
        """A market time as wall-clock ms, as if the chain never rested from now on."""
        return None if market is None else self._clock.now_ms() + market - now

    async def _quote(self, call: str, holds: dict[str, Amount]) -> dict[str, Any]:
        price = await self._book.price(call)
        return _quoted(dict(price.fees), holds, price.spendable, price.fee_reserve)


def _quoted(fees: dict[str, Amount], holds: dict[str, Amount], spendable: Amount, reserve: Amount) -> dict[str, Any]:
    burned, held = sum(fees.values()), sum(holds.values(), ZERO)
    # The reserve for fees, which spendable leaves out, is what fees are paid from.
    left = spendable + min(reserve, burned)
    return {
        "dry_run": True,
        "holds": {name: str(amount) for name, amount in holds.items() if amount},
        "pays": "0",
        "burns": str(burned),
        "fees": {name: str(fee) for name, fee in fees.items()},
        "total": str(held + burned),
        "spendable": str(spendable),
        "affordable": held + burned <= left,
    }


def _word(docket: Docket) -> str:
    words = {Unanswered: "unanswered", Pleading: "pleading", Seeding: "drawing", Voting: "voting"}
    return words.get(type(docket.phase), "ruled" if isinstance(docket.phase, Ruled) else "closed")


def _ends(docket: Docket) -> int | None:
    match docket.phase:
        case Unanswered(answer_by=at) | Voting(reveal_end=at):
            return at
        case Pleading(ends=at) | Seeding(ends=at) | Ruled(ends=at):
            return at
        case Closed():
            return None


def _seat(seat: Seat) -> dict[str, Any]:
    shown: dict[str, Any] = {"arbiter": seat.arbiter.hex(), "seats": seat.seats, "vote": seat.vote}
    if seat.vote == "revealed":
        shown |= {"holds": seat.holds, "payee_bps": seat.payee_bps, "output_sha256": seat.output.hex()}
    return shown


def _sat(rounds: list[dict[str, Any]], account: bytes) -> bool:
    return any(seat["arbiter"] == account.hex() for each in rounds for seat in each["arbiters"])


def _done(done: Done | Rejection) -> Done:
    if isinstance(done, Rejection):
        refuse(done, ExitCode.REFUSED)
    return done
