"""Writes tests/vectors/auctions.json: sales that Python and the crate auction-math must agree on.

Few of them stand there in full; of twenty thousand random ones only digests do, which both sides compute anew from
the same generator. `python tools/auction_vectors.py` writes the file, tests/domain/test_slot_rule.py compares it.
"""

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from ainur_node.domain.auction.rules import fee_of, reserve_of
from ainur_node.domain.auction.single import Bidder, Sale
from ainur_node.domain.auction.slots import sell
from ainur_node.domain.ids import AccountId
from ainur_node.domain.money import MAX_BUDGET, Amount

FILE = Path(__file__).parents[1] / "tests" / "vectors" / "auctions.json"
SEED = 0x5EED
CHUNKS = 40
PER_CHUNK = 500
MASK = 2**64 - 1


class Dice:
    """splitmix64, as in chain/auction-math/tests/vectors.rs."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def word(self) -> int:
        """The next 64 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        """A number below ``n``."""
        return self.word() % n


def fnv(digest: int, data: bytes) -> int:
    """FNV-1a, 64 bits, going on from ``digest``."""
    for byte in data:
        digest = ((digest ^ byte) * 0x100000001B3) & MASK
    return digest


def instance(dice: Dice) -> tuple[list[Bidder], Amount, int, set[AccountId]]:
    """A random auction; half of them have small numbers, so that bids tie, half the largest there are."""
    slots, large = 1 + dice.below(5), dice.below(2) == 1
    reserve = dice.word() << 26 if large else dice.below(60)
    bidders, out = [], set()
    for _ in range(dice.below(13)):
        ask = dice.word() << 26 if large else dice.below(50)
        penalty = dice.word() << 20 if large else dice.below(8)
        who = AccountId(b"".join(dice.word().to_bytes(8, "little") for _ in range(4)))
        if dice.below(4) == 0:
            out.add(who)
        bidders.append(Bidder(who, Amount(ask), 0, penalty))
    return bidders, Amount(reserve), slots, out


def outcome(bidders: list[Bidder], sales: tuple[Sale, ...]) -> list[tuple[int, int, int | None]]:
    """Winner, price and price setter of each sale, bidders by their place."""
    place = {b.provider: i for i, b in enumerate(bidders)}
    return [
        (place[s.winner.provider], s.price, None if s.price_setter is None else place[s.price_setter]) for s in sales
    ]


def chunks() -> Iterator[int]:
    """A digest for each chunk of random auctions."""
    dice = Dice(SEED)
    for _ in range(CHUNKS):
        digest = 0xCBF29CE484222325
        for _ in range(PER_CHUNK):
            bidders, reserve, slots, out = instance(dice)
            # the account stands for its tie key: here it is random anyway
            sales = sell(bidders, reserve, slots, bytes, out)
            for winner, price, setter in outcome(bidders, sales):
                place = 0 if setter is None else setter + 1
                line = winner.to_bytes(8, "little") + price.to_bytes(16, "little") + place.to_bytes(8, "little")
                digest = fnv(digest, line)
            digest = fnv(digest, len(sales).to_bytes(8, "little"))
        yield digest


def case(reserve: int, slots: int, bids: list[tuple[int, int]], out: tuple[int, ...] = ()) -> dict[str, Any]:
    """One sale in full."""
    bidders = [
        Bidder(AccountId(sha256(bytes([i])).digest()), Amount(ask), 0, penalty) for i, (ask, penalty) in enumerate(bids)
    ]
    sales = sell(bidders, Amount(reserve), slots, bytes, {bidders[i].provider for i in out})
    return {
        "reserve": str(reserve),
        "slots": slots,
        "bids": [[str(b.ask), str(b.penalty), b.provider.hex()] for b in bidders],
        "out": list(out),
        "sales": [[winner, str(price), setter] for winner, price, setter in outcome(bidders, sales)],
    }


def cases() -> list[dict[str, Any]]:
    """Sales that show one thing each: reserve, ties, penalties, failed winners, fewer bidders than slots, limits."""
    ain = 10**12
    return [
        case(3 * ain, 1, []),
        case(3 * ain, 1, [(ain, 0)]),
        case(3 * ain, 1, [(ain, 0), (2 * ain, 0)]),
        case(3 * ain, 1, [(3 * ain, 0)]),
        case(3 * ain, 1, [(3 * ain, 1)]),
        case(3 * ain, 1, [(ain, 7), (ain, 7), (ain, 7)]),
        case(3 * ain, 1, [(ain, ain), (2 * ain, 0), (2 * ain + 1, 0)]),
        case(3 * ain, 1, [(ain, 0), (2 * ain, 5), (2 * ain + 9, 0)], (0,)),
        case(3 * ain, 1, [(ain, 0), (2 * ain, 5)], (0, 1)),
        case(3 * ain, 2, [(ain, 0), (2 * ain, 0), (2 * ain + 1, 0), (3 * ain, 0)]),
        case(3 * ain, 3, [(ain, 1), (2 * ain, 2)]),
        case(3 * ain, 2, [(ain, 0), (ain, 0), (ain, 0), (ain, 0)]),
        case(3 * ain, 4, [(5 * ain, 0), (ain, 9), (ain, 8), (4 * ain, 0), (2 * ain, 0)], (2,)),
        case(3 * ain, 16, [(ain + i, 20 - i) for i in range(20)]),
        case(MAX_BUDGET, 2, [(MAX_BUDGET, 0), (MAX_BUDGET - 1, 1), (0, MAX_BUDGET), (1, MAX_BUDGET)]),
        case(0, 2, [(0, 0), (0, 0), (0, 1)]),
    ]


def forfeit(bond: int, loss: int) -> tuple[int, ...]:
    """How a bond is divided (docs/protocol.md §5.4): bond, loss; burned, to the victim, to the challenger."""
    burned = -(-bond // 2)
    victim = min(loss, bond - burned)
    return bond, loss, burned, victim, bond - burned - victim


def rows() -> dict[str, Any]:
    """Everything in the file."""
    budgets, fees = [0, 1, 7, 10**12, 3 * 10**12 + 7, MAX_BUDGET - 1, MAX_BUDGET], [0, 1, 100, 9_999, 10_000]
    return {
        "cases": cases(),
        "slot_reserve": [
            [str(b), slots, fee, str(r := reserve_of(Amount(b // slots), fee)), str(fee_of(r, fee))]
            for b in budgets
            for slots in (1, 2, 3, 16)
            for fee in fees
        ],
        "forfeit": [
            [str(n) for n in forfeit(bond, loss)]
            for bond in (0, 1, 2, 7, 10**12, 2**128 - 1)
            for loss in (0, 1, 3, 10**11, 2**128 - 1)
        ],
        "random": {
            "seed": SEED,
            "per_chunk": PER_CHUNK,
            "chunks": [f"{digest:016x}" for digest in chunks()],
        },
    }


def text() -> str:
    """The file as it is to be."""
    return json.dumps(rows(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
