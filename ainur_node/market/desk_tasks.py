"""The desk for tasks: submit, watch, show, result, cancel, list."""

from collections import Counter
from typing import Any

import structlog
import trio

from ainur_node.domain.auction.rules import reserve_of
from ainur_node.domain.canonical import content_hash
from ainur_node.domain.events import CancelRequested, Submitted, Verified
from ainur_node.domain.ids import AccountId, PackageId, TaskId
from ainur_node.domain.manifest import JSON, TEXT, Manifest
from ainur_node.domain.money import Amount, format_ain
from ainur_node.domain.rejection import Rejection
from ainur_node.domain.requester import CANCELLABLE, FINAL, Phase, RequesterTask
from ainur_node.domain.task import (
    MAX_MODULES,
    TaskSpec,
    VerificationClass,
    VerificationPolicy,
    Visibility,
    input_commitment,
    spec_hash,
    task_id,
)
from ainur_node.errors import Misbehaviour, Transient
from ainur_node.market import bonds, codec, views
from ainur_node.market.asking import Params, blob, id32, planck, refuse, text, whole
from ainur_node.market.codec import TASK, Fact, State
from ainur_node.market.engine import Engine
from ainur_node.market.library import Library
from ainur_node.market.messages import MAX_INPUT
from ainur_node.market.offenders import offenders, told
from ainur_node.market.repeats import DEADLINE_MS, Repeats, Ticket
from ainur_node.market.schema import check, wrap_text
from ainur_node.market.settings import MarketSettings
from ainur_node.mesh.peers import peer_id_of
from ainur_node.ports import ChainAgent, Clock, Ledger, RemoteRefusal, TaskStore
from ainur_node.rpc.messages import ExitCode, Refuse, Send

log = structlog.get_logger(__name__)

# The longest that a watcher waits before it looks again by itself, in seconds.
LOOK_AGAIN = 1.0
FETCH_PATIENCE = 10.0
MORE_PATIENCE = 1.0
# Providers of one package that are asked for it.
MAX_SELLERS = 8
# The auctioneer's bond, in parts of the reserve, is held beside the budget; the chain has the last word.
BOND_BPS = 1_000


