"""The desk for agents: lint, publish, offer, withdraw, retire, list, show."""

from dataclasses import replace
from typing import Any, Protocol

from ainur_node.domain.agent import Offer
from ainur_node.domain.canonical import capability_id, content_hash
from ainur_node.domain.ids import AgentId, PackageId
from ainur_node.domain.manifest import MAX_MANIFEST, MAX_MODULE, Manifest
from ainur_node.domain.money import Amount, format_ain
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.task import Limits
from ainur_node.market.asking import Params, blob, id32, planck, refuse, text
from ainur_node.market.library import Library, Package
from ainur_node.market.offers import Offers
from ainur_node.market.rehearsal import rehearse
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import ChainAgent, Ledger, Sandbox
from ainur_node.rpc.messages import Refuse, Send

EPOCH_NOW = 2**32 - 1
ETA_MS = 100


class Registrar(Protocol):
    """The registry calls of this node's account."""

    async def become_provider(self) -> Rejection | None:
        """DID and provider record."""
        ...

    async def register_agent(self, manifest: Manifest) -> AgentId | Rejection:
        """Register or update an agent."""
        ...

    async def version(self, agent: AgentId) -> int:
        """The version bids must name."""
        ...

    async def retire(self, agent: AgentId) -> Rejection | None:
        """Retire an agent on chain."""
        ...


