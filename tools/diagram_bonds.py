"""The states of an auctioneer's bond as arrows, found by trying every call of everybody before and after its times."""

from collections.abc import Iterator
from dataclasses import replace

from diagram_text import END, START, Arrow

from pallets_client import hashing
from pallets_client.pallets import auction_challenges, vcg_auction
from pallets_client.pallets.auction_challenges import Row, TranscriptHeader
from pallets_client.records import AIN, Call, Failed
from pallets_client.testing import InMemoryChain, MemoryWriter
from pallets_client.testing.actors import Auctioning, Party, auction_terms
from pallets_client.testing.transcripts import transcript_hash

ROOT, STRANGER = b"\x01" * 32, b"\x02" * 32
CHALLENGE = 5_000
PRICE = 2 * AIN
TAKEN, RETURNED, BURNED = "taken", "returned", "burned"
STATES = ("at_stake", "contested", "demanded", "answered")


class _Sale:
    """An auction whose award can be challenged, in a fresh world, brought to one of the states."""

    def __init__(self, state: str) -> None:
        chain = self.chain = InMemoryChain(sudo=ROOT)
        self.payer, self.winner, other = (
            Party.named(who, lambda key: MemoryWriter(chain, key)) for who in ("payer", "winner", "other")
        )
        genesis = chain.world.genesis
        for account in (self.payer.account, self.winner.account, other.account, STRANGER):
            chain.endow(account, 100 * AIN)
        for bidder in (self.winner, other):
            for call in (bidder.bind(genesis), bidder.register(), bidder.offer()):
                chain.apply(bidder.account, call)
        self.auction = Auctioning(genesis, self.payer, hashing.sha256(b"a task"))
        terms = replace(auction_terms(self.payer.node_key.public), challenge_within=CHALLENGE)
        chain.apply(self.payer.account, vcg_auction.open_(self.auction.task, 0, terms, chain.world.now + 60_000))
        self.auction.bid(self.winner, AIN)
        self.auction.bid(other, PRICE)
        chain.advance(terms.commit_within + 1)
        chain.apply(self.payer.account, self.auction.close())
        self.written = self._transcript(other)
        digest = transcript_hash(genesis, self.auction.id, *self.written)
        self.award = vcg_auction.award(
            self.auction.id, 0, self.auction.proof(self.winner), PRICE, digest, all_revealed=True
        )
        way = {"award": (self.payer, self.award), "demand": (self.winner, auction_challenges.demand(self.auction.id))}
        way["publish"] = (self.payer, auction_challenges.publish(self.auction.id, *self.written))
        for name in ("award", "demand", "publish")[: STATES.index(state)]:
            chain.apply(way[name][0].account, way[name][1])

    def _transcript(self, setter: Party) -> tuple[TranscriptHeader, list[Row]]:
        world, id_ = self.chain.world, self.auction.id
        a, closing = world.auctions[id_], world.closings[id_]
        owed = a.reserve * a.quality_bps * 500_000 // 10**10
        rows = []
        for account, (_, opening) in sorted(self.auction.bids.items()):
            bid = (opening.commit(world.genesis, id_), 0, opening.ask, opening.terms.hash(world.genesis), opening.nonce)
            rows.append(Row(account, account, *bid, 500_000, owed, opening.ask + owed))
        weights = (a.reserve, a.quality_bps, a.score_epoch, world.block_hashes[closing.block])
        return TranscriptHeader(closing.root, 1, *weights, self.winner.account, PRICE, setter.account), rows

    def calls(self) -> dict[str, Call]:
        """Whatever may be tried, and a proof that convicts at any time."""
        id_, genesis = self.auction.id, self.chain.world.genesis
        tree = hashing.leaf_hash(STRANGER, bytes(32))
        signed = self.payer.node_key.sign_digest(hashing.root_hash(genesis, id_, 1, tree))
        return {
            "award": self.award,
            "expire": vcg_auction.expire(id_),
            "challenge": auction_challenges.challenge(id_, auction_challenges.two_roots(1, tree, signed)),
            "challenge (withheld)": auction_challenges.challenge(id_, auction_challenges.WITHHELD),
            "demand": auction_challenges.demand(id_),
            "publish": auction_challenges.publish(id_, *self.written),
            "release_bond": auction_challenges.release_bond(id_),
        }

    def state(self, event: str = "") -> str:
        """Where the bond stands; ``event`` is the last that the chain told."""
        auction, window = (self.chain.world.auctions[self.auction.id], self.chain.world.windows.get(self.auction.id))
        if not auction.bond:
            return {"Challenged": TAKEN, "BondReleased": RETURNED}.get(event, BURNED)
        if window is None:
            return "at_stake"
        return "answered" if window.answered else "demanded" if window.demanded else "contested"


def bond_arrows() -> Iterator[Arrow]:
    """How a bond moves."""
    who_may: dict[tuple[str, str, str], list[str]] = {}
    dispute_answer = InMemoryChain(sudo=ROOT).world.params.dispute_answer
    for state in STATES:
        for late in (0, CHALLENGE + 1, dispute_answer + CHALLENGE + 1):
            for seat in ("payer", "payee", "a stranger"):
                for name in _Sale(state).calls():
                    after = _tried(state, name, seat, late)
                    if after != state:
                        seats = who_may.setdefault((name, state, after), [])
                        seats += [] if seat in seats else [seat]
    yield Arrow(START, "at_stake", "payer / close")
    for (name, before, after), seats in who_may.items():
        yield Arrow(before, after, f"{'anyone' if 'a stranger' in seats else ' or '.join(seats)} / {name}")
    for end in (TAKEN, RETURNED, BURNED):
        yield Arrow(end, END, "")


def _tried(state: str, name: str, seat: str, late: int) -> str:
    """The state after one call in a fresh world."""
    sale = _Sale(state)
    if late:
        sale.chain.advance(late)
    account = {"payer": sale.payer.account, "payee": sale.winner.account, "a stranger": STRANGER}[seat]
    outcome = sale.chain.apply(account, sale.calls()[name])
    if isinstance(outcome, Failed):
        return state
    told = [event.name for event in outcome.events if event.pallet == "VcgAuction"]
    return sale.state(told[-1] if told else "")