class TaskDesk:
    """Everything a submitter can ask for."""

    def __init__(
        self,
        engine: Engine,
        store: TaskStore,
        ledger: Ledger,
        library: Library,
        engine_id: bytes,
        clock: Clock,
        settings: MarketSettings,
    ) -> None:
        self._engine = engine
        self._store = store
        self._ledger = ledger
        self._library = library
        self._engine_id = engine_id
        self._clock = clock
        self._settings = settings
        self._repeats = Repeats(store)

    # --- submit ---------------------------------------------------------------------------------------------------

    async def submit(self, params: Params) -> dict[str, Any]:
        """Check everything that can be checked before money moves, then hold the budget; once for each ``key``."""
        async with self._repeats.turn(params) as ticket:
            return await self._repeats.earlier(ticket) or await self._submit(params, ticket)

    async def _submit(self, params: Params, ticket: Ticket | None) -> dict[str, Any]:
        document = blob(params, "input", MAX_INPUT)
        media = text(params, "media", 64, TEXT)
        deadline = whole(params, "deadline_ms", *DEADLINE_MS)
        agents, budget = await self._possible(params)
        capability = agents[0].capability
        manifest, modules = await self._manifest(agents)
        task_input = await self._input(document, media, manifest)
        sha = await self._library.keep(task_input)
        salt, nonce = self._clock.random(32), self._clock.random(32)
        genesis = self._ledger.genesis
        spec = TaskSpec(
            payer=self._ledger.account,
            input_commitment=input_commitment(genesis, salt, sha),
            input_size=len(task_input),
            modules=modules,
            verification_class=VerificationClass(manifest.verification_class),
            output_schema=manifest.output_schema_hash,
            limits=manifest.limits,
            engine=self._engine_id,
            policy=VerificationPolicy.REPLAY,
            visibility=Visibility.PUBLIC,
            quality_bps=self._settings.quality_bps,
            min_score=self._settings.min_score,
            deadline_ms=deadline,
        )
        task = task_id(genesis, self._ledger.account, nonce, spec_hash(genesis, spec))
        submitted = Submitted(task, spec, capability, manifest.package, sha, salt, nonce, budget, self._clock.now_ms())
        await self._repeats.remember(ticket, task)
        await self._engine.begin(TASK, task, submitted)
        state = self._engine.state(TASK, task)
        auction = state.auction.hex() if state is not None else None
        return {"task": task.hex(), "auction": auction, "budget": str(budget), "input_sha256": sha.hex()}

    async def _possible(self, params: Params) -> tuple[list[ChainAgent], Amount]:
        """Who could do the task, and its budget; Refuse says what stands in the way."""
        wanted, budget = text(params, "capability", 64), planck(params, "budget")
        if len(self._engine.states(TASK)) >= self._settings.max_open_tasks:
            raise Refuse("busy", f"{self._settings.max_open_tasks} tasks are open here: wait for some to end")
        if budget <= 0:
            raise Refuse("budget_zero", "the budget must be above 0: it is the highest price you would pay")
        agents = await self._agents(wanted)
        await self._check_budget(budget)
        return agents, budget

    async def check(self, params: Params) -> Amount:
        """The budget of a task that could be handed in now; nothing happens."""
        return (await self._possible(params))[1]

    async def _agents(self, capability: str) -> list[ChainAgent]:
        """Who can do it: others with that capability, or with the one capability of all agents of that name."""
        everyone = await self._ledger.agents()
        if not any(a.active and a.capability == capability for a in everyone):
            named = {a.capability for a in everyone if a.active and a.name == capability}
            capability = named.pop() if len(named) == 1 else capability
        found = [a for a in everyone if a.active and a.capability == capability and a.provider != self._ledger.account]
        if not found and any(a.active and a.capability == capability for a in everyone):
            hint = f"only this node offers {capability!r}, and nobody bids for a task of their own: submit it elsewhere"
            raise Refuse("unknown_capability", hint)
        if not found:
            known = sorted({a.capability for a in everyone if a.active})
            listed = ", ".join(known[:10]) or "none yet; if the providers were just started, try again in a moment"
            hint = f"no other node offers {capability!r}; offered: {listed} (ainur agent list)"
            raise Refuse("unknown_capability", hint)
        return found

    async def _manifest(self, agents: list[ChainAgent]) -> tuple[Manifest, tuple[Any, ...]]:
        """The manifest that the input must fit (the most offered one), and all modules that may run it.

        Only modules that are here are admitted: whoever wins with another could keep us from replaying its work.
        """
        # By providers, who have a stake each: one of them may register many agents.
        offers = {(PackageId(a.package), a.provider) for a in agents}
        offered = Counter(package for package, _ in offers)
        ranked = sorted(offered, key=lambda p: (-offered[p], p))[:MAX_MODULES]
        here: dict[PackageId, Manifest] = {}
        with trio.move_on_after(FETCH_PATIENCE) as patience:
            async with trio.open_nursery() as nursery:
                for package in ranked:
                    sellers = sorted(provider for offer, provider in offers if offer == package)[:MAX_SELLERS]
                    nursery.start_soon(self._fetch, package, sellers, here, patience)
        chosen = next((here[p] for p in ranked if p in here), None)
        if chosen is None:
            raise Refuse(
                "package_unavailable",
                "no provider of this capability could hand its package over; try again in a moment",
                ExitCode.UNREACHABLE,
            )
        return chosen, tuple(sorted({m.module for m in here.values() if _alike(m, chosen)}))

    async def _fetch(
        self,
        package: PackageId,
        sellers: list[AccountId],
        here: dict[PackageId, Manifest],
        patience: trio.CancelScope,
    ) -> None:
        """Add a package to those that are here; once there is one, the others get little more time."""
        providers = [await self._ledger.provider(seller) for seller in sellers]
        try:
            found = await self._library.fetch(package, [peer_id_of(p.node_key) for p in providers if p is not None])
        except (Transient, Misbehaviour, RemoteRefusal) as exc:
            log.info("package_not_had", package=package.hex()[:16], why=str(exc))
            return
        if isinstance(found, Rejection):
            log.info("package_refused", package=package.hex()[:16], why=found.hint)
            return
        here[package] = found.manifest
        patience.deadline = min(patience.deadline, trio.current_time() + MORE_PATIENCE)

    async def _input(self, document: bytes, media: str, manifest: Manifest) -> bytes:
        wraps = manifest.media_type == TEXT and media == TEXT
        if not wraps and media not in (TEXT, JSON):
            raise Refuse("bad_media", f"the input must be {TEXT} or {JSON}", ExitCode.USAGE)
        try:
            task_input = wrap_text(document) if wraps else document
        except UnicodeDecodeError as exc:
            raise Refuse("not_utf8", f"the document is not UTF-8 text: {exc}") from exc
        if len(task_input) > MAX_INPUT:
            raise Refuse("too_large", f"the input has {len(task_input):,} bytes as JSON; at most {MAX_INPUT:,} fit")
        if (why := await check(task_input, manifest.input_schema)) is not None:
            raise Refuse("input_schema", f"the input does not fit what {manifest.name} takes: {why}")
        return task_input

    async def _check_budget(self, budget: Amount) -> None:
        balance = await self._ledger.balance(self._ledger.account)
        bond = reserve_of(budget, 0) * BOND_BPS // 10_000
        if budget + bond > balance.spendable:
            held = sum(balance.held.values())
            numbers = {"spendable": str(balance.spendable), "free": str(balance.free), "held": str(held)}
            raise Refuse(
                "insufficient_funds",
                f"the budget {format_ain(budget)} AIN and a bond of {format_ain(bond)} AIN are more than the spendable "
                f"{format_ain(balance.spendable)} AIN (free {format_ain(balance.free)}, held {format_ain(held)}, "
                f"{format_ain(balance.fee_reserve)} stays for fees); lower it or: ainur wallet fund",
                details=numbers,
            )

    # --- watch, show, result --------------------------------------------------------------------------------------

    async def _task(self, params: Params) -> RequesterTask:
        task = TaskId(id32(params, "task"))
        stored = await self._store.load(TASK, task)
        state = codec.decode_state(TASK, stored.state) if stored is not None else None
        if not isinstance(state, RequesterTask):
            raise Refuse("unknown_task", "this node did not submit that task; `ainur task list` shows its tasks")
        return state

    async def show(self, params: Params) -> dict[str, Any]:
        """Everything about a task."""
        task = await self._task(params)
        facts = await self._store.facts(TASK, task.task)
        named = [told(one) for one in await offenders(facts, self._library)]
        bond = bonds.told(await self._store.get_doc(bonds.BOND, task.auction))
        return {**views.whole(task, facts), "offenders": named, "bond": bond}

    async def watch(self, params: Params, send: Send) -> None:
        """Each fact as it happens, until the task is final."""
        task = (await self._task(params)).task
        seen = whole(params, "since", 0, 2**31, 0)
        while True:
            state = await self._task(params)
            facts = [f for f in await self._store.facts(TASK, task) if f.seq > seen]
            for stored in facts:
                seen = stored.seq
                last = stored is facts[-1]
                await send({**views.row(stored), "phase": str(state.phase), "final": state.final and last})
            if state.final:
                return
            with trio.move_on_after(LOOK_AGAIN):
                await self._engine.wait_news(TASK, task)

    async def result(self, params: Params) -> dict[str, Any]:
        """The verified result with its receipt."""
        task = await self._task(params)
        stored = next((f for f in await self._store.facts(TASK, task.task) if f.kind == "Verified"), None)
        verified = codec.decode_fact("Verified", stored.fact) if stored is not None else None
        if not isinstance(verified, Verified):
            hint = "it is not ready yet: ainur task watch" if not task.final else f"the task ended as {task.phase}"
            raise Refuse("no_result", hint)
        output = await self._library.bytes_of(verified.output_sha256)
        if output is None:
            raise Refuse("gone", "the result is no longer in the blob store", ExitCode.UNREACHABLE)
        return {
            "task": task.task.hex(),
            "output": output,
            "sha256": content_hash(output).hex(),
            "size": len(output),
            "verified": verified.replayed,
            "fuel_used": verified.receipt.execution.fuel_used,
        }

    async def cancel(self, params: Params) -> dict[str, Any]:
        """Ask for the end of a task; only before its bids are closed, and between a winner that failed and the next."""
        task = await self._task(params)
        if task.final:
            raise Refuse("too_late", f"the task is {task.phase} already: `ainur task show` tells how it ended")

        def decide(state: State) -> Fact | Rejection:
            return _not_cancellable(state) or CancelRequested(self._clock.now_ms())

        rejection = await self._engine.tell(TASK, task.task, decide)
        if rejection is not None:
            refuse(rejection)
        return {"task": task.task.hex(), "cancelled": True}

    async def held_by(self, params: Params) -> dict[str, Any]:
        """What a cancellation of the task would free; Refuse when it could not be cancelled."""
        task = await self._task(params)
        if task.final:
            raise Refuse("too_late", f"the task is {task.phase} already: `ainur task show` tells how it ended")
        rejection = _not_cancellable(task)
        if rejection is not None:
            refuse(rejection)
        return {"task": task.task.hex(), "frees": str(task.budget)}

    async def list_tasks(self, params: Params) -> dict[str, Any]:
        """The newest tasks."""
        limit = whole(params, "limit", 1, 1000, 50)
        phase = params.get("phase")
        wanted = text(params, "phase", 32) if phase is not None else None
        if wanted is not None and wanted not in set(Phase):
            raise Refuse("bad_phase", f"there is no phase {wanted!r}; there are: {', '.join(Phase)}", ExitCode.USAGE)
        if wanted in FINAL:
            wanted = f"={wanted}"
        found = await self._store.recent(TASK, limit, wanted)
        return {"tasks": [views.brief(stored) for stored in found]}


def _alike(one: Manifest, other: Manifest) -> bool:
    """Whether the same input fits both and the same output is promised."""
    return (
        one.output_schema_hash == other.output_schema_hash
        and one.verification_class == other.verification_class
        and one.media_type == other.media_type
        and one.input_schema == other.input_schema
    )


def _not_cancellable(state: State) -> Rejection | None:
    if isinstance(state, RequesterTask) and state.cancelled:
        return Rejection("cancelled_already", "the cancellation is under way")
    if state.phase not in CANCELLABLE:
        hint = "its bids are closed, and its winner has a claim; should that one fail, it can be cancelled"
        return Rejection("too_late", f"the task is {state.phase}: {hint}")
    return None
