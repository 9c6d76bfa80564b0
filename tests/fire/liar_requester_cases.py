"""Submitters that lie, peers that are too loud, parts that break: who is paid, who loses what, who is named where."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from liar_cases import Case, Ending, Shown
from liar_provider_cases import RESERVE, ain, fee
from liar_world import LiarWorld

from ainur_node.devnet.faults.breaking import HOUR_MS, STOPPED_SECONDS
from ainur_node.devnet.faults.requesting import CLAIMED_PART
from ainur_node.devnet.layout import OBSERVER, SUBMITTER
from ainur_node.devnet.market import ask_of
from ainur_node.domain.auction.commitments import inclusion_message
from ainur_node.domain.auction.rules import reserve_of
from ainur_node.domain.auction.transcript import Transcript
from ainur_node.domain.ids import AccountId, AuctionId, NodeKey, TaskId
from ainur_node.domain.money import PLANCK_PER_AIN, Amount
from ainur_node.domain.reputation import NEUTRAL, penalty
from ainur_node.domain.task import auction_id
from ainur_node.signing import signed_by

PROVIDERS = ("n1", "n2", "n3")
ASKS = dict(zip(PROVIDERS, (ask_of(number) for number in range(3)), strict=True))
N1, N2, LOUD = ASKS["n1"], ASKS["n2"], "n3"
BOND_BPS, QUALITY_BPS = 1_000, 400
BOND = RESERVE * BOND_BPS // 10_000
OPEN = ("jobs", "tasks", "bonds", "challenges")


def over(world: LiarWorld, but: str = "") -> None:
    """Wait until no node (``but`` one) has anything left to do."""

    def quiet() -> bool | None:
        said = [world.ask(node.name, "node.status") for node in world.plan.nodes if node.name != but]
        return True if not any(each[what] for each in said for what in OPEN) else None

    world.wait("all jobs ending", quiet, 60.0)


def attempt(world: LiarWorld, done: dict[str, Any], number: int = 0) -> str:
    """The auction of an attempt of a task."""
    payer, task = bytes.fromhex(world.account(SUBMITTER)), bytes.fromhex(done["task"])
    return auction_id(world.chain.genesis_hash, AccountId(payer), TaskId(task), number).hex()


def wronged(world: LiarWorld, auction: str) -> dict[str, dict[str, Any]]:
    """What each provider holds against the submitter, and against nobody else, at its own `auction why`."""
    found: dict[str, dict[str, Any]] = {}
    for name in PROVIDERS:
        rows = world.why(auction, name)["offenders"]
        assert all(world.name(row["who"]) == SUBMITTER and row["role"] == "requester" for row in rows)
        assert len(rows) <= 1
        if rows:
            found[name] = rows[0]
    return found


def convicted(world: LiarWorld, auction: str, victim: str, fault: str, bond: int) -> int:
    """What ``victim`` got for its proof on chain; nobody else challenged, and half of the bond is burned."""
    rows = {name: world.why(auction, name)["challenge"] for name in PROVIDERS}
    row = rows.pop(victim)
    assert list(rows.values()) == [None, None]
    assert (row["state"], row["fault"]) == ("succeeded", fault)
    got = int(row["compensation"]) + int(row["reward"])
    assert (int(row["burned"]), got) == (bond - bond // 2, bond // 2)
    events = world.chain.events(world.chain.block(row["block"]).hash)
    said = next(e.fields for e in events if (e.pallet, e.name) == ("VcgAuction", "Challenged"))
    assert (said["auction"].hex(), said["challenger"].hex()) == (auction, world.account(victim))
    assert said["burned"] == int(row["burned"])
    return got


def money(world: LiarWorld, gains: dict[str, int]) -> None:
    """Every node's gain, to the planck, without its own fees; all stakes are whole and nothing else is held."""
    books = world.books()
    nobody = dict.fromkeys(books.seen.accounts, 0)
    assert world.gains(books) == nobody | gains
    assert books.stakes == world.before.stakes
    held = {name: sum(account.held.values()) for name, account in books.seen.accounts.items()}
    assert held == nobody | world.before.stakes


