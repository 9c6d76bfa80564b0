"""In-memory pallets did and agent-registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pallets_client import hashing
from pallets_client.keys import verify_digest
from pallets_client.pallets.agent_registry import Agent, AgentState, Provider, ProviderState
from pallets_client.pallets.did import Did
from pallets_client.testing.world import STAKE, World, ensure

_DID = "Did"
_REG = "AgentRegistry"
MAX_NAME = 64  # bytes
MAX_AGENTS = 256  # one provider may ever register


def did_create(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Bind an account to a node key that proves it agrees."""
    ensure(account not in world.dids, "Did.AlreadyExists")
    _bind(world, account, args["node_key"], args["proof"])
    world.emit(_DID, "Created", account=account, node_key=args["node_key"])


def did_rotate(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Replace the node key; the provider's record follows."""
    ensure(account in world.dids, "Did.NoDid")
    ensure(world.dids[account].active, "Did.Inactive")
    old = world.dids[account].node_key
    _bind(world, account, args["node_key"], args["proof"])
    del world.node_keys[old]
    if account in world.providers:
        world.providers[account] = replace(world.providers[account], node_key=args["node_key"])
    world.emit(_DID, "Rotated", account=account, node_key=args["node_key"])


def did_deactivate(world: World, account: bytes, _args: Mapping[str, Any]) -> None:
    """End the binding."""
    ensure(account in world.dids, "Did.NoDid")
    ensure(world.dids[account].active, "Did.Inactive")
    did = world.dids[account]
    world.dids[account] = replace(did, active=False, since=world.now)
    del world.node_keys[did.node_key]
    world.emit(_DID, "Deactivated", account=account)


def _bind(world: World, account: bytes, node_key: bytes, proof: bytes) -> None:
    ensure(node_key not in world.node_keys, "Did.KeyInUse")
    digest = hashing.did_proof(world.genesis, account, node_key)
    ensure(verify_digest(node_key, digest, proof), "Did.BadProof")
    world.dids[account] = Did(node_key, world.now, active=True)
    world.node_keys[node_key] = account


def register_provider(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Hold the stake of a new provider."""
    ensure(account not in world.providers, "AgentRegistry.AlreadyProvider")
    did = world.dids.get(account)
    ensure(did is not None and did.active, "AgentRegistry.NoDid")
    ensure(args["stake"] >= world.params.min_stake, "AgentRegistry.StakeTooSmall")
    ensure(args["stake"] > 0, "AgentRegistry.ZeroAmount")
    world.hold(account, STAKE, args["stake"], "AgentRegistry.NotEnoughFree")
    assert did is not None
    world.providers[account] = Provider(
        operator=args["operator"] or account,
        payout=args["payout"] or account,
        node_key=did.node_key,
        stake=args["stake"],
        locked=0,
        unbonding=0,
        unbond_at=0,
        state=int(ProviderState.ACTIVE),
        since=world.now,
    )
    world.emit(_REG, "ProviderRegistered", provider=account, stake=args["stake"])


def bond_extra(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Hold more stake."""
    ensure(args["amount"] > 0, "AgentRegistry.ZeroAmount")
    provider = _provider(world, account)
    world.hold(account, STAKE, args["amount"], "AgentRegistry.NotEnoughFree")
    _store(world, account, replace(provider, stake=provider.stake + args["amount"]))
    world.emit(_REG, "Bonded", provider=account, amount=args["amount"])


def unbond(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Take free stake out of use; it stays on hold until it is withdrawn."""
    amount = args["amount"]
    ensure(amount > 0, "AgentRegistry.ZeroAmount")
    provider = _provider(world, account)
    ensure(amount <= provider.free_stake, "AgentRegistry.NotEnoughStake")
    left = provider.stake - amount
    ensure(left == 0 or left >= world.params.min_stake, "AgentRegistry.StakeTooSmall")
    at = world.now + world.params.unbonding
    unbonding = provider.unbonding + amount
    _store(world, account, replace(provider, stake=left, unbonding=unbonding, unbond_at=at))
    world.emit(_REG, "Unbonded", provider=account, amount=amount, at=at)


def withdraw_unbonded(world: World, account: bytes, _args: Mapping[str, Any]) -> None:
    """Release what has waited long enough."""
    provider = _provider(world, account)
    ensure(provider.unbonding > 0, "AgentRegistry.NothingUnbonding")
    ensure(world.now >= provider.unbond_at, "AgentRegistry.TooEarly")
    world.release(account, STAKE, provider.unbonding)
    _store(world, account, replace(provider, unbonding=0))
    world.emit(_REG, "Withdrawn", provider=account, amount=provider.unbonding)


def register_agent(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Offer a package."""
    _provider(world, account)
    for text in (args["name"], args["capability"]):
        ensure(0 < len(text) <= MAX_NAME and _is_text(text), "AgentRegistry.BadName")
    ensure(args["royalty_bps"] <= 10_000, "AgentRegistry.BadRoyalty")
    agent = hashing.agent_id(world.genesis, account, args["name"])
    ensure(agent not in world.agents, "AgentRegistry.AgentExists")
    own = sum(1 for known in world.agents.values() if known.provider == account)
    ensure(own < MAX_AGENTS, "AgentRegistry.TooManyAgents")
    world.agents[agent] = Agent(
        provider=account,
        name=args["name"],
        capability_name=args["capability"],
        capability=hashing.sha256(args["capability"]),
        package=args["package"],
        module=args["module"],
        class_=args["class"],
        royalty_bps=args["royalty_bps"],
        version=1,
        state=int(AgentState.ACTIVE),
    )
    capability = world.agents[agent].capability
    world.emit(_REG, "AgentRegistered", agent=agent, provider=account, capability=capability)


def update_agent(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Another build of the same agent."""
    ensure(args["royalty_bps"] <= 10_000, "AgentRegistry.BadRoyalty")
    agent = _own_agent(world, account, args["agent"])
    world.agents[args["agent"]] = replace(
        agent,
        package=args["package"],
        module=args["module"],
        class_=args["class"],
        royalty_bps=args["royalty_bps"],
        version=agent.version + 1,
    )
    world.emit(_REG, "AgentUpdated", agent=args["agent"], version=agent.version + 1)


def retire_agent(world: World, account: bytes, args: Mapping[str, Any]) -> None:
    """Offer it no more."""
    agent = _own_agent(world, account, args["agent"])
    world.agents[args["agent"]] = replace(agent, state=int(AgentState.RETIRED))
    world.emit(_REG, "AgentRetired", agent=args["agent"])


def active_provider(world: World, account: bytes) -> Provider | None:
    """A provider that may win: enough stake and an active node key."""
    provider, did = world.providers.get(account), world.dids.get(account)
    if provider is None or provider.state != ProviderState.ACTIVE:
        return None
    return provider if did is not None and did.active and did.node_key == provider.node_key else None


def lock(world: World, account: bytes, amount: int) -> None:
    """Take a performance lock out of the provider's free stake."""
    provider = _provider(world, account)
    ensure(provider.free_stake >= amount, "AgentRegistry.NotEnoughStake")
    _store(world, account, replace(provider, locked=provider.locked + amount))


def unlock(world: World, account: bytes, amount: int) -> None:
    """Give a performance lock back."""
    provider = _provider(world, account)
    _store(world, account, replace(provider, locked=provider.locked - amount))


def burn_lock(world: World, account: bytes, amount: int) -> None:
    """Burn a performance lock."""
    if not amount:
        return
    provider = _provider(world, account)
    left = replace(provider, locked=provider.locked - amount, stake=provider.stake - amount)
    _store(world, account, left)
    world.burn_held(account, STAKE, amount)
    world.emit(_REG, "StakeBurned", provider=account, amount=amount)


def _store(world: World, account: bytes, provider: Provider) -> None:
    """A provider's state follows from its stake."""
    enough = provider.stake >= world.params.min_stake
    state = ProviderState.ACTIVE if enough else ProviderState.PAUSED
    world.providers[account] = replace(provider, state=int(state))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _provider(world: World, account: bytes) -> Provider:
    ensure(account in world.providers, "AgentRegistry.NoProvider")
    return world.providers[account]


def _own_agent(world: World, account: bytes, agent_id: bytes) -> Agent:
    agent = world.agents.get(agent_id)
    ensure(agent is not None, "AgentRegistry.NoAgent")
    assert agent is not None
    ensure(agent.provider == account, "AgentRegistry.NotOwner")
    ensure(agent.state == AgentState.ACTIVE, "AgentRegistry.Retired")
    return agent
