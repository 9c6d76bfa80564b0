"""Meaningful sequences of calls: providers who register, deals from the open budget to the settled escrow.

A story is a generator. It yields the next call with who makes it, or None to let a block pass; it is asked again only
in the block after. What it is told by the chain it reads itself.
"""

import random
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.pallets import agent_registry, did, escrow, vcg_auction
from pallets_client.records import AIN, Call, Outcome
from pallets_client.testing.actors import Auctioning, Party, auction_terms

from .people import Person

Turn = tuple[Person, Call] | None
Story = Iterator[Turn]


class View(Protocol):
    """What a story may know of the chain."""

    @property
    def genesis(self) -> bytes:
        """Hash of block 0."""
        ...

    @property
    def now(self) -> int:
        """Market time of the head, in milliseconds."""
        ...

    def stored(self, pallet: str, item: str, *keys: bytes) -> object:
        """Decoded value at the head, None when there is none."""
        ...


def party(person: Person) -> Party:
    """The person as the builders of the market's calls know people."""
    return Party(person.name, _NoWriter(), Sr25519(person.seed), person.node_key)


class _NoWriter:
    def submit(self, call: Call, ref: bytes) -> "Future[Outcome]":
        raise NotImplementedError  # here calls are put into blocks by hand


def provider(view: View, person: Person, dice: random.Random) -> Story:
    """Bind a node key, put up a stake, register an agent; then change all of it now and then."""
    me = party(person)
    yield person, me.bind(view.genesis)
    yield person, me.register(dice.randrange(12, 60) * AIN)
    yield person, me.offer()
    while True:
        for _ in range(dice.randrange(8, 40)):
            yield None
        agent = me.terms(view.genesis).agent
        yield (
            person,
            dice.choice(
                (
                    agent_registry.bond_extra(dice.randrange(1, 5) * AIN),
                    agent_registry.unbond(dice.randrange(1, 3) * AIN),
                    agent_registry.withdraw_unbonded(),
                    agent_registry.update_agent(agent, dice.randbytes(32), dice.randbytes(32), 0, 0),
                    did.create(person.node_key.public, bytes(64)),
                )
            ),
        )


def deal(view: View, payer: Person, bidders: list[Person], dice: random.Random) -> Story:
    """One auction and what follows from it; at each turn dice choose among what could happen."""
    budget = dice.randrange(2, 12) * AIN
    sale = Auctioning(view.genesis, party(payer), dice.randbytes(32), budget=budget)
    terms = replace(
        auction_terms(sale.payer.node_key.public, budget),
        reveal_within=dice.randrange(5_000, 20_000),
        start_within=dice.randrange(4_000, 15_000),
        deliver_within=dice.randrange(6_000, 25_000),
        review_within=dice.randrange(5_000, 20_000),
    )
    yield payer, vcg_auction.open_(sale.task, 0, terms, view.now + dice.randrange(5_000, 50_000))
    for bidder in bidders:
        sale.bid(party(bidder), dice.randrange(1, 20) * AIN // 10)
    for _ in range(dice.randrange(1, 4)):
        yield None
    if dice.random() < 0.1:
        yield payer, vcg_auction.cancel(sale.id)
    if dice.random() < 0.9:
        yield payer, sale.close()
        yield None
        yield from _award(sale, payer, bidders, dice)
    yield from _after(view, sale, payer, bidders, dice)


def _award(sale: Auctioning, payer: Person, bidders: list[Person], dice: random.Random) -> Story:
    asks = {account: opening.ask for account, (_, opening) in sale.bids.items()}
    order = sorted(bidders, key=lambda bidder: asks[bidder.account])
    if dice.random() < 0.1:
        yield payer, vcg_auction.no_sale(sale.id, sha256(b"a transcript"), all_revealed=True)
    # honest ones pay the second price; others too much, too little, or somebody else
    winner = order[0] if dice.random() < 0.8 else dice.choice(order)
    price = asks[order[-1].account] if dice.random() < 0.8 else dice.randrange(3 * AIN)
    yield payer, sale.award(party(winner), price)


def _after(view: View, sale: Auctioning, payer: Person, bidders: list[Person], dice: random.Random) -> Story:
    escrow_id = sale.escrow_id()
    for _ in range(dice.randrange(3, 14)):
        for _ in range(dice.choice((0, 0, 1, 2, 6))):
            yield None
        found = view.stored(escrow.PALLET, "Escrows", escrow_id)
        state = found["state"].name if isinstance(found, dict) and hasattr(found.get("state"), "name") else ""
        payee = next((b for b in bidders if isinstance(found, dict) and b.account == found.get("payee")), bidders[0])
        anyone = dice.choice((payer, *bidders))
        likely = {
            "Funded": [(payee, escrow.deliver(escrow_id, 0, dice.randbytes(32)))] * 6
            + [(payee, escrow.decline(escrow_id, dice.randrange(4))), (anyone, escrow.refund(escrow_id))],
            "Delivered": [
                *[(payer, escrow.accept(escrow_id, 0, verified=dice.random() < 0.7))] * 3,
                *[(payer, escrow.dispute(escrow_id, 0, dice.randrange(6), dice.randbytes(32)))] * 4,
                (anyone, escrow.auto_release(escrow_id)),
                (payee, escrow.give_back(escrow_id)),
            ],
            "Disputed": [
                (payee, escrow.give_back(escrow_id)),
                (payer, escrow.accept(escrow_id, 0, verified=False)),
                (anyone, escrow.timeout_dispute(escrow_id)),
                (anyone, escrow.resolve(escrow_id, dice.randrange(10_002))),
            ],
        }.get(state, [(anyone, vcg_auction.expire(sale.id)), (anyone, escrow.forget(escrow_id))])
        yield dice.choice(likely)
