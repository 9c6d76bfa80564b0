"""One random walk of channel calls, with liars, on both chains in step: the same answers, holds and records."""

from __future__ import annotations

import random
from typing import Any

import pytest
from chain_world import World, memory_world
from channel_deal import SESSION, Deal

from pallets_client.hashing import sha256
from pallets_client.keys import NodeKey
from pallets_client.pallets import channels
from pallets_client.pallets.channels import Claim
from pallets_client.records import AIN, Failed, Included


class Walker:
    """The same random calls in one world; no deadline passes during the walk."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deals = [Deal(world, challenge=3_600_000, life=86_400_000).opened() for _ in range(3)]
        for deal in self.deals:
            world.ok(deal.payee, deal.payee.bind(world.genesis))

    def step(self, dice: random.Random) -> str:
        deal, total, seq = dice.choice(self.deals), dice.randrange(0, 12 * AIN, AIN // 3), dice.randrange(5)
        who = dice.choice([deal.payer, deal.payee])
        liar = dice.random() < 0.25
        key = NodeKey(sha256(b"a liar")) if liar else SESSION
        until = self.world.client.market_now() + 600_000
        digest = channels.close_digest(self.world.genesis, deal.id, total, until)
        other = dice.choice(self.deals)
        claims = [Claim(d.id, d.voucher(total + i, seq, key=key)) for i, d in enumerate((deal, other, deal))]
        calls = {
            "claim": deal.claim(total, seq, key=key),
            "batch": channels.claim_batch(claims),
            "top up": channels.top_up(deal.id, total),
            "ask": channels.request_close(deal.id),
            "end": channels.finalize(deal.id),
            "close": channels.close(deal.id, deal.voucher(total, seq, key=key) if total else None),
            "agree": channels.close_mutual(
                deal.id, total, until, key.sign_digest(digest), deal.payee.node_key.sign_digest(digest)
            ),
            "open": deal.call(),
        }
        what = dice.choice(["claim"] * 6 + ["batch"] * 2 + list(calls))
        if what in ("close", "agree", "ask") and dice.random() < 0.5:
            what = "claim"
        counter = self.world.client.channel_counter(deal.payer.account)
        outcome = self.world.do(who, calls[what])
        if what == "open" and isinstance(outcome, Included) and who is deal.payer:
            deal.id = channels.channel_id(self.world.genesis, who.account, deal.payee.account, counter)
        return outcome.error if isinstance(outcome, Failed) else f"{what}: ok"

    def picture(self) -> list[Any]:
        look: list[Any] = []
        for deal in self.deals:
            record = deal.record()
            held = self.world.held(deal.payer)
            look.append((deal.gains(), held, record and (record.deposit, record.claimed, record.seq)))
        return look


@pytest.mark.real
@pytest.mark.slow
def test_a_random_walk_with_liars_is_the_same_on_both_chains(fresh_chain: World) -> None:
    walkers = [Walker(memory_world()), Walker(fresh_chain)]
    seen = set()
    for number in range(120):
        answers = [walker.step(random.Random(number)) for walker in walkers]
        assert answers[0] == answers[1], f"step {number}"
        seen.add(answers[0])
        pictures = [walker.picture() for walker in walkers]
        assert pictures[0] == pictures[1], f"after step {number}"
    assert {"claim: ok", "batch: ok", "top up: ok", "open: ok"} <= seen
    assert {"Channels.BadVoucher", "Channels.StaleVoucher", "Channels.AboveDeposit"} <= seen
