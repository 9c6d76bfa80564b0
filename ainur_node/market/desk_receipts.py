"""The desk for receipts: show what was signed, run the work again."""

from typing import Any

from ainur_node.domain.canonical import content_hash
from ainur_node.domain.events import Verified
from ainur_node.domain.receipt import hash_of, seed_of
from ainur_node.domain.requester import RequesterTask
from ainur_node.errors import Transient
from ainur_node.market import codec
from ainur_node.market.asking import Params, id32
from ainur_node.market.codec import TASK
from ainur_node.market.finding import own_task
from ainur_node.market.library import Library
from ainur_node.ports import Job, Ledger, Sandbox, TaskStore
from ainur_node.rpc.messages import ExitCode, Refuse
from ainur_node.signing import signed_by

REPLAY_DEADLINE = 30_000


class ReceiptDesk:
    """Receipts of tasks that this node submitted."""

    def __init__(self, ledger: Ledger, library: Library, sandbox: Sandbox, store: TaskStore) -> None:
        self._ledger = ledger
        self._library = library
        self._sandbox = sandbox
        self._store = store

    async def receipt(self, params: Params) -> dict[str, Any]:
        """The signed work receipt of a task."""
        task, verified = await self._verified(params)
        r = verified.receipt
        e = r.execution
        return {
            "task": task.task.hex(),
            "escrow": e.escrow.hex(),
            "provider": e.provider.hex(),
            "terms": e.terms.hex(),
            "input_sha256": e.input_sha256.hex(),
            "output_sha256": e.output_sha256.hex(),
            "output_len": e.output_len,
            "seed": e.seed.hex(),
            "clock": e.clock,
            "exit": e.exit.name,
            "fuel_used": e.fuel_used,
            "cpu_ns": r.cpu_ns,
            "peak_mem_kib": r.peak_mem,
            "engine": r.engine_build.hex(),
            "signature": r.signature.hex(),
        }

    async def _verified(self, params: Params) -> tuple[RequesterTask, Verified]:
        key = "task" if params.get("task") is not None else "escrow"
        wanted = id32(params, key)
        task = await own_task(self._store, wanted)
        if task is None:
            raise Refuse(
                "unknown_task",
                "this node did not submit that task: ask the one that did, of a devnet with --node submitter",
            )
        for stored in await self._store.facts(TASK, task.task):
            found = codec.decode_fact(stored.kind, stored.fact)
            if isinstance(found, Verified):
                return task, found
        raise Refuse("no_receipt", f"the task has no verified delivery; it is {task.phase}")

    async def verify(self, params: Params) -> dict[str, Any]:
        """Check the signature and replay the work from its input."""
        task, verified = await self._verified(params)
        receipt, genesis = verified.receipt, self._ledger.genesis
        e = receipt.execution
        provider = await self._ledger.provider(e.provider)
        signed = provider is not None and signed_by(provider.node_key, hash_of(genesis, receipt), receipt.signature)
        task_input = await self._library.bytes_of(task.input_sha256)
        package = self._library.package_of(task.opening.terms.module) if task.opening is not None else None
        if task_input is None or package is None:
            raise Refuse("gone", "the input or the package is no longer here", ExitCode.UNREACHABLE)
        manifest = await self._library.ready(package.manifest.package)
        limits = task.spec.limits
        seed = seed_of(genesis, e.escrow, e.input_sha256)
        run = await self._library.run(
            Job(
                module=manifest.module,
                input=task_input,
                seed=seed,
                clock=e.clock,
                fuel=limits.fuel,
                memory_kib=limits.memory_kib,
                output_limit=limits.output,
                deadline_ms=REPLAY_DEADLINE,
            )
        )
        if not run.exit.provable:
            raise Transient(f"the replay ended with {run.exit.name}, which proves nothing")
        checks = [
            {"name": "signature", "ok": signed, "detail": "the provider's node key signed the receipt"},
            {"name": "input", "ok": content_hash(task_input) == e.input_sha256, "detail": "it names this input"},
            {"name": "seed", "ok": seed == e.seed, "detail": "randomness follows from escrow and input"},
            {
                "name": "output",
                "ok": content_hash(run.output) == e.output_sha256,
                "detail": "the replay gives the output",
            },
            {"name": "fuel", "ok": run.fuel_used == e.fuel_used, "detail": "the replay burns the same fuel"},
        ]
        ok = all(c["ok"] for c in checks)
        return {"task": task.task.hex(), "ok": ok, "replayed": True, "checks": checks, "fuel_used": run.fuel_used}
