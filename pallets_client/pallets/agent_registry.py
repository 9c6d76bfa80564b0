"""Pallet agent-registry: providers with their stake, and the agents they offer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pallets_client.records import Call

PALLET = "AgentRegistry"


class ProviderState(IntEnum):
    """Whether a provider can be awarded work."""

    ACTIVE = 0
    PAUSED = 1


class AgentState(IntEnum):
    """Whether an agent can be awarded work."""

    ACTIVE = 0
    RETIRED = 1


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
