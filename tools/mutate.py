"""Breaks the rules of money one small change at a time and asks the domain's tests to notice: ``make mutants``.

Each mutant lives only in a forked process that runs tests/domain against it; no file is ever changed. Survivors are
printed as file:line with the change. Changes that no test could ever see stand in equivalent_mutants.toml with the
reason; an entry that matches nothing any more is an error too.
"""

import argparse
import ast
import os
import resource
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
DEFAULT = ("domain/auction/commitments", "domain/auction/rules", "domain/auction/single", "domain/auction/transcript")
TARGETS = tuple(f"ainur_node/{name}.py" for name in (*DEFAULT, "domain/money", "domain/reputation"))
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
SECONDS = 60  # a mutant that makes the tests run longer than this counts as noticed
MEMORY = 2 << 30  # nor may it eat the machine; pytest's own time limit is off, because it would take the alarm away
# The files that are most likely to notice, tried alone first: collecting all tests costs more than running these.
NEAR = {
    "commitments": ("test_vectors_agree", "test_commit_tree"),
    "rules": ("test_vectors_agree", "test_auction_rule"),
    "single": ("test_vectors_agree", "test_auction_rule"),
    "transcript": ("test_vectors_agree", "test_transcript_faults"),
    "money": ("test_money",),
    "reputation": ("test_reputation",),
    "requester": ("test_requester_steps",),
    "provider": ("test_provider_steps",),
    "bidding": ("test_bidding_policies",),
    "manifest": ("test_manifest",),
    "canonical": ("test_canonical_bytes", "test_vectors_agree"),
    "agent": ("test_canonical_bytes", "test_vectors_agree"),
    "task": ("test_canonical_bytes", "test_vectors_agree"),
    "receipt": ("test_vectors_agree",),
}

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
COUNTED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv, ast.Add),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitXor: (ast.Add, ast.BitOr),
    ast.BitOr: (ast.BitAnd,),
}
CALLED = {"min": "max", "max": "min", "sorted": "list", "len": "id", "abs": "int"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file: where, what it reads before and after, and how to put it in and take it out."""

    file: str
    line: int
    change: str
    apply: Callable[[], Callable[[], None]]


def _set(owner: Any, name: str, index: int | None, value: Any) -> Callable[[], Callable[[], None]]:
    """A function that puts ``value`` into a field (or one place of a list) and returns what undoes it."""

    def apply() -> Callable[[], None]:
        if index is None:
            old = getattr(owner, name)
            setattr(owner, name, value)
            return lambda: setattr(owner, name, old)
        places = getattr(owner, name)
        kept = places[index]
        places[index] = value

        def undo() -> None:
            places[index] = kept

        return undo

    return apply


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may be replaced by."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for other in COMPARED[type(op)]:
                yield ast.Compare(left, [other()], [right])
        case ast.Compare(left=left, ops=ops, comparators=rest):
            for i, op in enumerate(ops):
                for other in COMPARED[type(op)]:
                    yield ast.Compare(left, [*ops[:i], other(), *ops[i + 1 :]], rest)
        case ast.BinOp(left=left, op=op, right=right):
            for swapped in COUNTED.get(type(op), ()):
                yield ast.BinOp(left, swapped(), right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield from values
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(value=bytes() as value):
            yield ast.Constant(value + b"x")
        case ast.Constant(value=str() as value) if " " not in value:
            yield ast.Constant(value + "x")
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in CALLED:
            kept = [] if CALLED[name] in ("list", "id", "int") else keywords
            yield ast.Call(ast.Name(CALLED[name]), args, kept)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) if len(elements) > 1:
            yield type(node)(elts=elements[1:], ctx=node.ctx)


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """What a statement may be replaced by."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Assign():
            yield ast.Pass()
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(None)
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
            yield ast.If(ast.Constant(value=False), body, orelse)
        case ast.While(test=test, body=body, orelse=orelse):
            yield ast.While(ast.UnaryOp(ast.Not(), test), body, orelse)


def mutants(file: str, tree: ast.AST) -> Iterator[Mutant]:
    """All mutants of a parsed file, in the order of its lines; apply one at a time."""
    untested = _untested(tree)
    for owner in [node for node in ast.walk(tree) if node not in untested]:
        for name, value in ast.iter_fields(owner):
            children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            for index, child in children:
                if isinstance(child, ast.AST) and child not in untested:
                    yield from _of_child(file, owner, name, index, child)


def _of_child(file: str, owner: ast.AST, name: str, index: int | None, child: Any) -> Iterator[Mutant]:
    if isinstance(child, ast.stmt):
        others: Iterator[ast.AST] = _statements(child)
    elif isinstance(child, ast.expr):
        others = iter([*_expressions(child), *_unconditional(owner, name, child)])
    else:
        return
    for other in others:
        before, after = (ast.unparse(ast.fix_missing_locations(node)).split("\n")[0] for node in (child, other))
        yield Mutant(file, child.lineno, f"{before}  ->  {after}", _set(owner, name, index, other))


def _unconditional(owner: ast.AST, name: str, child: ast.expr) -> Iterator[ast.expr]:
    if isinstance(owner, ast.comprehension) and name == "ifs":
        yield ast.Constant(value=True)
        yield ast.UnaryOp(ast.Not(), child)


def _untested(tree: ast.AST) -> set[ast.AST]:
    """Everything inside annotations, decorators and formatted texts."""
    found: set[ast.AST] = set()
    for owner in ast.walk(tree):
        for name, value in ast.iter_fields(owner):
            if name in ("annotation", "returns", "decorator_list") or isinstance(owner, ast.JoinedStr):
                for child in value if isinstance(value, list) else [value]:
                    found.update(ast.walk(child) if isinstance(child, ast.AST) else ())
    return found


# --- running ----------------------------------------------------------------------------------------------------


class _OneModule(MetaPathFinder, Loader):
    """Gives one module mutated source; everything else is imported as ever."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._name, "exec"), module.__dict__)


def _test(module: str, source: str, tests: list[str]) -> int:
    """Run the tests against a mutant in a forked process; its exit code, 0 when nothing was noticed."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    import hypothesis
    import pytest

    found = hypothesis.Phase.explicit, hypothesis.Phase.generate
    hypothesis.settings.register_profile("mutants", database=None, derandomize=True, deadline=None, phases=found)
    hypothesis.settings.load_profile("mutants")
    sys.meta_path.insert(0, _OneModule(module, source))
    code = 2
    try:
        code = int(
            pytest.main(["-x", "-q", "--noconftest", "--assert=plain", "--timeout=0", "-p", "no:cacheprovider", *tests])
        )
    finally:
        os._exit(code)


def _known() -> dict[tuple[str, str], str]:
    entries = tomllib.loads(EQUIVALENT.read_text("utf-8"))["mutant"]
    return {(entry["file"], entry["change"]): entry["reason"] for entry in entries}


def _tests(file: str) -> list[list[str]]:
    """The tests for a file, in two rounds: those that are near, and all but the state machines."""
    files = {path.stem: str(path) for path in sorted((ROOT / "tests" / "domain").glob("test_*.py"))}
    near = [files[stem] for stem in NEAR.get(Path(file).stem, ())]
    return [near, [path for stem, path in files.items() if not stem.endswith("_machine")]]


def _survives(module: str, source: str, rounds: list[list[str]]) -> bool:
    return all(_test(module, source, tests) == 0 for tests in rounds if tests)


def main() -> int:
    """Exit code 1 when a mutant survived or a known one is gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=TARGETS)
    parser.add_argument("--list", action="store_true", help="only show the mutants")
    parser.add_argument("--near", action="store_true", help="only the tests that are near a file: quick, and stricter")
    options = parser.parse_args()
    import hypothesis.stateful
    import msgspec
    import pytest

    del hypothesis, msgspec, pytest  # loaded here, so that no fork has to
    os.chdir(ROOT)
    known, started = _known(), time.monotonic()
    unseen = {key for key in known if key[0] in options.files}
    survivors = total = 0
    for file in options.files:
        source = (ROOT / file).read_text("utf-8")
        tree = ast.parse(source)
        rounds = _tests(file)[: 1 if options.near else 2]
        module = file.removesuffix(".py").replace("/", ".")
        if not options.list and not _survives(module, ast.unparse(tree), rounds):
            print(f"{file}: the tests fail without any change")
            return 2
        for mutant in sorted(mutants(file, tree), key=lambda m: m.line):
            total += 1
            if options.list:
                print(f"{mutant.file}:{mutant.line}: {mutant.change}")
                continue
            unseen.discard((file, mutant.change))
            if (file, mutant.change) in known:
                continue
            undo = mutant.apply()
            changed = ast.unparse(ast.fix_missing_locations(tree))
            undo()
            if _survives(module, changed, rounds):
                survivors += 1
                print(f"survived  {mutant.file}:{mutant.line}: {mutant.change}", flush=True)
    for file, change in sorted(unseen) if not options.list else ():
        print(f"gone      {file}: {change}")
    print(
        f"{total} mutants, {len(known)} known as equivalent, {survivors} survived, {time.monotonic() - started:.0f} s"
    )
    return bool(survivors or (unseen and not options.list))


if __name__ == "__main__":
    sys.exit(main())
