"""Providers that lie: who is paid instead, what the liar loses to the planck, and what it is named for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from liar_cases import Case, Ending, Shown
from liar_world import LiarWorld

from ainur_node.devnet.layout import OBSERVER, SUBMITTER
from ainur_node.devnet.market import ask_of
from ainur_node.domain.auction.rules import fee_of, reserve_of
from ainur_node.domain.auction.single import RowStatus
from ainur_node.domain.money import Amount, format_ain
from ainur_node.market import messages
from ainur_node.market.messages import Output

LIAR = "n1"
# All scores are neutral in a new world, so penalties cancel out and each winner is paid the next one's ask.
N2, N3 = ask_of(1), ask_of(2)
FEE_BPS, PERF_BPS, FAULT_WEIGHT = 100, 2_000, 10
SEATS, ARBITER_STAKE = 5, "Escrow::ArbiterStake"
RESERVE = reserve_of(Amount(10**12), FEE_BPS)

Proof = Callable[[LiarWorld, dict[str, Any]], str]
"""Looks for the evidence that an offender's row points to; where it lies, in a few words."""


def lock_of(price: int) -> int:
    """What a winner has at stake for a price."""
    return price * PERF_BPS // 10_000


def fee(price: int) -> int:
    return fee_of(Amount(price), FEE_BPS)


