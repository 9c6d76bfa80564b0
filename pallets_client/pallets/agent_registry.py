"""Pallet agent-registry: providers with their stake, and the agents they offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from pallets_client.records import Call

PALLET = "AgentRegistry"


class ProviderState(IntEnum):
    """Whether a provider can be awarded work."""

    ACTIVE = 0
    PAUSED = 1


class AgentState(IntEnum):
    """Where an agent stands in its life; only ACTIVE ones can be awarded work."""

    ACTIVE = 0
    RETIRED = 1
    REGISTERED = 2
    VERIFIED = 3
    PAUSED = 4
    UNBONDING = 5


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider; ``locked`` and ``unbonding`` are parts of what is held as stake, in planck."""

    operator: bytes
    payout: bytes
    node_key: bytes
    stake: int
    locked: int
    unbonding: int
    unbond_at: int
    state: int
    since: int

    @property
    def free_stake(self) -> int:
        """Stake that no performance lock uses and that is not leaving."""
        return max(0, self.stake - self.locked)


@dataclass(frozen=True, slots=True)
class Agent:
    """A package that a provider offers; ``capability`` is the sha-256 of ``capability_name``."""

    provider: bytes
    name: bytes
    capability_name: bytes
    capability: bytes
    package: bytes
    module: bytes
    class_: int
    royalty_bps: int
    version: int
    state: int


def register_provider(operator: bytes | None, payout: bytes | None, stake: int) -> Call:
    """Become a provider: needs an active DID and free money for the stake."""
    return Call(PALLET, "register_provider", {"operator": operator, "payout": payout, "stake": stake})


def bond_extra(amount: int) -> Call:
    """Hold more stake."""
    return Call(PALLET, "bond_extra", {"amount": amount})


def unbond(amount: int) -> Call:
    """Start taking free stake out; it is released by ``withdraw_unbonded`` after the unbonding time."""
    return Call(PALLET, "unbond", {"amount": amount})


def withdraw_unbonded() -> Call:
    """Release what has finished unbonding."""
    return Call(PALLET, "withdraw_unbonded", {})


def register_agent(name: str, capability: str, package: bytes, module: bytes, class_: int, royalty_bps: int) -> Call:
    """Offer a package under a name of the caller's own; names have 1 to 64 bytes."""
    return Call(
        PALLET,
        "register_agent",
        {
            "name": name.encode(),
            "capability": capability.encode(),
            "package": package,
            "module": module,
            "class": class_,
            "royalty_bps": royalty_bps,
        },
    )


def update_agent(agent: bytes, package: bytes, module: bytes, class_: int, royalty_bps: int) -> Call:
    """Offer another build under the same agent id; its version grows by one."""
    return Call(
        PALLET,
        "update_agent",
        {
            "agent": agent,
            "package": package,
            "module": module,
            "class": class_,
            "royalty_bps": royalty_bps,
        },
    )


def retire_agent(agent: bytes) -> Call:
    """Offer it no more; escrows that run go on."""
    return Call(PALLET, "retire_agent", {"agent": agent})


def declare_agent(name: str, capability: str, package: bytes, module: bytes, class_: int, royalty_bps: int) -> Call:
    """As ``register_agent``, but not on offer yet: to be verified, then activated."""
    return Call(PALLET, "declare_agent", register_agent(name, capability, package, module, class_, royalty_bps).args)


def verify_agent(agent: bytes, issuer: bytes | None = None) -> Call:
    """Let the provider's own stake, or a trusted issuer's attestation, vouch for the agent's package."""
    return Call(PALLET, "verify_agent", {"agent": agent, "issuer": issuer})


def activate_agent(agent: bytes) -> Call:
    """Put a verified or paused agent on offer."""
    return Call(PALLET, "activate_agent", {"agent": agent})


def pause_agent(agent: bytes) -> Call:
    """Take it off the market for a while."""
    return Call(PALLET, "pause_agent", {"agent": agent})


def unbond_agent(agent: bytes) -> Call:
    """Offer it no more and give its co-owners notice; ``finish_agent`` ends it after the unbonding time."""
    return Call(PALLET, "unbond_agent", {"agent": agent})


def finish_agent(agent: bytes) -> Call:
    """Retire an agent whose unbonding time is over; free for whoever makes the call."""
    return Call(PALLET, "finish_agent", {"agent": agent})


def set_profile(agent: bytes, price_policy: bytes, endpoints: Sequence[str]) -> Call:
    """Hash of the rules behind the agent's asks, and at most 4 addresses; zeros and none free the deposit."""
    addresses = [address.encode() for address in endpoints]
    return Call(PALLET, "set_profile", {"agent": agent, "price_policy": price_policy, "endpoints": addresses})


def give_share(agent: bytes, owner: bytes, bps: int) -> Call:
    """Give a co-owner a part of every price, in 1/10,000; only the co-owner can give it up."""
    return Call(PALLET, "give_share", {"agent": agent, "owner": owner, "bps": bps})


def renounce_share(agent: bytes) -> Call:
    """Give up the caller's share."""
    return Call(PALLET, "renounce_share", {"agent": agent})


def set_upstream(agent: bytes, links: Sequence[bytes]) -> Call:
    """Pay royalties to at most 2 agents that this one builds on, as they ask at present."""
    return Call(PALLET, "set_upstream", {"agent": agent, "links": list(links)})


def update_provider(operator: bytes | None, payout: bytes | None) -> Call:
    """Change the hot and the payout account; None leaves what is there."""
    return Call(PALLET, "update_provider", {"operator": operator, "payout": payout})


def set_issuer(issuer: bytes, trusted: bool) -> Call:
    """Trust an account's attestations about agents, or trust them no more; root only."""
    return Call(PALLET, "set_issuer", {"issuer": issuer, "trusted": trusted})
