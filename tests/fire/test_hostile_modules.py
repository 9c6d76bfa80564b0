"""Hostile modules handed to running nodes: findings with a code, or a typed exit and another provider."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Note
from e2e_world import wait_until
from hostile_wasm import (
    BOMBS,
    FOUND_BY_A_CHILD,
    HEAVY,
    ROOT,
    SEEN,
    Sent,
    repeated,
    starts_before_it_is_asked,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from module_world import Felt, ModuleWorld, module_world
from two_faced import FACES, GOOD, SLOW_FACES, TAKES, Face, honest, package, two_faced

from ainur_node.domain.money import PLANCK_PER_AIN as AIN
from ainur_node.rpc.client import Refused

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

TRIAL, PATIENT = "trial", "patient-trial"
DEADLINE_MS = 3_000
MOST_GROWTH_KIB = 128 * 1024
TABLE = "modules"
BIDS_MISSED = 4


@pytest.fixture(scope="module")
def world() -> Iterator[ModuleWorld]:
    """A world in which n1 offers the agent with two faces for least, and n2 an honest one."""
    with module_world(deadline_ms=DEADLINE_MS) as made:
        for capability, fuel in ((TRIAL, 40_000_000), (PATIENT, 10_000_000_000)):
            made.publish("n1", package(capability, two_faced(), fuel=fuel), two_faced(), 0.1)
            made.publish("n2", package(capability, honest(), fuel=fuel), honest(), 0.3)
        # The submitter admits only modules that it has: wait until it knows both.
        wait_until(lambda: all(bids_on(made, capability) == 2 for capability in (TRIAL, PATIENT)), seconds=120)
        yield made


def bids_on(world: ModuleWorld, capability: str) -> int:
    """How many providers bid for a task on which every agent does what it should."""
    shown = world.task(capability, b'{"do":"only what you should"}')
    collected = [fact["text"] for fact in shown["history"] if fact["kind"] == "BidsCollected"]
    return int(collected[-1].split()[0]) if collected else 0


def tell(note: Note, felt: Felt, module: str, door: str, ends: str, code: str) -> None:
    """A row of the table; then the loop must not have been late."""
    row(note, felt, module, door, ends, code)
    assert felt.bearable, f"{module}: {felt}"


def row(note: Note, felt: Felt, module: str, door: str, ends: str, code: str) -> None:
    """A row of the table."""
    lags = {"lag_ms": felt.lag, "idle_ms": felt.idle, "waited_ms": felt.waited}
    note(TABLE, module=module, door=door, ends=ends, code=code, **lags, s=felt.seconds)


def test_a_world_at_rest(world: ModuleWorld, note: Note) -> None:
    for _ in range(3):
        _, felt = world.felt(lambda: time.sleep(1), *world.names)
        row(note, felt, "(nothing)", "-", "-", "-")


def refused(world: ModuleWorld, sent: Sent, note: Note) -> None:
    """Lint names one of the codes, publishing is refused with the same words, and nothing is registered."""
    codes, felt = world.felt(lambda: world.lint(sent.wasm), "n1")
    assert set(codes) & set(sent.codes), (sent.name, codes)
    tell(note, felt, sent.name, "lint", "finding", codes[0])
    if not sent.wasm:
        return
    no, felt = world.felt(lambda: world.refusal_of_publishing(package("sent", sent.wasm), sent.wasm), "n1")
    assert no.code == "module_refused", no
    assert any(code in no.hint for code in sent.codes), no
    tell(note, felt, sent.name, "publish", "refused", codes[0])


@pytest.mark.parametrize("sent", SEEN, ids=lambda sent: sent.name)
def test_what_a_look_at_the_bytes_shows(world: ModuleWorld, note: Note, sent: Sent) -> None:
    refused(world, sent, note)


@pytest.mark.parametrize("sent", FOUND_BY_A_CHILD, ids=lambda sent: sent.name)
def test_what_only_a_compiler_can_tell(world: ModuleWorld, note: Note, sent: Sent) -> None:
    refused(world, sent, note)


@pytest.mark.parametrize("sent", BOMBS, ids=lambda sent: sent.name)
def test_a_compile_bomb(world: ModuleWorld, note: Note, sent: Sent) -> None:
    codes, felt = world.felt(lambda: world.lint(sent.wasm), "n1")

    assert set(codes) <= set(sent.codes), codes
    tell(note, felt, sent.name, "lint", "finding", codes[0])
    wait_until(world.settled_down)


BIG = Sent("json-query 46 times over", repeated((ROOT / "agents/json-query/json-query.wasm").read_bytes(), 4 << 20), ())


@pytest.mark.parametrize("sent", [*HEAVY, BIG], ids=lambda sent: sent.name)
def test_a_module_that_is_dear_but_fair(world: ModuleWorld, note: Note, sent: Sent) -> None:
    codes, felt = world.felt(lambda: world.lint(sent.wasm), "n1")

    assert codes == []
    tell(note, felt, f"{sent.name} ({len(sent.wasm) / 1e6:.1f} MB)", "lint", "fit", "-")


def test_a_module_of_four_megabytes_is_published_fetched_run_and_paid(world: ModuleWorld, note: Note) -> None:
    manifest = json.loads((ROOT / "agents/json-query/manifest.json").read_bytes())
    kept = {key: manifest[key] for key in ("input", "output", "limits")}
    raw = package("big-query", BIG.wasm, **kept)
    size = f"{len(BIG.wasm) / 1e6:.1f} MB"

    published, felt = world.felt(lambda: world.publish("n1", raw, BIG.wasm, 0.1), "n1")
    assert published["module"]
    tell(note, felt, f"a real one of {size}", "publish", "offered", "-")
    task = b'{"document": {"a": [1, 2, 3]}, "query": ".a | length"}'
    shown, felt = world.felt(lambda: once_it_is_here(world, "big-query", task), "n1", "submitter")
    assert (shown["phase"], shown["outcome"], shown["verified"]) == ("settled", "paid", True)
    tell(note, felt, f"a real one of {size}", "task", "paid", "-")


def once_it_is_here(world: ModuleWorld, capability: str, task: bytes) -> dict[str, Any]:
    """A task for a package that all nodes are compiling just now, on the same two processors."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return world.task(capability, task)
        except Refused as no:
            if no.code != "package_unavailable" or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


