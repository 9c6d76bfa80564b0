"""What calls of this account would cost now, asked from the chain without signing anything that leaves."""

from collections.abc import Sequence
from typing import Any

import trio

from ainur_node.domain.agent import agent_id
from ainur_node.domain.ids import AccountId
from ainur_node.domain.manifest import Manifest
from ainur_node.domain.money import Amount
from ainur_node.errors import Transient
from ainur_node.ledger.registration import STAKE_FACTOR
from pallets_client.errors import ChainError
from pallets_client.keys import Sr25519
from pallets_client.pallets import agent_registry, balances, did, escrow, vcg_auction
from pallets_client.records import Call

_ZERO = bytes(32)
MANY_LEVELS = 5
"""Of the tree whose branch an award carries: as many as 32 bids need."""


class Quotes:
    """Fees of the calls behind each command; a fee depends on kind and size of a call, not on what it says."""

    def __init__(self, client: Any, key: Sr25519) -> None:
        self._client = client
        self._key = key

    async def transfer(self, to: bytes, amount: Amount) -> dict[str, Amount]:
        """Fee of a transfer, by call name."""
        return await self._fees([balances.transfer(to, amount)])

    async def task(self, budget: Amount) -> dict[str, Amount]:
        """Fees of all calls that a task takes from open to payment."""
        terms = vcg_auction.AuctionTerms(_ZERO, _ZERO, _ZERO, 0, 1, 1, budget, 0, 0, 1, 1, 1, 1, 1)
        promise = vcg_auction.AgentTerms(_ZERO, 1, _ZERO, 1, _ZERO, 0, 1, 1, 0, 1)
        proof = vcg_auction.AwardProof(
            vcg_auction.Opening(_ZERO, budget, _ZERO, promise),
            vcg_auction.MerkleProof(0, (_ZERO,) * MANY_LEVELS),
            vcg_auction.Commitment(1, 1, bytes(64)),
        )
        return await self._fees(
            [
                vcg_auction.open_(_ZERO, 0, terms, 1),
                vcg_auction.close(_ZERO, _ZERO, 1),
                vcg_auction.award(_ZERO, 0, proof, budget, _ZERO, all_revealed=True),
                escrow.accept(_ZERO, 0, verified=True),
            ]
        )

    async def cancel(self) -> dict[str, Amount]:
        """Fee of ending an auction before its bids are closed."""
        return await self._fees([vcg_auction.cancel(_ZERO)])

    async def retire(self, agent: bytes) -> dict[str, Amount]:
        """Fee of ending an agent for good."""
        return await self._fees([agent_registry.retire_agent(agent)])

    async def offer(self, manifest: Manifest | None) -> tuple[dict[str, Amount], Amount]:
        """Fees of what is missing until this node offers an agent, and the stake that would be held.

        Without its manifest, that of a package not fetched yet, names as long as any may be are counted.
        """
        calls: list[Call] = []
        stake = Amount(0)
        account = self._key.account
        if await self._read(self._client.did, account) is None:
            calls.append(did.create(_ZERO, bytes(64)))
        if await self._read(self._client.provider, account) is None:
            params = await self._read(self._client.params)
            stake = Amount(params.min_stake * STAKE_FACTOR)
            calls.append(agent_registry.register_provider(None, None, stake))
        name = manifest.name if manifest is not None else "n" * 32
        capability = manifest.capability if manifest is not None else "c" * 32
        found = await self._registered(manifest) if manifest is not None else None
        if found is None:
            calls.append(agent_registry.register_agent(name, capability, _ZERO, _ZERO, 0, 0))
        elif manifest is not None and found.package != manifest.package:
            calls.append(agent_registry.update_agent(_ZERO, _ZERO, _ZERO, 0, 0))
        return await self._fees(calls), stake

    async def _registered(self, manifest: Manifest) -> Any:
        genesis: bytes = self._client.genesis_hash
        return await self._read(self._client.agent, agent_id(genesis, AccountId(self._key.account), manifest.name))

    async def terms(self) -> Any:
        """The constants of this world."""
        return await self._read(self._client.params)

    async def _fees(self, calls: Sequence[Call]) -> dict[str, Amount]:
        fees: dict[str, Amount] = {}
        for call in calls:
            fees[f"{call.pallet}.{call.name}"] = Amount(await self._read(self._client.estimate_fee, call, self._key))
        return fees

    async def _read(self, function: Any, *args: Any) -> Any:
        try:
            return await trio.to_thread.run_sync(function, *args, abandon_on_cancel=True)
        except ChainError as exc:
            raise Transient(
                f"the chain cannot be asked for a fee: {exc}", hint="check chain.url and `ainur chain status`"
            ) from exc