class AgentDesk:
    """Everything an agent owner can ask for."""

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        offers: Offers,
        registrar: Registrar,
        ceiling: Limits,
        sandbox: Sandbox,
    ) -> None:
        self._sandbox = sandbox
        self._ledger = ledger
        self._library = library
        self._offers = offers
        self._registrar = registrar
        self._ceiling = ceiling

    async def lint(self, params: Params) -> dict[str, Any]:
        """What the sandbox says about a module."""
        wasm = blob(params, "wasm", MAX_MODULE)
        findings = await self._library.inspect(wasm)
        return {
            "ok": not findings,
            "findings": [{"code": f.code, "detail": f.detail} for f in findings],
            "size": len(wasm),
            "sha256": content_hash(wasm).hex(),
        }

    async def publish(self, params: Params, send: Send) -> None:
        """Store, register, announce; each step is told."""
        ask = planck(params, "ask")
        check_ask(ask)
        raw, wasm = blob(params, "manifest", MAX_MANIFEST), blob(params, "wasm", MAX_MODULE)
        await send({"step": "checking", "text": "inspecting and compiling the module"})
        package = await self._library.add(raw, wasm)
        if isinstance(package, Rejection):
            refuse(package)
        await self._offer(package, ask, send)

    async def offer(self, params: Params, send: Send) -> None:
        """Fetch somebody else's package by hash, run it twice, and offer it here."""
        ask, wanted = planck(params, "ask"), PackageId(id32(params, "package"))
        check_ask(ask)
        await send({"step": "fetching", "text": f"fetching package {wanted.hex()[:12]}"})
        package = await self._library.fetch(wanted, await self._holders(wanted))
        if isinstance(package, Rejection):
            refuse(package)
        self._check_limits(package.manifest)
        await send({"step": "rehearsing", "text": "running it twice on a small input: both runs must agree"})
        await rehearse(self._sandbox, await self._library.ready(wanted))
        await self._offer(package, ask, send)

    def _check_limits(self, manifest: Manifest) -> None:
        wants, most = manifest.limits, self._ceiling
        if wants.fuel > most.fuel or wants.memory_kib > most.memory_kib or wants.output > most.output:
            hint = (
                f"it needs {wants.fuel} fuel, {wants.memory_kib} KiB, {wants.output} bytes of output; raise [sandbox]"
            )
            raise Refuse("needs_too_much", hint)

    async def _holders(self, wanted: PackageId) -> list[Any]:
        agents = [a for a in await self._ledger.agents() if a.package == wanted and a.active]
        providers = [await self._ledger.provider(a.provider) for a in agents]
        return [peer_id_of(p.node_key) for p in providers if p is not None]

    async def _offer(self, package: Package, ask: Amount, send: Send) -> None:
        manifest = package.manifest
        self._check_limits(manifest)
        await send({"step": "registering", "text": "registering provider and agent on chain"})
        refused = await self._registrar.become_provider()
        if refused is not None:
            refuse(refused)
        agent = await self._registrar.register_agent(manifest)
        if isinstance(agent, Rejection):
            refuse(agent)
        offer = Offer(
            agent=agent,
            name=manifest.name,
            version=await self._registrar.version(agent),
            capability=manifest.capability,
            package=manifest.package,
            module=manifest.module,
            verification_class=int(manifest.verification_class),
            fuel_limit=manifest.limits.fuel,
            mem_limit=manifest.limits.memory_kib,
            output_limit=manifest.limits.output,
            royalty_bps=manifest.royalty_bps,
            eta_ms=ETA_MS,
            ask=ask,
        )
        await self._offers.put(offer)
        await self._library.announce(manifest.package)
        await send(
            {
                "step": "offered",
                "text": f"{manifest.name} is offered for {format_ain(ask)} AIN",
                "agent": agent.hex(),
                "package": manifest.package.hex(),
                "module": manifest.module.hex(),
                "name": manifest.name,
                "capability": manifest.capability,
                "ask": str(ask),
            }
        )

    async def withdraw(self, params: Params) -> dict[str, Any]:
        """Stop bidding with an agent; running work goes on."""
        agent = AgentId(id32(params, "agent"))
        offer = self._offers.get(agent)
        if offer is None:
            raise Refuse("unknown_agent", "this node does not offer that agent; `ainur agent list` shows ids")
        await self._offers.put(replace(offer, active=False))
        return {"agent": agent.hex(), "active": False}

    async def retire(self, params: Params) -> dict[str, Any]:
        """End an agent on chain for good; running work goes on."""
        agent = AgentId(id32(params, "agent"))
        refused = await self._registrar.retire(agent)
        if refused is not None:
            refuse(refused)
        offer = self._offers.get(agent)
        if offer is not None:
            await self._offers.put(replace(offer, active=False))
        return {"agent": agent.hex(), "active": False, "retired": True}

    async def list_agents(self, params: Params) -> dict[str, Any]:
        """Agents on chain; asks of other nodes are sealed."""
        capability = params.get("capability")
        wanted = text(params, "capability", 64) if capability is not None else None
        found = [a for a in await self._ledger.agents(wanted) if a.active]
        return {"agents": [await self._row(agent) for agent in found[:1000]]}

    async def show(self, params: Params) -> dict[str, Any]:
        """One agent with its manifest, when that is here."""
        wanted = id32(params, "agent")
        found = next((a for a in await self._ledger.agents() if a.agent == wanted), None)
        if found is None:
            raise Refuse("unknown_agent", "no such agent on chain; `ainur agent list` shows ids")
        package = self._library.package(PackageId(found.package))
        manifest = package.raw.decode("utf-8", "replace") if package is not None else None
        return {**await self._row(found), "version": found.version, "manifest": manifest}

    async def _row(self, agent: ChainAgent) -> dict[str, Any]:
        own = self._offers.get(AgentId(agent.agent))
        provider = await self._ledger.provider(agent.provider)
        quality = await self._ledger.quality(agent.provider, capability_id(agent.capability), EPOCH_NOW)
        return {
            "id": agent.agent.hex(),
            "name": agent.name,
            "capability": agent.capability,
            "ask": str(own.ask) if own is not None and own.active else None,
            "own": agent.provider == self._ledger.account,
            "node": peer_id_of(provider.node_key) if provider is not None else None,
            "provider": agent.provider.hex(),
            "package": agent.package.hex(),
            "module": agent.module.hex(),
            "reputation": quality,
        }


def check_ask(ask: Amount) -> None:
    """Refuse an ask that would be paid nothing."""
    if ask <= 0:
        raise Refuse("ask_zero", "the ask must be above 0: it is what the agent gets at least")
