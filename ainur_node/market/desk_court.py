"""The desk for disputes: open, show evidence, appeal, and what stands."""

from typing import Any

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
from ainur_node.domain.money import Amount
from ainur_node.market.asking import Params, blob, id32, whole
from ainur_node.market.court_evidence import MAX_EXHIBIT, Evidence
from ainur_node.market.court_parties import Parties
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.desk_arbiters import ArbiterDesk
from ainur_node.market.desk_dockets import Dockets, done_or_refuse, quote, word
from ainur_node.market.finding import own_task
from ainur_node.ports import ChainEscrow, Clock, Ledger, TaskStore
from ainur_node.ports.court import CourtBook
from ainur_node.rpc.messages import Refuse

GROUNDS = ("not_available", "receipt_invalid", "replay_differs", "schema_invalid", "checker_fails")
MAX_LISTED = 200
BOND_HOLD = "Escrow::DisputeBond"


class CourtDesk:
    """Everything a party can ask for, and what anybody can see."""

    def __init__(
        self,
        book: CourtBook,
        ledger: Ledger,
        store: TaskStore,
        records: CourtRecords,
        evidence: Evidence,
        parties: Parties,
        arbiters: ArbiterDesk,
        dockets: Dockets,
        clock: Clock,
    ) -> None:
        self._book = book
        self._ledger = ledger
        self._store = store
        self._records = records
        self._evidence = evidence
        self._parties = parties
        self._arbiters = arbiters
        self._dockets = dockets
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
        if found.state == "disputed":
            return await quote(self._book, (), {})
        bond = max((found.amount + 1) // 2, ROUND_SEATS[0] * (await self._book.terms()).seat_fee)
        # An answer makes this node plead, which tops the bond up to the court's, and open its nonce.
        return await quote(self._book, ("dispute", "plead", "open_nonce"), {BOND_HOLD: Amount(bond)})

    async def _disputable(self, params: Params) -> tuple[EscrowId, ChainEscrow, int]:
        ground = whole(params, "ground", 0, len(GROUNDS) - 1, 2)
        wanted = id32(params, "task")
        task = await own_task(self._store, wanted)
        if task is None or task.escrow is None:
            raise Refuse("unknown_task", "this node did not submit that task, or nobody won it yet: ainur task list")
        found = await self._ledger.escrow(task.escrow)
        if found is None or found.state not in ("delivered", "disputed"):
            state = found.state if found is not None else "unknown"
            hint = f"only what is delivered and not paid can be disputed; it is {state}: ainur task show tells more"
            raise Refuse("not_delivered", hint)
        return task.escrow, found, ground

    # --- parties ------------------------------------------------------------------------------------------------------

    async def evidence(self, params: Params) -> dict[str, Any]:
        """Show the arbiters one more file."""
        data = blob(params, "data", MAX_EXHIBIT)
        docket, role = await self._dockets.mine(params)
        if not docket.case:
            raise Refuse("no_case", "the payee has not answered yet: there is nobody to show evidence to")
        exhibit = await self._evidence.add(docket.case, data)
        if exhibit not in docket.exhibits[role]:
            done_or_refuse(await self._book.submit_evidence(docket, exhibit))
        return {"case": docket.case.hex(), "exhibit": exhibit.hex(), "bytes": len(data), "by": role.name.lower()}

    async def quote_evidence(self, params: Params) -> dict[str, Any]:
        """What one more exhibit would cost."""
        await self._dockets.mine(params)
        return await quote(self._book, ("submit_evidence",), {})

    async def appeal(self, params: Params) -> dict[str, Any]:
        """Ask a larger panel."""
        docket, _ = await self._appealable(params)
        done = done_or_refuse(await self._book.poke(docket, "appeal"))
        after = await self._dockets.find(params)
        return {**await self._shown(after), "block": done.block, "bond": str(await self._appeal_bond(docket))}

    async def quote_appeal(self, params: Params) -> dict[str, Any]:
        """What an appeal would hold and cost."""
        docket, _ = await self._appealable(params)
        return await quote(self._book, ("appeal", "open_nonce"), {BOND_HOLD: await self._appeal_bond(docket)})

    async def _appealable(self, params: Params) -> tuple[Docket, Role]:
        docket, role = await self._dockets.mine(params)
        if not isinstance(docket.phase, Ruled):
            raise Refuse("nothing_to_appeal", f"there is no ruling that can be appealed; the case is {word(docket)}")
        if not docket.phase.appealable or docket.round >= LAST_ROUND:
            raise Refuse("final", "this ruling is the last: it will be executed")
        return docket, role

    async def _appeal_bond(self, docket: Docket) -> Amount:
        terms = await self._book.terms()
        bond = max((docket.price + 1) // 2, ROUND_SEATS[0] * terms.seat_fee)
        return Amount(max(bond << (docket.round + 1), ROUND_SEATS[docket.round + 1] * terms.seat_fee))

    # --- showing ------------------------------------------------------------------------------------------------------

    async def show(self, params: Params) -> dict[str, Any]:
        """One dispute, by its case, its escrow or an own task."""
        return await self._shown(await self._dockets.find(params))

    async def list_cases(self, params: Params) -> dict[str, Any]:
        """Disputes that this node has to do with, the newest first."""
        limit = whole(params, "limit", 1, MAX_LISTED, 50)
        rows = []
        for case, known in await self._records.cases(limit):
            docket = await self._book.docket(EscrowId(bytes.fromhex(known.escrow)))
            state = "closed" if docket is None else word(docket)
            row = {"case": case.hex(), "escrow": known.escrow, "role": known.role, "state": state}
            rows.append({**row, "round": docket.round if docket is not None else None})
        return {"cases": rows, "arbiter": await self._arbiters.arbiter({})}

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
            "state": word(docket),
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
