"""Breaks the domain one small change at a time and asks its tests to notice: ``make mutants``.

Each mutant lives only in a process that is forked where pytest is about to collect: there it imports the changed domain
and the tests anew, so that nothing was computed by the unchanged code, and runs first the tests that are near its file,
then all others. No file is ever changed. Changes that no test could ever see stand in equivalent_mutants.toml with the
reason; an entry that matches nothing any more, or that the near tests do notice, is an error as a survivor is.
"""

import argparse
import ast
import json
import os
import resource
import signal
import sys
import time
import tomllib
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import hypothesis.stateful
import msgspec  # noqa: F401  (loaded here, so that no fork has to)
import pytest
from mutants import Mutant, mutants

ROOT = Path(__file__).parents[1]
TARGETS = tuple(
    f"ainur_node/domain/{name}.py"
    for name in (
        *("auction/commitments", "auction/rules", "auction/single", "auction/transcript"),
        *("requester", "provider", "money", "reputation", "bidding"),
    )
)
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
MEMORY = 2 << 30  # a mutant may not eat the machine
# Processor seconds, not those of the clock: a busy machine must not make a mutant look noticed.
PATIENCE = 10, 6  # at least this long, and this many times as long as the unchanged code takes
# The files that are most likely to notice; most mutants never meet another.
NEAR = {
    "commitments": ("test_vectors_agree", "test_commit_tree"),
    "rules": ("test_vectors_agree", "test_auction_rule"),
    "single": ("test_vectors_agree", "test_auction_rule"),
    "transcript": ("test_vectors_agree", "test_transcript_faults"),
    "money": ("test_money",),
    "reputation": ("test_reputation",),
    "requester": ("test_requester_steps", "test_what_facts_teach"),
    "provider": ("test_provider_steps", "test_what_facts_teach"),
    "bidding": ("test_bidding_policies",),
    "manifest": ("test_manifest",),
    "canonical": ("test_canonical_bytes", "test_vectors_agree"),
    "agent": ("test_canonical_bytes", "test_vectors_agree"),
    "task": ("test_canonical_bytes", "test_vectors_agree"),
    "receipt": ("test_vectors_agree",),
}
# It compares a page with the code that writes it: whoever changes the code writes the page anew.
NO_WITNESS = ("test_state_diagrams",)
NOTICED, LIMIT, SURVIVED = "noticed", "limit", "survived"


@dataclass(slots=True)
class Verdict:
    """What became of the mutants of one file."""

    mutants: int = 0
    killed: int = 0
    at_the_limit: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """A mutant (None: the unchanged file) in front of one round of tests after the other."""

    file: str
    source: str
    rounds: list[list[str]]
    limits: list[int]
    mutant: Mutant | None = None
    passed: int = 0
    spent: list[float] = field(default_factory=list)
    end: str = ""


class _OneModule(MetaPathFinder, Loader):
    """Gives one module other source; everything else is imported as ever."""

    def __init__(self, file: str, source: str) -> None:
        self._name = file.removesuffix(".py").replace("/", ".")
        self._source = source

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._name, "exec"), module.__dict__)


