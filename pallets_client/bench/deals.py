"""Awarded escrows in number, on any chain with our runtime: what the calls that are counted are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic

from pallets_client.client import ChainClient
from pallets_client.hashing import sha256
from pallets_client.keys import Sr25519
from pallets_client.nonce import Writer
from pallets_client.pallets import balances, vcg_auction
from pallets_client.pallets.utility import batch_all
from pallets_client.records import AIN, Call, Included
from pallets_client.testing.actors import ANSWER_WITHIN, Auctioning, Party, auction_terms

PAYER_FUNDS, PROVIDER_FUNDS, STAKE = 4_000 * AIN, 500 * AIN, 400 * AIN
BUDGET, ASK, PRICE = 10 * AIN, 2 * AIN, 3 * AIN
CHUNK = 160
"""Deals brought from open to award together: all within the time that an award may take."""
ITEMS = 20  # calls of one batch: awards prove a lot, and one block must hold several batches
MARKET_TIME_WITHIN = 120.0  # seconds for a commit window to pass, also on a chain of slow blocks
_WINDOWS = {
    "commit_within": 500,
    "reveal_within": 20_000,
    "start_within": 20_000,
    "deliver_within": 600_000,
    "review_within": 60_000,
}


class SetupFailed(Exception):  # noqa: N818  # named for what happened
    """A chain did not take a call that the measurement needs."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One escrow that waits for its delivery."""

    escrow: bytes
    payer: Sr25519
    payee: Sr25519


class Dealers:
    """Payers and providers of a bench, each with a writer of its own."""

    def __init__(self, url: str, bank: Sr25519, pairs: int, label: str) -> None:
        self.client = ChainClient(url, timeout=60.0)
        self.genesis = self.client.genesis_hash
        self._writers: list[Writer] = []

        def writer_of(key: Sr25519) -> Writer:
            made = Writer(url, key, timeout=60.0, patience=300.0, era_blocks=4096, stale_after=600.0)
            self._writers.append(made)
            return made

        self.bank = writer_of(bank)
        self.payers = [Party.named(f"bench payer {label} {number}", writer_of) for number in range(pairs)]
        self.payees = [Party.named(f"bench provider {label} {number}", writer_of) for number in range(pairs)]

    def close(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.close()
        self.client.close()

    def enrol(self) -> None:
        """Money for everybody, a stake and an agent for each provider."""
        gifts = [balances.transfer(each.account, PAYER_FUNDS) for each in self.payers]
        gifts += [balances.transfer(each.account, PROVIDER_FUNDS) for each in self.payees]
        _do([(self.bank, batch_all(gifts))])
        _do(
            [
                (each.writer, batch_all((each.bind(self.genesis), each.register(STAKE), each.offer())))
                for each in self.payees
            ]
        )

    def deals(self, count: int, tell: Callable[[str], None]) -> list[Deal]:
        """``count`` awarded escrows, dealt out evenly."""
        made: list[Deal] = []
        for first in range(0, count, CHUNK):
            made += self._chunk(range(first, min(first + CHUNK, count)))
            tell(f"{len(made)} of {count} escrows funded")
        return made

    def _chunk(self, numbers: Sequence[int]) -> list[Deal]:
        auctions = [self._auctioning(number) for number in numbers]
        now = self.client.market_now()
        terms = [
            replace(auction_terms(each.payer.node_key.public, BUDGET), **_WINDOWS)  # type: ignore[arg-type]  # all ints
            for each in auctions
        ]
        opens = [
            vcg_auction.open_(each.task, 0, term, now + 120_000) for each, term in zip(auctions, terms, strict=True)
        ]
        self._batches(auctions, opens)
        self._wait_past(self.client.market_now() + _WINDOWS["commit_within"])
        self._batches(auctions, [each.close() for each in auctions])
        self._one_more_block()  # an award comes in a later block than the close
        winners = [self.payees[number % len(self.payees)] for number in numbers]
        awards = [each.award(winner, PRICE) for each, winner in zip(auctions, winners, strict=True)]
        self._batches(auctions, awards)
        return [
            Deal(each.escrow_id(), each.payer.key, winner.key) for each, winner in zip(auctions, winners, strict=True)
        ]

    def _auctioning(self, number: int) -> Auctioning:
        payer = self.payers[number % len(self.payers)]
        made = Auctioning(self.genesis, payer, sha256(payer.account + b"deal %d" % number), budget=BUDGET)
        made.bid(self.payees[number % len(self.payees)], ASK)
        return made

    def _batches(self, auctions: Sequence[Auctioning], calls: Sequence[Call]) -> None:
        by_payer: dict[bytes, tuple[Party, list[Call]]] = {}
        for auction, call in zip(auctions, calls, strict=True):
            by_payer.setdefault(auction.payer.account, (auction.payer, []))[1].append(call)
        _do(
            [
                (party.writer, batch_all(own[at : at + ITEMS]))
                for party, own in by_payer.values()
                for at in range(0, len(own), ITEMS)
            ]
        )

    def _wait_past(self, market_time: int) -> None:
        deadline = monotonic() + MARKET_TIME_WITHIN
        while self.client.market_now() <= market_time:
            if monotonic() > deadline:
                raise SetupFailed("market time stands still")
            self._one_more_block()

    def _one_more_block(self) -> None:
        """An extrinsic makes a block on chains that wait for one, and only blocks move market time."""
        _do([(self.bank, Call("System", "remark", {"remark": b""}))])


@contextmanager
def dealers(url: str, bank: Sr25519, pairs: int, label: str) -> Iterator[Dealers]:
    """Enrolled dealers, and the end of their connections."""
    made = Dealers(url, bank, pairs, label)
    try:
        made.enrol()
        yield made
    finally:
        made.close()


def _do(calls: Sequence[tuple[object, Call]]) -> None:
    futures = [writer.submit(call, b"") for writer, call in calls]  # type: ignore[attr-defined]  # any writer
    for (_, call), future in zip(calls, futures, strict=True):
        outcome = future.result(ANSWER_WITHIN * 3)
        if not isinstance(outcome, Included):
            raise SetupFailed(f"{call.pallet}.{call.name}: {outcome}")