AGENTS = [path.read_bytes() for path in sorted((ROOT / "agents").glob("*/*.wasm"))]
CODES = {
    "malformed",
    "invalid",
    "size",
    "component",
    "section",
    "custom-sections",
    "types",
    "type-form",
    "value-type",
} | {
    *(
        "parameters",
        "imports",
        "import-kind",
        "import",
        "import-type",
        "functions",
        "tables",
        "table-type",
        "table-kind",
    ),
    *(
        "table-elements",
        "memories",
        "memory",
        "memory-kind",
        "globals",
        "exports",
        "start",
        "element-segments",
        "elements",
    ),
    *("body", "locals", "blocks", "data-segments", "no-entry", "entry-type", "no-memory", "compile-deadline"),
    *("compile-memory", "compile-crash"),
}


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A real agent with some bytes changed, and perhaps its end cut off."""
    wasm = bytearray(draw(st.sampled_from(AGENTS)))
    for _ in range(draw(st.integers(1, 4))):
        # Headers of sections are near the front, code is everywhere else.
        place = st.integers(8, 200 if draw(st.integers(0, 3)) == 0 else len(wasm) - 1)
        wasm[draw(place)] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, 9)) == 0
    return bytes(wasm[: draw(st.integers(8, len(wasm)))] if cut else wasm)


def test_real_modules_with_bytes_changed_are_fit_or_have_findings(world: ModuleWorld, note: Note) -> None:
    ends: dict[str, int] = {}

    @settings(max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(changed())
    def judged(wasm: bytes) -> None:
        codes = world.lint(wasm)
        assert set(codes) <= CODES, codes
        first = codes[0] if codes else "fit"
        ends[first] = ends.get(first, 0) + 1

    _, felt = world.felt(judged, "n1")
    note(f"{TABLE}: first codes of changed agents", **{code: ends[code] for code in sorted(ends)})
    tell(note, felt, f"{sum(ends.values())} changed agents", "lint", "each judged", f"{len(ends)} codes")


def test_the_command_line_says_the_same(world: ModuleWorld, note: Note, tmp_path: Path) -> None:
    chosen = [
        next(s for s in SEEN if s.name == name) for name in ("unknown import", "wrong type", "65 exports", "text")
    ]
    chosen += [FOUND_BY_A_CHILD[0], Sent("endless start function", starts_before_it_is_asked(), ("start",))]
    for sent in chosen:
        directory = tmp_path / sent.name.replace(" ", "-")
        directory.mkdir()
        (directory / "manifest.json").write_bytes(package("sent", sent.wasm))
        (directory / "sent.wasm").write_bytes(sent.wasm)

        linted, felt = world.felt(lambda d=directory: world.ainur("--node", "n1", "agent", "lint", str(d)), "n1")  # type: ignore[misc]
        published = world.ainur("--node", "n1", "agent", "publish", str(directory), "--ask", "0.2")

        codes = [finding["code"] for finding in linted.data["findings"]]
        assert (linted.code, linted.data["ok"]) == (1, False)
        assert set(codes) & set(sent.codes), codes
        assert (published.code, published.error) == (1, "module_refused")
        assert any(code in published.data["error"]["hint"] for code in sent.codes)
        tell(note, felt, sent.name, "ainur agent lint", "exit 1", codes[0])


def ends_at_another(world: ModuleWorld, note: Note, face: Face, capability: str) -> None:
    """n1 wins, shows its face, declines with the code and is paid nothing; n2 does the work."""
    before = world.ask("n1", "wallet.balance")
    task = json.dumps({"do": face.letter + " " + face.name}, separators=(",", ":")).encode()

    shown, felt = world.felt(lambda: won_by_n1(world, capability, task), "n1", "submitter")

    assert (shown["phase"], shown["outcome"]) == ("settled", "paid"), shown["history"]
    winner = shown["winner"]["provider"]
    output = world.ask("submitter", "task.result", task=shown["task"])["output"]
    if not face.code:
        assert (winner, shown["verified"]) == (world.accounts["n1"], True)
        tell(note, felt, face.name, "task", "paid: the replay agrees", "-")
        return
    assert (winner, output) == (world.accounts["n2"], GOOD)
    assert shown["failed"] == [world.accounts["n1"]]
    why = world.ask("n1", "auction.why", auction=shown["auction"])
    assert why["you"]["work"].split()[0] == face.code, why
    assert earned(before, world.ask("n1", "wallet.balance")) <= 0
    tell(note, felt, face.name, "task", "declined, n2 paid", face.code)


def won_by_n1(world: ModuleWorld, capability: str, task: bytes) -> dict[str, Any]:
    """A task that n1 won first; on a busy machine a bid may miss its window, then another task is asked for."""
    for _ in range(BIDS_MISSED):
        shown = world.task(capability, task)
        if world.accounts["n1"] in (*shown["failed"], (shown["winner"] or {}).get("provider")):
            break
    return shown


def earned(before: dict[str, str], after: dict[str, str]) -> int:
    """Planck that an account owns more than before."""
    total = [int(b["free"]) + sum(int(h) for h in b["held"].values()) for b in (before, after)]  # type: ignore[attr-defined]
    return total[1] - total[0]


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
def test_an_agent_that_misbehaves_on_a_real_task_only(world: ModuleWorld, note: Note, face: Face) -> None:
    ends_at_another(world, note, face, TRIAL)


@pytest.mark.parametrize("face", SLOW_FACES, ids=lambda face: face.name)
def test_an_agent_that_has_more_fuel_than_time(world: ModuleWorld, note: Note, face: Face) -> None:
    ends_at_another(world, note, face, PATIENT)


def test_others_offer_only_what_behaves_on_a_trial(world: ModuleWorld, note: Note) -> None:
    shown_at_once = {face.letter: face for face in FACES if face.code}
    for letter, code in (("a", "trial_failed"), ("b", "trial_failed"), ("g", "trial_failed"), ("k", "output_schema")):
        face = shown_at_once[letter]
        wasm = two_faced()
        takes = TAKES | {"examples": [{"do": letter}]}
        raw = package(f"trial-{letter}", wasm, input={"media_type": "application/json", "schema": takes})
        offered = world.publish("n1", raw, wasm, 0.1)
        no, felt = world.felt(lambda of=offered: refusal_of_offering(world, of["package"]), "n3")  # type: ignore[misc]
        assert no.code == code, no
        tell(note, felt, face.name, "agent offer", "refused after its trial", code)
    mine = world.ask("n1", "agent.list", capability=TRIAL)["agents"]
    package_of_n1 = next(agent["package"] for agent in mine if agent["own"])
    offered, felt = world.felt(lambda: world.ask("n3", "agent.offer", package=package_of_n1, ask=str(AIN)), "n3")
    assert offered["package"] == package_of_n1
    world.ask("n3", "agent.withdraw", agent=offered["agent"])
    tell(note, felt, "two faces, behaves on a trial", "agent offer", "offered", "-")


def refusal_of_offering(world: ModuleWorld, wanted: str) -> Refused:
    """How n3 refuses to offer a package after its trial."""
    try:
        world.ask("n3", "agent.offer", package=wanted, ask=str(AIN))
    except Refused as refused:
        return refused
    raise AssertionError("it was offered")


def test_nothing_is_left_of_all_this(world: ModuleWorld, note: Note) -> None:
    world.unharmed()
    grown = {name: now - world.rss[name] for name, now in world.status("rss_kib").items()}
    cells = {f"{name}_mib": f"{kib / 1024:+.0f}" for name, kib in grown.items()}
    note(f"{TABLE}: what the nodes grew by", **cells, pids="unchanged", children="workers only")
    assert max(grown.values()) < MOST_GROWTH_KIB, grown