@dataclass(frozen=True, slots=True)
class Paid:
    """The work is done in the end: ``winner`` is paid ``price``, and the liar is named for what it did."""

    winner: str
    price: int
    named: tuple[str, ...]
    proof: Proof
    lock: int = 0
    attempt: int = 0

    def __call__(self, world: LiarWorld, shown: Shown) -> Ending:
        """Compare with what the submitter, the chain and the files say."""
        done = shown[-1]
        assert (done["phase"], done["outcome"], done["attempt"]) == ("settled", "paid", self.attempt), told(done)
        assert world.name(done["winner"]["provider"]) == self.winner
        assert int(done["price"]) == self.price
        assert done["verified"]
        gains = {self.winner: self.price, SUBMITTER: -(self.price + fee(self.price)) * len(shown)}
        books = lost_and_won(world, {LIAR: -self.lock} | gains, lock=self.lock)
        # A fault weighs ten times the fee of what was promised; only fees are evidence of good work.
        fault = FAULT_WEIGHT * fee(self.lock * 10_000 // PERF_BPS) if self.lock else 0
        score = books.seen.scores[LIAR]
        assert (score.b if score is not None else 0) == fault
        what = f"lock of {ain(self.lock)}, reputation" if self.lock else "nothing"
        return Ending(
            outcome=f"{self.winner} paid {ain(self.price)}",
            who_lost=LIAR if self.lock else "nobody",
            what=what,
            evidence=named_for(world, done, self.named, self.proof),
        )


@dataclass(frozen=True, slots=True)
class Stale:
    """A dispute that nobody ruled on: half is paid, half comes back, the lock and the dispute bond are burned."""

    named: tuple[str, ...]
    proof: Proof

    def __call__(self, world: LiarWorld, shown: Shown) -> Ending:
        """Compare with what the submitter, the chain and the files say."""
        done = shown[-1]
        assert (done["phase"], done["outcome"], done["attempt"]) == ("settled", "stale", 0), told(done)
        assert not done["verified"]
        half, bond, lock = N2 // 2, -(-N2 // 2), lock_of(N2)
        assert int(done["price"]) == half
        books = lost_and_won(world, {LIAR: half - lock, SUBMITTER: -half - fee(half) - bond}, lock=lock)
        score = books.seen.scores[LIAR]
        assert score is not None
        assert (score.a, score.b) == (0, 0)
        return Ending(
            outcome=f"stale: {LIAR} paid half, {ain(half)}",
            who_lost=f"{LIAR} and the payer",
            what=f"lock of {ain(lock)} (it still keeps {ain(half - lock)}); dispute bond of {ain(bond)}",
            evidence=named_for(world, done, self.named, self.proof),
        )


@dataclass(frozen=True, slots=True)
class Ruled:
    """A court ruled for the payer: all comes back, the liar loses lock and bond, who judged has its fees."""

    named: tuple[str, ...]
    proof: Proof

    def __call__(self, world: LiarWorld, shown: Shown) -> Ending:
        """Compare with what the submitter, the chain and the files say."""
        done = shown[-1]
        assert (done["phase"], done["outcome"], done["attempt"]) == ("refunded", "ruled", 0), told(done)
        assert (done["price"], done["refused"]["code"]) == ("0", "ruled_for_payer")
        case = world.ask(SUBMITTER, "dispute.show", case=done["escrow"])
        assert (case["outcome"], case["ruling"]["for"], case["ruling"]["payee_bps"]) == ("ruled", "payer", 0)
        (panel,) = case["rounds"]
        assert panel["seats"] == SEATS
        assert {(seat["vote"], seat["holds"]) for seat in panel["arbiters"]} == {("revealed", True)}
        params, lock = world.chain.params(), lock_of(N2)
        bond = max(-(-N2 // 2), SEATS * params.seat_fee)
        fees = {world.name(seat["arbiter"]): seat["seats"] * params.seat_fee for seat in panel["arbiters"]}
        assert not {LIAR, SUBMITTER} & set(fees)
        books = lost_and_won(world, fees | {LIAR: -lock - bond}, lock=lock)
        score = books.seen.scores[LIAR]
        assert score is not None
        assert (score.a, score.b) == (0, FAULT_WEIGHT * fee(N2))
        story = world.ainur("task", "watch", done["task"])
        assert story.code == 1
        assert "the court ruled for the payer" in story.stderr
        return Ending(
            outcome=f"ruled: {SUBMITTER} has all back, {', '.join(sorted(fees))} judged for {ain(sum(fees.values()))}",
            who_lost=LIAR,
            what=f"lock of {ain(lock)}, dispute bond of {ain(bond)}, reputation",
            evidence=named_for(world, done, self.named, self.proof),
        )


def lost_and_won(world: LiarWorld, gains: dict[str, int], *, lock: int) -> Any:
    """The books now, after every node's gain was compared to the planck and nothing but stakes is held."""
    books = world.books()
    nobody = dict.fromkeys(books.seen.accounts, 0)
    assert world.gains(books) == nobody | gains
    stakes = dict(world.before.stakes)
    stakes[LIAR] -= lock
    assert books.stakes == stakes
    held = {name: dict(account.held) for name, account in books.seen.accounts.items()}
    judging = {name: reasons.pop(ARBITER_STAKE, 0) for name, reasons in held.items()}
    assert {name: sum(reasons.values()) for name, reasons in held.items()} == nobody | stakes
    for name, stake in judging.items():
        arbiter = world.chain.arbiter(bytes.fromhex(world.account(name)))
        assert (arbiter.stake, arbiter.locked) == (stake, 0) if arbiter is not None else not stake
    return books


def named_for(world: LiarWorld, done: dict[str, Any], codes: tuple[str, ...], proof: Proof) -> str:
    """Where the evidence lies, after the liar and nobody else was named, for these codes."""
    why = world.why(done["task"])
    assert world.offenders(why) == [(LIAR, code) for code in codes]
    if codes != (SILENT,):  # who was not heard is looked up on chain, which `task show` does not do
        assert world.offenders(world.ainur("task", "show", done["task"]).data) == [(LIAR, code) for code in codes]
    return proof(world, why["offenders"][0])


def told(done: dict[str, Any]) -> str:
    return "\n".join(row["text"] for row in done["history"])


def ain(planck: int) -> str:
    return f"{format_ain(Amount(planck))} AIN"


# --- evidence -----------------------------------------------------------------------------------------------------

SILENT = "silent"


def nothing(world: LiarWorld, offender: dict[str, Any]) -> str:
    """Silence leaves no evidence; the liar's own log shows that it had a bid."""
    assert offender["evidence"] is None
    assert "this node keeps its commits to itself" in world.log(LIAR)
    return "none (silence); log of n1"


def transcript_row(status: RowStatus) -> Proof:
    """What became of the liar's signed commit is in the transcript, whose hash is on chain: anybody can look."""

    def look(world: LiarWorld, offender: dict[str, Any]) -> str:
        assert offender["evidence"]["kind"] == "transcript"
        task = world.ask(SUBMITTER, "task.list", limit=1)["tasks"][0]["task"]
        seen = world.ainur("--node", OBSERVER, "auction", "verify", task)
        assert (seen.code, seen.data["transcript"]) == (0, offender["evidence"]["id"])
        row = next(row for row in seen.data["rows"] if row["provider"] == world.account(LIAR))
        assert (row["status"], row["ask"]) == (status.name.lower(), None)
        return f"transcript, as the observer has it: row {row['status']}"

    return look


def both_commits(world: LiarWorld, offender: dict[str, Any]) -> str:
    """Two different commits for one auction, both signed by the liar's node key."""
    assert offender["evidence"]["kind"] == "commits"
    first, second = offender["evidence"]["commits"]
    assert first["commit"] != second["commit"]
    assert offender["evidence"]["id"] == second["commit"]
    return "both signed commits, in the submitter's facts"


def failed_on_chain(world: LiarWorld, offender: dict[str, Any]) -> str:
    """The chain lists the liar among those that won and failed."""
    assert offender["evidence"]["kind"] == "auction"
    auction = world.chain.auction(bytes.fromhex(offender["evidence"]["id"]))
    assert auction is not None
    assert [account.hex() for account in auction.failed] == [world.account(LIAR)]
    return "chain: failed list of the auction"


def served_result(world: LiarWorld, offender: dict[str, Any]) -> str:
    """What the liar served, with the receipt that it or somebody else signed."""
    assert offender["evidence"]["kind"] == "result"
    blob = world.blob(SUBMITTER, offender["evidence"]["id"])
    assert blob is not None
    output = messages.decode(Output, blob)
    assert len(output.signature) == 64
    return "mismatch blob: result and receipt as served"


STORY = (
    "wins with ask 0.2 AIN",
    "the delivery does not hold: replay_differs",
    "disputed on chain: replay differs",
    "gave the money back",
    "wins with ask 0.25 AIN",
    "verified: replayed here with the same result",
    "settled (paid): 0.3 AIN paid",
)


def served_result_and_story(world: LiarWorld, offender: dict[str, Any]) -> str:
    """As above; and `ainur task watch` tells of the refusal, the money that came back and the new round, in order."""
    (task,) = (row["task"] for row in world.ask(SUBMITTER, "task.list", limit=2)["tasks"])
    watched = world.ainur("task", "watch", task)
    assert watched.code == 0
    places = [watched.stderr.find(words) for words in STORY]
    assert -1 not in places, watched.stderr
    assert places == sorted(places), watched.stderr
    return served_result(world, offender)


def refusal(world: LiarWorld, offender: dict[str, Any]) -> str:
    """The words with which the liar refused the bytes."""
    assert offender["evidence"]["kind"] == "result"
    blob = world.blob(SUBMITTER, offender["evidence"]["id"])
    assert blob is not None
    assert b"not_today" in blob
    return "mismatch blob: the refusal"


# --- the table ----------------------------------------------------------------------------------------------------

LOCK = lock_of(N2)
CASES = (
    Case("never-commits", Paid("n2", N3, (SILENT,), nothing)),
    Case("never-reveals", Paid("n2", N3, ("not_revealed",), transcript_row(RowStatus.NOT_REVEALED))),
    Case("reveals-another-ask", Paid("n2", N3, ("bad_opening",), transcript_row(RowStatus.BAD_OPENING))),
    Case("commits-twice", Paid("n1", N2, ("committed_twice",), both_commits)),
    Case("wrong-result", Paid("n2", N3, ("replay_differs", "gave_back"), served_result_and_story, LOCK, attempt=1)),
    Case("wrong-result-stubborn", Ruled(("replay_differs",), served_result)),
    Case("dies-at-work", Paid("n2", N3, ("not_delivered",), failed_on_chain, LOCK)),
    Case("another-nodes-result", Stale(("receipt_provider",), served_result)),
    Case("delivers-nothing", Paid("n2", N3, ("not_delivered",), failed_on_chain, LOCK)),
    Case("delivers-too-late", Paid("n2", N3, ("not_delivered",), failed_on_chain, LOCK)),
    Case("receipt-for-other-input", Stale(("receipt_input",), served_result)),
    Case("result-withheld", Stale(("not_available",), refusal)),
)
