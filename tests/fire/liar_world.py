"""A world with one liar, as its submitter, the chain and the files of its nodes show it."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from e2e_world import DOCUMENT, Ainur, new_home, processes_of

from ainur_node.devnet.asking import ask, wait_for
from ainur_node.devnet.evidence import Snapshot, fees_between, snapshot
from ainur_node.devnet.layout import SUBMITTER, current
from ainur_node.devnet.market import CAPABILITY
from ainur_node.devnet.plan import Plan, read_plan
from ainur_node.rpc.client import Refused
from pallets_client.client import ChainClient
from pallets_client.records import Audit

UP_SECONDS = 180.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Books:
    """All money of a world at one block: per node what is owned (free or held), the stake, and the chain's audit."""

    seen: Snapshot
    stakes: dict[str, int]
    audit: Audit


class LiarWorld:
    """A running world; ``before`` are its books from before the first task."""

    def __init__(self, ainur: Ainur, plan: Plan, chain: ChainClient) -> None:
        self.ainur = ainur
        self.plan = plan
        self.chain = chain
        self.layout = plan.layout
        self.before = self.books()

    # --- tasks ----------------------------------------------------------------------------------------------------

    def submit(self, budget: str = "1", deadline: str = "60s", document: Path = DOCUMENT) -> str:
        """Hand a task in at the submitter's command line; its id."""
        words = ("task", "submit", "--agent", CAPABILITY, "--input", str(document), "--budget", budget)
        said = self.ainur(*words, "--deadline", deadline)
        assert said.code == 0, said
        return str(said.data["task"])

    def shown(self, task: str) -> dict[str, Any]:
        """The task as its submitter tells it."""
        return self.ask(SUBMITTER, "task.show", task=task)

    def ended(self, task: str, seconds: float = 90.0) -> dict[str, Any]:
        """The task once it has ended at its submitter, whose database may be away meanwhile."""

        def final() -> dict[str, Any] | None:
            try:
                shown = self.shown(task)
            except Refused as no:
                if no.code != "unavailable":
                    raise
                return None
            return shown if shown["final"] else None

        return self.wait(f"task {task[:12]} ending", final, seconds)

    def why(self, ident: str, node: str = SUBMITTER) -> dict[str, Any]:
        """What `ainur auction why` says of a task or an auction at a node."""
        said = self.ainur("--node", node, "auction", "why", ident)
        assert said.code == 0, said
        return said.data

    def ask(self, node: str, method: str, /, **params: Any) -> dict[str, Any]:
        """One question over a node's local socket."""
        return ask(self.layout.home(node), method, **params)

    def wait(self, what: str, look: Callable[[], T | None], seconds: float = 60.0) -> T:
        """Look again until there is something to see."""
        return wait_for(what, look, timeout=seconds)

    # --- money ----------------------------------------------------------------------------------------------------

    def books(self) -> Books:
        """Money, stakes and scores of all nodes at the best block."""
        seen = snapshot(self.chain, self.plan, hashlib.sha256(CAPABILITY.encode()).digest())
        providers = {
            node.name: self.chain.provider(bytes.fromhex(node.account), at=seen.hash)
            for node in self.plan.nodes
            if node.provider
        }
        stakes = {name: found.stake for name, found in providers.items() if found is not None}
        return Books(seen, stakes, self.chain.audit(at=seen.hash))

    def gains(self, until: Books) -> dict[str, int]:
        """Planck that each node has more than before the first task, without the fees of its own extrinsics."""
        fees = fees_between(self.chain, self.plan, self.before.seen.number, until.seen.number)
        names = until.seen.accounts
        return {name: until.seen.total(name) - self.before.seen.total(name) + fees[name] for name in names}

    def account(self, name: str) -> str:
        """The account of a node, in hex."""
        return next(node.account for node in self.plan.nodes if node.name == name)

    def name(self, ident: str) -> str:
        """The node behind an account in hex or a peer id; the id itself when it is nobody's here."""
        return next((node.name for node in self.plan.nodes if ident in (node.account, node.peer_id)), ident)

    # --- evidence -------------------------------------------------------------------------------------------------

    def offenders(self, found: dict[str, Any]) -> list[tuple[str, str]]:
        """Who is named in an answer, and for what."""
        return [(self.name(row["who"]), row["code"]) for row in found["offenders"]]

    def blob(self, node: str, sha256: str) -> bytes | None:
        """Bytes that a node keeps under their hash, checked against it; None when it does not have them."""
        path = self.layout.home(node) / "blobs" / sha256[:2] / sha256
        if not path.exists():
            return None
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == sha256
        return data

    def log(self, name: str) -> str:
        """What a node (or ``chain``, ``keeper``) has logged so far."""
        return (self.layout.logs / f"{name}.log").read_text("utf-8", "replace")


@contextmanager
def liar_world(fault: str) -> Iterator[LiarWorld]:
    """``ainur devnet up --fault NAME`` on a home of its own; afterwards nothing of it is left."""
    home = new_home()
    ainur = Ainur(home)
    try:
        up = ainur("devnet", "up", "--fault", fault, timeout=UP_SECONDS)
        assert up.code == 0, up
        assert up.data["fault"] == fault
        layout = current(home)
        assert layout is not None
        plan = read_plan(layout.directory)
        chain = ChainClient(plan.chain_url)
        try:
            yield LiarWorld(ainur, plan, chain)
        finally:
            chain.close()
        assert ainur("devnet", "down").code == 0
        assert list(home.iterdir()) == []
        assert processes_of(home) == []
    finally:
        ainur("devnet", "down")
        shutil.rmtree(home, ignore_errors=True)
