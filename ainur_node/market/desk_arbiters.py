"""The desk for arbiters: vote, denounce, join, leave."""

from typing import Any

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.court.arbiter import ALL, Ballot
from ainur_node.domain.court.docket import Docket, Seat, Voting
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import Amount
from ainur_node.domain.rejection import Rejection
from ainur_node.market.asking import Params, id32, planck, refuse, text, whole
from ainur_node.market.court_arbitrating import Arbitrating
from ainur_node.market.court_joining import Joining
from ainur_node.market.court_judging import Judging
from ainur_node.market.court_records import CourtRecords
from ainur_node.market.desk_dockets import Dockets, done_or_refuse, quote, word
from ainur_node.market.repeats import MAX_KEY
from ainur_node.ports import Clock
from ainur_node.ports.court import CourtBook
from ainur_node.rpc.messages import ExitCode, Refuse

STAKE_HOLD = "Escrow::ArbiterStake"
BPS, DENOUNCER_BPS = 10_000, 2_500
"""Of the stake behind the seats of a leaked vote, what whoever shows it is paid (docs/protocol.md, section 6.6)."""


class ArbiterDesk:
    """Everything that a judge, or somebody who watches judges, can ask for."""

    def __init__(
        self,
        book: CourtBook,
        records: CourtRecords,
        judging: Judging,
        arbitrating: Arbitrating,
        joining: Joining,
        dockets: Dockets,
        clock: Clock,
    ) -> None:
        self._book = book
        self._records = records
        self._judging = judging
        self._arbitrating = arbitrating
        self._joining = joining
        self._dockets = dockets
        self._clock = clock

    async def vote(self, params: Params) -> dict[str, Any]:
        """Judge a case in which this account has a seat, and commit; the node opens the vote by itself in time."""
        docket = await self._dockets.find(params)
        seat = docket.seat_of(self._book.account)
        if seat is None:
            raise Refuse("not_seated", "this account has no seat in the panel that sits now")
        if not isinstance(docket.phase, Voting):
            raise Refuse("not_voting", f"the case is {word(docket)}: there is nothing to vote on")
        known = await self._records.ballot(docket)
        given = None if known is not None else await self._given(docket, params)
        ballot = await self._arbitrating.vote(docket, given)
        if seat.vote == "waiting":
            after = await self._dockets.find(params)
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
        await self._dockets.find(params)
        return await quote(self._book, ("commit_vote", "reveal_vote"), {})

    # --- leaked votes -------------------------------------------------------------------------------------------------

    async def denounce(self, params: Params) -> dict[str, Any]:
        """Show the chain the opening of a vote before its time; what does not open it is refused here, unsent."""
        docket, seat, ballot = await self._leaked(params)
        vote = (ballot.output, ballot.holds, ballot.payee_bps)
        done = done_or_refuse(await self._book.denounce_vote(docket, seat.arbiter, vote, ballot.salt))
        reward = _reward(docket, seat)
        shown = {"case": docket.case.hex(), "round": docket.round, "arbiter": seat.arbiter.hex(), "block": done.block}
        return {**shown, "seats": seat.seats, "reward": str(reward), "burned": str(docket.unit * seat.seats - reward)}

    async def quote_denounce(self, params: Params) -> dict[str, Any]:
        """What it would cost and bring; the opening is checked as in earnest."""
        docket, seat, _ = await self._leaked(params)
        return {**await quote(self._book, ("denounce_vote",), {}), "receives": str(_reward(docket, seat))}

    async def _leaked(self, params: Params) -> tuple[Docket, Seat, Ballot]:
        docket, who = await self._dockets.find(params), AccountId(id32(params, "arbiter"))
        phase, seat = docket.phase, docket.seat_of(who)
        if not isinstance(phase, Voting):
            raise Refuse("not_voting", f"the case is {word(docket)}: no vote is secret now")
        if seat is None:
            raise Refuse("not_seated", "that account has no seat in the panel that sits now: ainur dispute show CASE")
        if seat.vote != "committed":
            why = {
                "waiting": "has not voted yet",
                "revealed": "has opened its vote",
                "denounced": "was denounced before",
            }
            raise Refuse("nothing_leaked", f"that arbiter {why.get(seat.vote, seat.vote)}")
        if await self._book.market_now() > phase.commit_end:
            raise Refuse("too_late", "the time to commit is over: from now on arbiters open their votes themselves")
        holds = params.get("holds")
        if not isinstance(holds, bool):
            raise Refuse("bad_parameter", "holds must be true or false", ExitCode.USAGE)
        output, salt = id32(params, "output"), id32(params, "salt")
        ballot = Ballot(output, holds, whole(params, "payee_bps", 0, ALL, 0), salt)
        if ballot.commit(self._book.genesis, docket.case, docket.round, who) != seat.commit:
            raise Refuse(
                "wrong_opening", "output, answer, share and salt do not open that vote: all four must be the arbiter's"
            )
        return docket, seat, ballot

    # --- coming and going ---------------------------------------------------------------------------------------------

    async def join(self, params: Params) -> dict[str, Any]:
        """Become an arbiter, or add to the stake; once for each ``key``."""
        key = self._clock.random(16)
        if params.get("key") is not None:
            word_ = text(params, "key", MAX_KEY)
            if not word_ or not word_.isprintable():
                raise Refuse("bad_parameter", f"key must be 1 to {MAX_KEY} printable characters", ExitCode.USAGE)
            key = content_hash(word_.encode("utf-8", "replace"))
        stake = await self._stake(params)
        done = done_or_refuse(await self._joining.join(stake, key))
        return {**await self.arbiter({}), "added": str(stake), "block": done.block}

    async def quote_join(self, params: Params) -> dict[str, Any]:
        """What joining would hold and cost."""
        return await quote(self._book, ("join_arbiters",), {STAKE_HOLD: await self._stake(params)})

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
        return {**await self.arbiter({}), "how": how, "block": done_or_refuse(done).block}

    async def quote_leave(self, params: Params) -> dict[str, Any]:
        """What leaving would cost."""
        del params
        known = await self._book.arbiter(self._book.account)
        call = "leave_arbiters" if known is None or known.leaving is None else "withdraw_arbiter"
        return {**await quote(self._book, (call,), {}), "frees": str(known.stake if known is not None else 0)}

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

    def _wall(self, market: int | None, now: int) -> int | None:
        """A market time as wall-clock ms, as if the chain never rested from now on."""
        return None if market is None else self._clock.now_ms() + market - now


def _reward(docket: Docket, seat: Seat) -> Amount:
    return Amount(docket.unit * seat.seats * DENOUNCER_BPS // BPS)