def verified(world: LiarWorld, auction: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows and the failed checks of `auction verify` at the observer."""
    said = world.ainur("--node", OBSERVER, "auction", "verify", auction)
    failed = [check["name"] for check in said.data["checks"] if not check["ok"]]
    assert (said.code == 0) == said.data["ok"] == (not failed)
    return said.data["rows"], failed


# --- submitters ---------------------------------------------------------------------------------------------------


def never_awards(world: LiarWorld, shown: Shown) -> Ending:
    """The bond is burned, the budget comes back, and every bidder can say whose fault it was."""
    done = shown[-1]
    over(world)
    assert done["phase"] == "refunded"
    money(world, {SUBMITTER: -BOND})
    auction = attempt(world, done)
    rows = wronged(world, auction)
    assert {name: row["code"] for name, row in rows.items()} == dict.fromkeys(PROVIDERS, "never_awarded")
    closing = world.chain.closing(bytes.fromhex(auction))
    assert closing is not None
    assert closing.root.hex() == rows["n1"]["details"]["root"]
    return Ending(
        "void, ended by a bidder; budget back", SUBMITTER, f"bond of {ain(BOND)}", "chain: closed, void, never awarded"
    )


def never_accepts(world: LiarWorld, shown: Shown) -> Ending:
    """The winner has the chain pay once the review time is over."""
    done = shown[-1]
    over(world)
    assert (done["phase"], done["outcome"]) == ("settled", "auto")
    money(world, {"n1": N2, SUBMITTER: -N2 - fee(N2)})
    rows = wronged(world, done["auction"])
    assert {name: row["code"] for name, row in rows.items()} == {"n1": "never_accepted"}
    assert rows["n1"]["evidence"] == {"kind": "escrow", "id": done["escrow"]}
    return Ending(f"n1 paid {ain(N2)} by itself", "nobody", "nothing", "chain: escrow settled by auto-release")


def without(world: LiarWorld, shown: Shown, code: str, fault: str) -> tuple[str, dict[str, Any], str]:
    """One bidder was kept out and proves it; the sale went on among the others. Its name, its row, how it ended."""
    done = shown[-1]
    over(world)
    assert (done["phase"], done["outcome"]) == ("settled", "paid")
    ((victim, row),) = wronged(world, done["auction"]).items()
    assert row["code"] == code
    winner, second = (name for name in PROVIDERS if name != victim)
    assert world.name(done["winner"]["provider"]) == winner
    price = ASKS[second]
    got = convicted(world, done["auction"], victim, fault, BOND)
    assert done["bond"]["state"] != "returned"
    money(world, {winner: price, victim: got, SUBMITTER: -price - fee(price) - BOND})
    return victim, row, f"{winner} paid {ain(price)}, {victim} {ain(got)} of the bond"


def drops_a_commit(world: LiarWorld, shown: Shown) -> Ending:
    """The dropped bidder has the auctioneer's signature over what is not under the root."""
    victim, row, outcome = without(world, shown, "dropped_commit", "dropped_commit")
    done, details = shown[-1], row["details"]
    auction, account = AuctionId(bytes.fromhex(done["auction"])), AccountId(bytes.fromhex(world.account(victim)))
    commit, seen = bytes.fromhex(details["commit"]), int(details["seen_block"])
    signed = inclusion_message(world.chain.genesis_hash, auction, account, commit, seen)
    assert row["evidence"]["kind"] == "inclusion"
    assert signed_by(NodeKey(bytes.fromhex(details["signed_by"])), signed, bytes.fromhex(row["evidence"]["id"]))
    on_chain, closing = world.chain.auction(auction), world.chain.closing(auction)
    assert on_chain is not None
    assert closing is not None
    assert (on_chain.auctioneer_key.hex(), closing.root.hex()) == (details["signed_by"], details["root"])
    rows, failed = verified(world, done["auction"])
    assert failed == []
    assert world.account(victim) not in [each["provider"] for each in rows]
    return Ending(outcome, SUBMITTER, f"bond of {ain(BOND)}", f"{victim} on chain: signed receipt, not under the root")


def two_roots(world: LiarWorld, shown: Shown) -> Ending:
    """Whoever is told another root keeps its ask to itself."""
    victim, row, outcome = without(world, shown, "other_root", "two_roots")
    done = shown[-1]
    closing = world.chain.closing(bytes.fromhex(done["auction"]))
    assert closing is not None
    assert closing.root.hex() == row["details"]["on_chain"] != row["evidence"]["id"]
    rows, failed = verified(world, done["auction"])
    assert failed == []
    unopened = {each["provider"]: (each["status"], each["ask"]) for each in rows}[world.account(victim)]
    assert unopened == ("not_revealed", None)
    return Ending(outcome, SUBMITTER, f"bond of {ain(BOND)}", f"{victim} on chain: two signed roots")


@dataclass(frozen=True, slots=True)
class Underpaid:
    """The chain takes a price that the rule does not give: the winner proves it, and any stranger sees it."""

    price: int
    failed: str
    bond: int = BOND

    def __call__(self, world: LiarWorld, shown: Shown) -> Ending:
        """Compare with what the winner, the observer and the chain say."""
        done = shown[-1]
        over(world)
        assert done["phase"] == "settled"
        got = convicted(world, done["auction"], "n1", "false_transcript", self.bond)
        money(world, {"n1": self.price + got, SUBMITTER: -self.price - fee(self.price) - self.bond})
        ((victim, row),) = wronged(world, done["auction"]).items()
        assert (victim, row["code"]) == ("n1", "underpaid")
        assert (row["details"]["paid"], row["details"]["due"]) == (str(self.price), str(N2))
        assert row["evidence"] == {"kind": "transcript", "id": done["transcript"]}
        _, failed = verified(world, done["auction"])
        assert self.failed in failed
        return Ending(
            f"n1 paid {ain(self.price)}, not {ain(N2)}, and {ain(got)} of the bond",
            SUBMITTER,
            f"bond of {ain(self.bond)}",
            f"n1 on chain: the transcript; the observer sees that '{self.failed}' fails",
        )


def claimed_price() -> int:
    """What n1 is paid by a sixth of the reserve of 1.5 AIN, below which n2 does not bid."""
    claimed = Amount(reserve_of(Amount(3 * PLANCK_PER_AIN // 2), 100) // CLAIMED_PART)
    return claimed - penalty(claimed, QUALITY_BPS, NEUTRAL)


def input_withheld(world: LiarWorld, shown: Shown) -> Ending:
    """Each winner declines in time; nobody loses anything but the fees of its own calls."""
    done = shown[-1]
    over(world)
    assert done["phase"] == "refunded"
    money(world, {})
    rows = wronged(world, attempt(world, done))
    assert {name: row["code"] for name, row in rows.items()} == dict.fromkeys(PROVIDERS, "input_withheld")
    return Ending("refunded; three declined", "nobody", "nothing", "chain: declined escrows (the reason: their word)")


# --- peers --------------------------------------------------------------------------------------------------------


def settled_by_n1(world: LiarWorld, shown: Shown, but: str = "", at_most: int = ASKS["n3"]) -> str:
    """Every task ended as if nothing had been wrong, at a price from n2's ask to ``at_most``."""
    over(world, but)
    for done in shown:
        assert (done["phase"], done["outcome"]) == ("settled", "paid")
        assert world.name(done["winner"]["provider"]) == "n1"
        assert done["verified"]
    # Once n1 has worked well its penalty is lower than n2's, and the difference is n1's from the next epoch on.
    prices = [int(done["price"]) for done in shown]
    assert all(N2 <= price <= at_most for price in prices), prices
    money(world, {"n1": sum(prices), SUBMITTER: -sum(price + fee(price) for price in prices)})
    return "n1 paid " + " and ".join(ain(price) for price in prices)


def counted(world: LiarWorld, node: str, name: str) -> int:
    """A counter of a node."""
    return int(world.ask(node, "node.status")["counters"].get(name, 0))


def replays_frames(world: LiarWorld, shown: Shown) -> Ending:
    """Old commits are refused, old announcements passed over, an old opening does not fit."""
    outcome = settled_by_n1(world, shown)
    assert world.offenders(world.why(shown[0]["task"])) == []
    assert world.offenders(world.why(shown[1]["task"])) == [(LOUD, "bad_opening")]
    refused = {name: counted(world, name, "mesh.requests_refused") for name in (SUBMITTER, "n1", "n2", OBSERVER)}
    assert all(refused.values()), refused
    passed = counted(world, "n1", "pass.no_hold")
    assert passed > 0
    return Ending(
        outcome,
        "nobody",
        "nothing",
        f"{sum(refused.values())} commits refused, {passed} announcements passed over by n1, row bad_opening",
    )


def floods(world: LiarWorld, shown: Shown) -> Ending:
    """The flood is held back, its source banned, and tasks settle."""

    def banned() -> bool | None:
        return True if all(counted(world, name, "mesh.bans") for name in (SUBMITTER, "n1", "n2", OBSERVER)) else None

    # On a slow machine the noise may cost n2 its commit; then the reserve sets the price.
    outcome = settled_by_n1(world, shown, but=LOUD, at_most=RESERVE)
    world.wait("everybody banning n3", banned, 60.0)
    held_back = counted(world, SUBMITTER, "mesh.requests_rate_limited")
    assert held_back > 0, world.ask(SUBMITTER, "node.status")["mesh"]
    done = world.ended(world.submit())
    assert (done["phase"], done["outcome"]) == ("settled", "paid")
    return Ending(
        outcome, LOUD, "its connections", f"counters: {held_back} requests held back by the submitter; all banned n3"
    )


# --- parts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Goes:
    """Something broke, and the task ended as if it had not: paid once."""

    proof: Callable[[LiarWorld, dict[str, Any]], str]

    def __call__(self, world: LiarWorld, shown: Shown) -> Ending:
        """Compare with what the submitter and the chain say."""
        return Ending(settled_by_n1(world, shown), "nobody", "nothing", self.proof(world, shown[-1]))


def ended(part: str) -> Callable[[LiarWorld, dict[str, Any]], str]:
    """The keeper saw a part end and started it again."""

    def look(world: LiarWorld, done: dict[str, Any]) -> str:
        del done
        said = [json.loads(line) for line in world.log("keeper").splitlines() if line.startswith("{")]
        assert [each["name"] for each in said if each.get("step") == "child-ended"] == [part]
        return f"keeper's log: {part} ended once, was started again"

    return look


def stood_still(world: LiarWorld, done: dict[str, Any]) -> str:
    """Between the award and the delivery lies the time that n1 stood still."""
    del world
    at = {row["kind"]: row["at"] for row in done["history"]}
    took = at["Delivered"] - at["Escrowed"]
    assert took > (STOPPED_SECONDS - 1) * 1000
    return f"history: {took / 1000:.1f} s from award to delivery"


def hour_ahead(world: LiarWorld, done: dict[str, Any]) -> str:
    """The commit that n1 signed is from the future."""
    rows = next(t.rows for t in transcripts(world) if t.auction.hex() == done["auction"])
    seq = {world.name(row.commit.provider.hex()): row.commit.seq for row in rows}
    ahead = seq["n1"] - seq["n2"]
    assert abs(ahead - HOUR_MS) < HOUR_MS // 10
    return f"transcript: n1's commit is signed {ahead / 1000:.0f} s after n2's"


def transcripts(world: LiarWorld) -> list[Transcript]:
    """Every transcript among the submitter's blobs."""
    found = []
    for path in (world.layout.home(SUBMITTER) / "blobs").rglob("*"):
        if path.is_file():
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Transcript))
            except msgspec.DecodeError:
                continue
    return found


CASES: tuple[Case, ...] = (
    Case("never-awards", never_awards),
    Case("never-accepts", never_accepts),
    Case("drops-a-commit", drops_a_commit),
    Case("two-roots", two_roots),
    Case(
        "changes-the-budget", Underpaid(claimed_price(), "terms", 3 * PLANCK_PER_AIN // 2 * 100 // 1_010), budget="1.5"
    ),
    Case("pays-the-ask", Underpaid(N1, "award")),
    Case("input-withheld", input_withheld),
    Case("replays-frames", replays_frames, tasks=2),
    Case("floods", floods, tasks=2),
    Case("chain-restarts", Goes(ended("chain"))),
    Case("database-restarts", Goes(ended("database"))),
    Case("stopped-provider", Goes(stood_still)),
    Case("clock-ahead", Goes(hour_ahead)),
)