class Forks:
    """A pytest plugin that stops before collecting, and lets each fork collect and run for itself."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._session: pytest.Session | None = None
        self.forked = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        """In a fork: go on with its own tests. In the parent: judge everything, collect nothing."""
        self._session = session
        self.judge()
        return None if self.forked else True

    def judge(self) -> None:
        """What the parent does with its forks."""
        raise NotImplementedError

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Examples before properties, and the state machines last: what is quick may notice first."""
        items.sort(
            key=lambda item: (item.path.stem.endswith("_machine"), hasattr(getattr(item, "obj", 0), "hypothesis"))
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """The first failure says it all; to put it into words would take longer than the tests did."""
        if self.forked and call.excinfo and not call.excinfo.errisinstance(pytest.skip.Exception):
            os._exit(1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """A fork ends here, and only here."""
        if self.forked:
            os._exit(int(exitstatus))

    def run(self, trials: Iterator[Trial]) -> Iterator[Trial]:
        """Each trial when it has ended, ``workers`` at a time; ends early in a fork."""
        again: deque[Trial] = deque()
        running: dict[int, Trial] = {}
        while True:
            while len(running) < self._workers and (trial := again.popleft() if again else next(trials, None)):
                if not (child := os.fork()):
                    self._become(trial)
                    return
                running[child] = trial
            if not running:
                return
            child, status, used = os.wait4(-1, 0)
            trial = running.pop(child)
            code = os.waitstatus_to_exitcode(status)
            trial.spent.append(used.ru_utime + used.ru_stime)
            trial.passed += code == 0
            if code == 0 and trial.passed < len(trial.rounds):
                again.append(trial)
                continue
            trial.end = SURVIVED if code == 0 else LIMIT if code == -signal.SIGXCPU else NOTICED
            yield trial

    def _become(self, trial: Trial) -> None:
        """Turn this fork into a pytest run of the trial's next round."""
        assert self._session is not None
        self.forked = True
        limit = trial.limits[trial.passed]
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.meta_path.insert(0, _OneModule(trial.file, trial.source))
        self._session.config.args[:] = trial.rounds[trial.passed]


class Court(Forks):
    """Tries all mutants of some files and keeps the verdicts."""

    def __init__(self, files: list[str], workers: int, *, near_only: bool, follow: bool) -> None:
        super().__init__(workers)
        self.verdicts = {file: Verdict() for file in files}
        self.known = known_equivalents()
        self.noticed: list[Mutant] = []
        self.unready = list(files)
        self._near_only = near_only
        self._follow = follow

    def judge(self) -> None:
        """Every mutant of every file, once the file's tests pass without any change."""
        _warm()
        for file in self.verdicts:
            source = (ROOT / file).read_text("utf-8")
            rounds = _rounds(file)[: 1 if self._near_only else 2]
            plain = Trial(file, ast.unparse(ast.parse(source)), rounds, [600] * len(rounds))
            list(self.run(iter([plain])))
            if self.forked:
                return
            if plain.end != SURVIVED:
                continue
            self.unready.remove(file)
            limits = [int(PATIENCE[0] + PATIENCE[1] * seconds) for seconds in plain.spent]
            trials = (self._trial(file, mutant, rounds, limits) for mutant in mutants(file, source))
            for trial in self.run(trials):
                self._note(trial)
            if self.forked:
                return
            self._say(file)

    def _trial(self, file: str, mutant: Mutant, rounds: list[list[str]], limits: list[int]) -> Trial:
        return Trial(file, mutant.source, rounds[: 1 if mutant.key in self.known else 2], limits, mutant)

    def _note(self, trial: Trial) -> None:
        mutant, verdict = trial.mutant, self.verdicts[trial.file]
        assert mutant is not None
        verdict.mutants += 1
        if trial.end != SURVIVED:
            verdict.killed += 1
            verdict.at_the_limit += trial.end == LIMIT
            if mutant.key in self.known:
                self.noticed.append(mutant)
        elif mutant.key in self.known:
            verdict.equivalent.append(mutant)
        else:
            verdict.survivors.append(mutant)
            print(
                f"survived  {mutant.file}:{mutant.line} in {mutant.within}: {mutant.change}",
                file=sys.stderr,
                flush=True,
            )

    def _say(self, file: str) -> None:
        if self._follow:
            verdict = self.verdicts[file]
            print(
                f"done      {file}: {verdict.mutants}, {len(verdict.survivors)} survived", file=sys.stderr, flush=True
            )

    @property
    def gone(self) -> list[tuple[str, str, str]]:
        """Entries of equivalent_mutants.toml that no longer match a change."""
        seen = Counter(m.key for verdict in self.verdicts.values() for m in verdict.equivalent)
        seen.update(m.key for m in self.noticed)
        return sorted(key for key in self.known if key[0] in self.verdicts and not seen[key])

    @property
    def failed(self) -> bool:
        """Whether anything has to be done."""
        survivors = any(verdict.survivors for verdict in self.verdicts.values())
        return survivors or bool(self.gone or self.noticed or self.unready)


def known_equivalents() -> dict[tuple[str, str, str], str]:
    """Reasons by file, function and change."""
    entries = tomllib.loads(EQUIVALENT.read_text("utf-8"))["mutant"]
    return {(entry["file"], entry["within"], entry["change"]): entry["reason"] for entry in entries}


def _rounds(file: str) -> list[list[str]]:
    """The tests for a file: those that are near, then all others."""
    found = {path.stem: str(path) for path in sorted((ROOT / "tests" / "domain").glob("test_*.py"))}
    near = NEAR.get(Path(file).stem, ())
    others = [path for stem, path in found.items() if stem not in (*near, *NO_WITNESS)]
    return [tests for tests in ([found[stem] for stem in near], others) if tests]


def report(court: Court, seconds: float) -> str:
    """The table, then every change that is not killed."""
    lines = [f"{'file':<44}{'mutants':>8}{'killed':>8}{'equivalent':>12}{'survivors':>11}"]
    rows = [(f, v.mutants, v.killed, len(v.equivalent), len(v.survivors)) for f, v in court.verdicts.items()]
    rows.append(("all", *(sum(row[i] for row in rows) for i in range(1, 5))))  # type: ignore[misc]
    lines += [f"{name:<44}{a:>8}{b:>8}{c:>12}{d:>11}" for name, a, b, c, d in rows]
    for verdict in court.verdicts.values():
        for m in verdict.equivalent:
            lines.append(f"equivalent {m.file}:{m.line} {m.within}: {m.change}\n           {court.known[m.key]}")
    for verdict in court.verdicts.values():
        lines += [f"SURVIVED   {m.file}:{m.line} {m.within}: {m.change}" for m in verdict.survivors]
    lines += [f"NOTICED    {m.file}:{m.line} {m.within}: {m.change}  (listed as equivalent)" for m in court.noticed]
    lines += [f"GONE       {file} {within}: {change}" for file, within, change in court.gone]
    lines += [f"UNREADY    {file}: the tests fail without any change" for file in court.unready]
    limit = sum(verdict.at_the_limit for verdict in court.verdicts.values())
    lines.append(f"{limit} of the killed ran until the limit of time; {seconds:.0f} s in all")
    return "\n".join(lines)


def as_json(court: Court, seconds: float) -> str:
    """The same for programs."""

    def shown(found: list[Mutant]) -> list[dict[str, object]]:
        return [
            {"line": m.line, "within": m.within, "change": m.change}
            | ({"reason": court.known[m.key]} if m.key in court.known else {})
            for m in found
        ]

    files = [
        {
            "file": file,
            "mutants": verdict.mutants,
            "killed": verdict.killed,
            "at_the_limit": verdict.at_the_limit,
            "equivalent": shown(verdict.equivalent),
            "survivors": shown(verdict.survivors),
        }
        for file, verdict in court.verdicts.items()
    ]
    wrong = {"noticed": shown(court.noticed), "gone": court.gone, "unready": court.unready}
    return json.dumps({"files": files, **wrong, "seconds": round(seconds, 1)}, indent=2)


@hypothesis.given(hypothesis.strategies.integers())
def _warm(number: int) -> None:
    """What Hypothesis prepares at its first test need not be prepared in every fork."""
    del number


def main() -> int:
    """Exit code 1 when a mutant survived or the list of equivalent ones is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=list(TARGETS))
    parser.add_argument("--list", action="store_true", help="only show the mutants")
    parser.add_argument("--near", action="store_true", help="only the tests that are near a file: quick, and stricter")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at a time")
    options = parser.parse_args()
    os.chdir(ROOT)
    if options.list:
        for file in options.files:
            for mutant in mutants(file, (ROOT / file).read_text("utf-8")):
                print(f"{mutant.file}:{mutant.line} {mutant.within}: {mutant.change}")
        return 0
    started = time.monotonic()
    phases = hypothesis.Phase.explicit, hypothesis.Phase.generate
    hypothesis.settings.register_profile(
        "mutants",
        database=None,
        derandomize=True,
        deadline=None,
        phases=phases,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")
    court = Court(options.files, options.workers, near_only=options.near, follow=not options.json)
    plain = ["-x", "-o", "addopts=", "--noconftest", "--assert=plain", "--timeout=0", "--capture=no"]
    pytest.main([*plain, "-p", "no:cacheprovider", "-p", "no:terminal"], plugins=[court])
    seconds = time.monotonic() - started
    print((as_json if options.json else report)(court, seconds))
    return court.failed


if __name__ == "__main__":
    sys.exit(main())
