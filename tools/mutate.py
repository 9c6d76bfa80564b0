"""Breaks the domain one small change at a time and asks its tests to notice: ``make mutants``.

Each mutant lives only in a forked process, which runs first the tests that are near its file, then all others; no file
is ever changed. Changes that no test could ever see stand in equivalent_mutants.toml with the reason; an entry that
matches nothing any more, or that the near tests do notice, is an error as a survivor is.
"""

import argparse
import ast
import json
import os
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from forks import LIMIT, SURVIVED, Forks, Trial
from mutants import Mutant, mutants

ROOT = Path(__file__).parents[1]
TARGETS = tuple(
    f"ainur_node/domain/{name}.py"
    for name in (
        *("auction/commitments", "auction/rules", "auction/single", "auction/transcript"),
        *("auction/accusing", "auction/proofs", "auction/bond"),
        *("requester", "provider", "money", "reputation", "bidding"),
        *("channels/payee", "channels/payer"),
    )
)
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
# Processor seconds, not those of the clock: a busy machine must not make a mutant look noticed.
PATIENCE = 10, 6  # at least this long, and this many times as long as the unchanged code takes
# The files that are most likely to notice; most mutants never meet another.
NEAR = {
    "commitments": ("test_vectors_agree", "test_commit_tree"),
    "rules": ("test_vectors_agree", "test_auction_rule"),
    "single": ("test_vectors_agree", "test_auction_rule"),
    "accusing": ("test_challenges",),
    "proofs": ("test_challenges",),
    "bond": ("test_challenges",),
    "transcript": ("test_vectors_agree", "test_transcript_faults"),
    "money": ("test_money",),
    "reputation": ("test_reputation",),
    "requester": ("test_requester_steps", "test_requester_endings", "test_what_facts_teach", "test_pallet_refusals"),
    "provider": ("test_provider_steps", "test_what_facts_teach"),
    "bidding": ("test_bidding_policies",),
    "manifest": ("test_manifest",),
    "canonical": ("test_canonical_bytes", "test_vectors_agree"),
    "agent": ("test_canonical_bytes", "test_bidding_policies", "test_vectors_agree"),
    "task": ("test_canonical_bytes", "test_vectors_agree"),
    "payee": ("test_channel_steps", "test_channel_machine"),
    "payer": ("test_channel_steps", "test_channel_machine"),
    "receipt": ("test_receipts", "test_vectors_agree", "test_what_facts_teach"),
}
# It compares a page with the code that writes it: whoever changes the code writes the page anew.
NO_WITNESS = ("test_state_diagrams",)


@dataclass(slots=True)
class Verdict:
    """What became of the mutants of one file."""

    mutants: int = 0
    killed: int = 0
    at_the_limit: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)


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
        mutant, verdict = trial.subject, self.verdicts[trial.file]
        assert isinstance(mutant, Mutant)
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
    sys.path.insert(0, str(ROOT))  # the tree this file stands in, whatever is installed
    if options.list:
        for file in options.files:
            for mutant in mutants(file, (ROOT / file).read_text("utf-8")):
                print(f"{mutant.file}:{mutant.line} {mutant.within}: {mutant.change}")
        return 0
    started = time.monotonic()
    court = Court(options.files, options.workers, near_only=options.near, follow=not options.json)
    court.start()
    seconds = time.monotonic() - started
    print((as_json if options.json else report)(court, seconds))
    return court.failed


if __name__ == "__main__":
    sys.exit(main())
