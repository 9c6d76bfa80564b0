"""The states of an auction and its escrow as arrows, found by trying every call of everybody at every deadline."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from diagram_text import END, START, Arrow

from pallets_client import hashing
from pallets_client.pallets import escrow, vcg_auction
from pallets_client.pallets.escrow import Settled
from pallets_client.pallets.market import DEVELOPMENT
from pallets_client.pallets.vcg_auction import Awarded
from pallets_client.records import AIN, Call, Included
from pallets_client.testing import InMemoryChain, MemoryWriter
from pallets_client.testing.actors import Auctioning, Party
from pallets_client.testing.world import DispatchError, World

BIDDERS = 6  # one more than an auction takes back, so that the last failure ends it
ROOT, STRANGER = b"\x01" * 32, b"\x02" * 32


@dataclass(frozen=True, slots=True)
class Move:
    """A call that was taken: who, which, and the states of auction and escrow before and after it."""

    who: str
    call: str
    before: tuple[str, str]
    after: tuple[str, str]


def auction_arrows(moves: Sequence[Move]) -> Iterator[Arrow]:
    """How the auction moves."""
    return _arrows((move, move.before[0], move.after[0]) for move in moves)


def escrow_arrows(moves: Sequence[Move]) -> Iterator[Arrow]:
    """How its escrow moves; that of the next winner takes the place of a failed one's, so it counts as new."""
    return _arrows((move, START if move.call == "award" else move.before[1], move.after[1]) for move in moves)


def _arrows(moves: Iterable[tuple[Move, str, str]]) -> Iterator[Arrow]:
    who_may: dict[tuple[str, str, str], list[str]] = {}
    for move, before, after in moves:
        if before != after and (before, after) != (START, END):
            who_may.setdefault((move.call, before, after), []).append(move.who)
    for (call, before, after), callers in who_may.items():
        seats = list(dict.fromkeys(callers))
        yield Arrow(before, after, f"{'anyone' if 'a stranger' in seats else ' or '.join(seats)} / {call}")


class Market:
    """One payer, some bidders, and what everybody may try."""

    def __init__(self) -> None:
        chain = InMemoryChain(sudo=ROOT, params=DEVELOPMENT)
        self.chain, genesis = chain, chain.world.genesis
        parties = [
            Party.named(name, lambda key: MemoryWriter(chain, key))
            for name in ("payer", *(f"bidder {number}" for number in range(BIDDERS)))
        ]
        for party in parties:
            chain.endow(party.account, 100 * AIN)
        self.payer, *self.bidders = parties
        for bidder in self.bidders:
            for call in (bidder.bind(genesis), bidder.register(), bidder.offer()):
                assert isinstance(bidder.do(call), Included)
        self.auction = Auctioning(genesis, self.payer, hashing.sha256(b"a task"))
        for number, bidder in enumerate(self.bidders):
            self.auction.bid(bidder, AIN + number)
        self.ids = self.auction.id, self.auction.escrow_id()

    def moves(self) -> Iterator[Move]:
        """Every call that is taken in some state at the start of it or just after a deadline."""
        waiting, known = [self.chain.world.snapshot()], set()
        while waiting:
            world = waiting.pop(0)
            for who, account, call in self._calls(world):
                for after in self._taken(world, account, call):
                    yield Move(who, call.name, self._states(world), self._states(after))
                    if self._shape(after) not in known:
                        known.add(self._shape(after))
                        waiting.append(after)

    def _calls(self, world: World) -> Iterator[tuple[str, bytes, Call]]:
        auction, deal = self.ids
        calls = [self.auction.close(), *(self.auction.award(bidder, AIN * 2) for bidder in self.bidders)]
        calls += [vcg_auction.cancel(auction), vcg_auction.expire(auction)]
        calls += [vcg_auction.no_sale(auction, hashing.sha256(b"a transcript"), all_revealed=True)]
        calls += [escrow.decline(deal, 0), escrow.deliver(deal, 0, hashing.sha256(b"a delivery")), escrow.refund(deal)]
        calls += [escrow.accept(deal, 0, verified=True), escrow.auto_release(deal), escrow.give_back(deal)]
        calls += [escrow.dispute(deal, 0, 2, hashing.sha256(b"evidence")), escrow.timeout_dispute(deal)]
        calls += [escrow.resolve(deal, 0), escrow.forget(deal), escrow.forget(auction)]
        if auction not in world.auctions and not world.auctions:
            calls.append(self.auction.open(world.now))
        seats = {"payer": self.payer.account, "a stranger": STRANGER, "root": ROOT}
        if deal in world.escrows:
            seats["payee"] = world.escrows[deal].payee
        for call in calls:
            yield from ((who, account, call) for who, account in seats.items())

    def _taken(self, world: World, account: bytes, call: Call) -> Iterator[World]:
        for moment in self._moments(world):
            tried = world.snapshot()
            tried.now, tried.block = moment, world.block + 1
            tried.block_hashes[tried.block] = hashing.blake2_256(bytes([tried.block % 256]))
            self.chain.world = tried
            try:
                self.chain._dispatch(account, call, root=account == ROOT)
            except DispatchError:
                continue
            yield tried
            return

    def _moments(self, world: World) -> list[int]:
        """Now, and just after each deadline to come."""
        deadlines: list[int] = []
        for auction in world.auctions.values():
            deadlines += [auction.commit_end, auction.reveal_end, auction.award_by]
            deadlines.append(getattr(auction.state, "at", 0) + world.params.tombstone)
        for deal in world.escrows.values():
            at = getattr(deal.state, "at", 0)
            deadlines += [deal.start_by, deal.deliver_by, at + deal.review_within, at + world.params.tombstone]
            deadlines.append(getattr(deal.state, "until", 0))
        return [world.now + 1, *sorted(moment + 1 for moment in set(deadlines) if moment > world.now)]

    def _states(self, world: World) -> tuple[str, str]:
        auction, deal = (table.get(key) for table, key in zip((world.auctions, world.escrows), self.ids, strict=True))
        gone = END if world.block else START
        return _state_name(auction, gone), _state_name(deal, gone)

    def _shape(self, world: World) -> Any:
        auction = world.auctions.get(self.ids[0])
        return self._states(world), auction and (len(auction.failed), isinstance(auction.state, Awarded))


def _state_name(record: Any, gone: str) -> str:
    if record is None:
        return gone
    state = record.state
    if isinstance(state, Settled):
        return state.outcome.name.lower()
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(state).__name__).removeprefix("_")
