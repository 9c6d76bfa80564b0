"""Turning calls of one account into signed extrinsics: nonce, era, runtime and tip of each."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pallets_client import extrinsic
from pallets_client.errors import ChainMisbehaviour
from pallets_client.fees import Fees, Purse
from pallets_client.keys import Sr25519
from pallets_client.link import Link
from pallets_client.records import Call, Signed

Note = Callable[[Signed], None]


class OverBudget(Exception):  # noqa: N818  # named for what happened
    """The fee is more than the account's budget allows; nothing was signed that anybody can see."""


class Signer:
    """Signs for one key; remembers which nonce is free. Used by the writer's thread."""

    def __init__(
        self, link: Link, key: Sr25519, era_blocks: int, stale_after: float, purse: Purse, on_signed: Note | None
    ) -> None:
        self.key = key
        self.purse = purse
        self.fees = Fees(link)
        self._link = link
        self._era_blocks = era_blocks
        self._stale_after = stale_after
        self._on_signed = on_signed
        self._base: int | None = None  # no smaller nonce is free; None: ask the node

    def forget_nonce(self) -> None:
        """Ask the node for the next nonce: ours may be wrong."""
        self._base = None

    def passed(self, nonce: int) -> None:
        """A block used this nonce."""
        if self._base is not None:
            self._base = max(self._base, nonce + 1)

    def free_nonce(self, taken: Collection[int]) -> int:
        """The smallest nonce that nothing uses, neither on chain, nor in the node's pool, nor here."""
        if self._base is None:
            answer = self._link.call("system_accountNextIndex", self.key.ss58)
            if type(answer) is not int or not 0 <= answer < 2**32:
                raise ChainMisbehaviour(f"the node sent {answer!r:.80} for a nonce")
            self._base = answer
        nonce = self._base
        while nonce in taken:
            nonce += 1
        return nonce

    def sign(self, call: Call, ref: bytes, nonce: int, *, tip: int = 0, counted: int | None = None) -> Signed:
        """A signed extrinsic, written down by ``on_signed`` before anybody else has its bytes.

        ``counted`` is what the budget already holds for an extrinsic that this one replaces. Raises OverBudget,
        StaleHead, and whatever ``on_signed`` raises; the bytes are then nowhere.
        """
        head = self._link.head_to_sign_on(self._stale_after)
        runtime = self._link.runtime()
        era = extrinsic.Era.at(head.number, self._era_blocks)
        terms = extrinsic.Terms(self._link.genesis, nonce, era, head.hash, tip)
        raw = extrinsic.sign(runtime, call, self.key, terms)
        cost = self._cost(call, raw, tip)
        name = f"{call.pallet}.{call.name}"
        hash_ = extrinsic.extrinsic_hash(raw)
        signed = Signed(ref, hash_, nonce, head.number, era.end, raw, name, runtime.spec_version, tip)
        if self._on_signed is not None:
            self._on_signed(signed)
        self.purse.spend(cost if counted is None else max(0, cost - counted))
        return signed

    def _cost(self, call: Call, raw: bytes, tip: int) -> int:
        if self.purse.budget is None:
            return tip
        fee = self.fees.of(call, raw)
        refused = self.purse.refusal(fee, tip)
        if refused is not None:
            raise OverBudget(refused)
        return fee + tip
