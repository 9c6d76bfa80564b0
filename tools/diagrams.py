"""Writes docs/states.md: the states of tasks, jobs, auctions and escrows, found by trying everything out.

Nothing here knows which fact may follow which: the diagrams of a task and a job come from ``step`` itself, fed with the
sample facts of tests/domain; those of auction and escrow from the chain in memory, whose rules the contract suite holds
against the runtime. tests/domain/test_state_diagrams.py compares the file with what the code does.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "domain"))

from diagram_bonds import bond_arrows  # noqa: E402
from diagram_chain import Market, auction_arrows, escrow_arrows  # noqa: E402  (the samples are found through the path above)
from diagram_channels import channel_arrows  # noqa: E402
from diagram_lives import Life, arrows  # noqa: E402
from diagram_text import drawn  # noqa: E402
from domain_records import GENESIS  # noqa: E402
from life_samples import INVITED, PROVIDER_FACTS, REQUESTER_FACTS, SUBMITTED  # noqa: E402
from life_turns import PROVIDER_TURNS, REQUESTER_TURNS  # noqa: E402

from ainur_node.domain import provider, requester  # noqa: E402
from ainur_node.domain.requester import ABOUT_THE_WINNER, MAX_ATTEMPTS, WORTH_ANOTHER  # noqa: E402

FILE = ROOT / "docs" / "states.md"
HEAD = """# States

Written by `make diagrams` from what the code does; a test compares. An arrow reads `what happened [when] / what is
ordered next`. Facts and orders: `ainur_node/domain/events.py` and `orders.py`; the calls of the chain:
[protocol.md](protocol.md) §6.
"""


def task_life() -> Life:
    """A task I submitted."""
    return Life(
        first=requester.begin(GENESIS, SUBMITTED),
        begun_by=SUBMITTED,
        facts=[*REQUESTER_FACTS.values(), *REQUESTER_TURNS],
        step=requester.step,
        questions=[
            ("cancelled", "not cancelled", lambda task, _: task.cancelled),
            ("given back", "not given back", lambda _, fact: _ending(fact) == "gave_back"),
            ("ruled for the payer", "not for the payer", lambda _, fact: _ruled_for_payer(fact)),
            ("attempts left", "last attempt", lambda task, _: task.attempt + 1 < MAX_ATTEMPTS),
            ("first attempt", "later attempt", lambda task, _: task.attempt == 0),
            ("about the winner", "about the auction", lambda _, fact: getattr(fact, "code", "") in ABOUT_THE_WINNER),
            ("worth another", "not worth another", lambda task, _: _worth_another(task)),
        ],
    )


def _ruled_for_payer(happened: object) -> bool:
    return getattr(happened, "outcome", "") == "ruled" and not getattr(happened, "paid", 0)


def job_life() -> Life:
    """A job I bid for."""
    return Life(
        first=provider.begin(GENESIS, INVITED),
        begun_by=INVITED,
        facts=[*PROVIDER_FACTS.values(), *PROVIDER_TURNS],
        step=provider.step,
        questions=[
            ("money came", "no money", lambda _, fact: bool(getattr(fact, "paid", 0))),
            ("answered", "not answered", lambda job, _: job.answered),
        ],
    )


def _worth_another(task: requester.RequesterTask) -> bool:
    return bool(task.failed or task.skipped) or task.outcome in WORTH_ANOTHER


def _ending(happened: object) -> str:
    return getattr(happened, "how", getattr(happened, "outcome", ""))


def written() -> str:
    """The whole page."""
    moves = list(Market().moves())
    return "\n".join(
        [
            HEAD,
            drawn("A task I submitted", "`ainur_node/domain/requester.py`.", arrows(task_life())),
            drawn("A job I bid for", "`ainur_node/domain/provider.py`.", arrows(job_life())),
            drawn(
                "An auction on chain",
                "Pallet `vcg-auction`. Who may call stands before the call; a failed escrow moves its auction, too.",
                auction_arrows(moves),
            ),
            drawn(
                "The bond of an auctioneer",
                "Pallet `vcg-auction`, in an auction whose award can be challenged; a challenge divides the bond.",
                bond_arrows(),
            ),
            drawn("An escrow on chain", "Pallet `escrow`; the final states are its settlements.", escrow_arrows(moves)),
            drawn("A payment channel", "Pallet `channels`; claims and top-ups move no state.", channel_arrows()),
        ]
    )


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
