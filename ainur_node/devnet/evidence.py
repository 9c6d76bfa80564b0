"""What the chain itself says about a world: money, scores and fees, read without any node's help."""

from collections.abc import Mapping
from dataclasses import dataclass

from ainur_node.devnet.plan import Plan
from pallets_client.client import ChainClient
from pallets_client.pallets.reputation import Score, quality
from pallets_client.records import NEUTRAL_SCORE, Account

MAX_BLOCKS = 4096
"""Blocks whose fees are added up: one demo takes a few dozen, old ones are not readable anyway."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All nodes' money and scores at one block, by node name."""

    number: int
    hash: bytes
    accounts: Mapping[str, Account]
    scores: Mapping[str, Score | None]
    score_k: int

    def total(self, name: str) -> int:
        """Planck an account owns, free or held."""
        account = self.accounts[name]
        return account.free + sum(account.held.values())

    def quality(self, name: str) -> int:
        """Score in millionths by the evidence so far, without decay; 500,000 when there is none."""
        score = self.scores[name]
        return NEUTRAL_SCORE if score is None else quality(score.a, score.b, self.score_k)


def snapshot(chain: ChainClient, plan: Plan, capability: bytes) -> Snapshot:
    """Read everything at the best block."""
    head = chain.head()
    accounts = {node.name: chain.account(bytes.fromhex(node.account), at=head.hash) for node in plan.nodes}
    scores = {
        node.name: chain.score(bytes.fromhex(node.account), capability, at=head.hash)
        for node in plan.nodes
        if node.provider
    }
    return Snapshot(head.number, head.hash, accounts, scores, chain.params(at=head.hash).score_k)


def fees_between(chain: ChainClient, plan: Plan, first: int, last: int) -> dict[str, int]:
    """Extrinsic fees that each node paid in blocks ``first + 1`` to ``last``, by node name."""
    names = {bytes.fromhex(node.account): node.name for node in plan.nodes}
    fees = dict.fromkeys(names.values(), 0)
    for number in range(first + 1, min(last, first + MAX_BLOCKS) + 1):
        for event in chain.events(chain.block(number).hash):
            if event.pallet == "TransactionPayment" and event.name == "TransactionFeePaid":
                name = names.get(event.fields["who"])
                if name is not None:
                    fees[name] += int(event.fields["actual_fee"])
    return fees
