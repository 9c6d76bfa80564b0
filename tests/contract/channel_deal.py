"""One payment channel of the contract suites: a payer, a payee, and the vouchers between them."""

from __future__ import annotations

from typing import Any

from chain_world import World

from pallets_client.hashing import sha256
from pallets_client.keys import NodeKey
from pallets_client.pallets import channels
from pallets_client.pallets.channels import KeyKind, SessionKey, Voucher
from pallets_client.records import AIN, Call
from pallets_client.testing.actors import Party

DEPOSIT, CHALLENGE, LIFE = 10 * AIN, 10_000, 600_000
SESSION = NodeKey(sha256(b"a session key"))
KEY = SessionKey(KeyKind.ED25519, SESSION.public)


class Deal:
    """A payer, a payee, and one channel between them."""

    def __init__(self, world: World, **terms: int) -> None:
        self.world = world
        self.payer, self.payee = world.party("payer"), world.party("payee")
        self.terms = {"deposit": DEPOSIT, "challenge": CHALLENGE, "life": LIFE, **terms}
        self.key = KEY
        self.id = bytes(32)

    def call(self, **changes: Any) -> Call:
        given = {**self.terms, "payee": self.payee.account, **changes}
        expires = given.get("expires", self.world.client.market_now() + given["life"])
        return channels.open_(given["payee"], self.key, given["deposit"], given["challenge"], expires)

    def opened(self) -> Deal:
        counter = self.world.client.channel_counter(self.payer.account)
        self.world.ok(self.payer, self.call())
        self.id = channels.channel_id(self.world.genesis, self.payer.account, self.payee.account, counter)
        self.before = (self.world.wealth(self.payer), self.world.wealth(self.payee))
        return self

    def voucher(self, cumulative: int, seq: int = 1, *, key: NodeKey = SESSION, genesis: bytes = b"") -> Voucher:
        genesis = genesis or self.world.genesis
        digest = channels.voucher_digest(genesis, self.id, cumulative, seq)
        return Voucher(cumulative, seq, key.sign_digest(digest))

    def claim(self, cumulative: int, seq: int = 1, **how: Any) -> Call:
        return channels.claim(self.id, self.voucher(cumulative, seq, **how))

    def record(self) -> channels.Channel | None:
        found: channels.Channel | None = self.world.client.channel(self.id)
        return found

    def gains(self) -> tuple[int, int]:
        """What both have more than when it was opened, fees of calls apart."""
        wealth = (self.world.wealth(self.payer), self.world.wealth(self.payee))
        return wealth[0] - self.before[0], wealth[1] - self.before[1]

    def refuses(self, *expected: tuple[Party, Call, str]) -> None:
        def look() -> Any:
            return self.record(), self.gains(), self.world.held(self.payer)

        before = look()
        found = self.world.errors([(party, call) for party, call, _ in expected])
        assert found == [f"Channels.{error}" for _, _, error in expected]
        assert look() == before
