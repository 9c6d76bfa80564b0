"""Becoming a provider and registering agents on chain; each step looks first whether it is done."""

from typing import Any

import trio

from ainur_node.domain.agent import agent_id
from ainur_node.domain.canonical import tagged_hash
from ainur_node.domain.ids import AccountId, AgentId
from ainur_node.domain.manifest import Manifest
from ainur_node.domain.rejection import Rejection
from ainur_node.errors import Transient
from ainur_node.ledger.calls import Caller
from ainur_node.signing import NodeSigner
from pallets_client.errors import ChainError
from pallets_client.pallets import agent_registry, did
from pallets_client.records import Call, Failed, Included, Refused

# Stake above the least one, so that one running job's lock does not already exclude from the next auction.
STAKE_FACTOR = 2
_ENDED = (agent_registry.AgentState.RETIRED, agent_registry.AgentState.UNBONDING)


class Registration:
    """The registry calls of this node's own account."""

    def __init__(self, client: Any, caller: Caller, signer: NodeSigner, account: bytes) -> None:
        self._client = client
        self._caller = caller
        self._signer = signer
        self._account = AccountId(account)
        self._genesis: bytes = client.genesis_hash

    async def _read(self, function: Any, *args: Any) -> Any:
        try:
            return await trio.to_thread.run_sync(function, *args)
        except ChainError as exc:
            raise Transient(f"the chain cannot be read: {exc}") from exc

    async def become_provider(self) -> Rejection | None:
        """DID and provider record, as far as they are missing."""
        refused = await self.bind_node_key()
        if refused is not None:
            return refused
        if await self._read(self._client.provider, self._account) is None:
            params = await self._read(self._client.params)
            stake = params.min_stake * STAKE_FACTOR
            return await self._do(agent_registry.register_provider(None, None, stake))
        return None

    async def bind_node_key(self) -> Rejection | None:
        """DID, if it is missing: by it peers know whose node this is."""
        if await self._read(self._client.did, self._account) is not None:
            return None
        digest = tagged_hash(self._genesis, "ainur/did/1", self._account, self._signer.node_key)
        return await self._do(did.create(self._signer.node_key, self._signer.sign(digest)))

    async def register_agent(self, manifest: Manifest) -> AgentId | Rejection:
        """Register or update the agent that a manifest describes."""
        agent = agent_id(self._genesis, self._account, manifest.name)
        found = await self._read(self._client.agent, agent)
        royalty, kind = manifest.royalty_bps, int(manifest.verification_class)
        refused: Rejection | None = None
        if found is None:
            call = agent_registry.register_agent(
                manifest.name, manifest.capability, manifest.package, manifest.module, kind, royalty
            )
            # Two agents of one account may be on their way at the same time.
            refused = await self._do(call, agent)
        elif found.state in _ENDED:
            return Rejection("retired", f"the agent {manifest.name} was retired: publish it under another name")
        elif found.state != agent_registry.AgentState.ACTIVE:
            return Rejection("not_active", f"the agent {manifest.name} is not on offer on chain: activate it first")
        elif found.capability_name != manifest.capability.encode():
            has = bytes(found.capability_name).decode("utf-8", "replace")
            return Rejection(
                "other_capability", f"{manifest.name} is registered for {has!r}: take another name for that"
            )
        elif found.package != manifest.package:
            call = agent_registry.update_agent(agent, manifest.package, manifest.module, kind, royalty)
            refused = await self._do(call, agent, manifest.package)
        return refused if refused is not None else agent

    async def version(self, agent: AgentId) -> int:
        """The version that bids must name."""
        found = await self._read(self._client.agent, agent)
        if found is None:
            raise Transient("the registered agent is not visible yet")
        return int(found.version)

    async def retire(self, agent: AgentId) -> Rejection | None:
        """End an agent of this account on chain; what the chain would refuse is not signed, for it costs a fee."""
        found = await self._read(self._client.agent, agent)
        if found is None:
            return Rejection("unknown_agent", "no such agent on chain: `ainur agent list` shows ids")
        if found.provider != self._account:
            return Rejection("not_owner", "another account registered this agent: ask its owner")
        if found.state in _ENDED:
            return Rejection("retired", "this agent is retired already")
        return await self._do(agent_registry.retire_agent(agent), agent)

    async def _do(self, call: Call, *natural_id: bytes) -> Rejection | None:
        match await self._caller.send(call, self._account, *natural_id):
            case Included():
                return None
            case Failed(error=error, doc=doc):
                return Rejection("chain_refused", f"{error}: {doc}")
            case Refused(reason=reason):
                return Rejection("fee_refused", f"the account cannot pay for it: {reason}. Try: ainur wallet fund 100")
