"""Agents: what a provider registers, offers and binds itself to in a bid."""

from dataclasses import dataclass

from ainur_node.domain.canonical import Reader, b32, tagged_hash, text, u8, u16, u32, u64
from ainur_node.domain.ids import AccountId, AgentId, ModuleId, PackageId
from ainur_node.domain.money import Amount


@dataclass(frozen=True, slots=True)
class AgentTerms:
    """What exactly a bid promises to run; its hash is part of the sealed bid and of the escrow."""

    agent: AgentId
    version: int
    module: ModuleId
    abi: int
    engine: bytes
    verification_class: int
    fuel_limit: int
    mem_limit: int  # KiB
    royalty_bps: int
    eta_ms: int

    def encode(self) -> bytes:
        """Canonical bytes."""
        return b"".join(
            (
                b32(self.agent),
                u32(self.version),
                b32(self.module),
                u8(self.abi),
                b32(self.engine),
                u8(self.verification_class),
                u64(self.fuel_limit),
                u32(self.mem_limit),
                u16(self.royalty_bps),
                u32(self.eta_ms),
            )
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """An agent's price and limits at this node; the ask is net to the agent and stays sealed."""

    agent: AgentId
    name: str
    version: int
    capability: str
    package: PackageId
    module: ModuleId
    verification_class: int
    fuel_limit: int
    mem_limit: int  # KiB
    output_limit: int
    royalty_bps: int
    eta_ms: int
    ask: Amount
    active: bool = True


def agent_id(genesis: bytes, owner: AccountId, name: str) -> AgentId:
    """Id of the agent ``name`` of an owner."""
    return AgentId(tagged_hash(genesis, "ainur/agent/1", b32(owner), text(name)))


def terms_hash(genesis: bytes, terms: AgentTerms) -> bytes:
    """The hash that stands in the sealed bid and in the escrow."""
    return tagged_hash(genesis, "ainur/terms/1", terms.encode())


def decode_terms(data: bytes) -> AgentTerms:
    """The terms behind canonical bytes; ValueError on anything else."""
    r = Reader(data)
    terms = AgentTerms(
        agent=AgentId(r.take(32)),
        version=r.integer(4),
        module=ModuleId(r.take(32)),
        abi=r.integer(1),
        engine=r.take(32),
        verification_class=r.integer(1),
        fuel_limit=r.integer(8),
        mem_limit=r.integer(4),
        royalty_bps=r.integer(2),
        eta_ms=r.integer(4),
    )
    r.end()
    return terms
