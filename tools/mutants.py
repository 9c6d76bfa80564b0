"""The small changes that can be made to a source file, one at a time."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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
CALLED = {"min": "max", "max": "min", "sorted": "list", "len": "id", "abs": "int", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the line, the function or class around it, what it reads before and after, and the whole source."""

    file: str
    line: int
    within: str
    change: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the change as long as the code around it stays."""
        return self.file, self.within, self.change


def mutants(file: str, source: str) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    tree = ast.parse(source)
    return sorted(_walk(file, tree, tree, _untested(tree), ()), key=lambda mutant: mutant.line)


def _walk(
    file: str, tree: ast.AST, owner: ast.AST, untested: set[ast.AST], within: tuple[str, ...]
) -> Iterator[Mutant]:
    if isinstance(owner, ast.FunctionDef | ast.ClassDef):
        within = (*within, owner.name)
    for name, value in ast.iter_fields(owner):
        children = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or child in untested:
                continue
            for other, after in _replacements(owner, name, child):
                change = f"{_first_line(child)}  ->  {after or _first_line(other)}"
                undo = _put(owner, name, index, other)
                yield Mutant(file, child.lineno, ".".join(within), change, _text(tree))  # type: ignore[attr-defined]
                undo()
            yield from _walk(file, tree, child, untested, within)


def _first_line(node: ast.AST) -> str:
    return _text(node).split("\n")[0]


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _put(owner: Any, name: str, index: int | None, value: Any) -> Callable[[], None]:
    """Puts ``value`` into a field, or one place of a list, and returns what undoes it."""
    if index is None:
        kept = getattr(owner, name)
        setattr(owner, name, value)
        return lambda: setattr(owner, name, kept)
    places = getattr(owner, name)
    kept = places[index]
    places[index] = value
    return lambda: places.__setitem__(index, kept)


def _replacements(owner: ast.AST, name: str, child: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What a node may be replaced by, and how that reads where its own text would be long."""
    if isinstance(child, ast.stmt):
        yield from ((other, "") for other in _statements(child))
    elif isinstance(child, ast.expr):
        yield from ((other, "") for other in _expressions(child))
        yield from ((other, f"without {_first_line(dropped)}") for dropped, other in _shorter(child))
        if isinstance(owner, ast.comprehension) and name == "ifs":
            yield from ((other, "") for other in (ast.Constant(value=True), ast.UnaryOp(ast.Not(), child)))
        if isinstance(owner, ast.match_case) and name == "guard":
            yield from ((ast.Constant(value=value), "") for value in (True, False))


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
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


def _shorter(node: ast.expr) -> Iterator[tuple[ast.AST, ast.expr]]:
    """A part that can be left out, and what is left: elements, and what a record would be given new."""
    match node:
        case ast.Call(func=ast.Name(id="replace") as func, args=args, keywords=keywords):
            for i, keyword in enumerate(keywords):
                yield keyword, ast.Call(func, args, [*keywords[:i], *keywords[i + 1 :]])
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements) if len(elements) > 1:
            for i, element in enumerate(elements):
                rest = [*elements[:i], *elements[i + 1 :]]
                yield element, ast.Set(rest) if isinstance(node, ast.Set) else type(node)(rest, node.ctx)


def _statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.AugAssign(target=target, op=op, value=value):
            yield ast.Pass()
            for swapped in COUNTED.get(type(op), ()):
                yield ast.AugAssign(target, swapped(), value)
        case ast.Expr() | ast.Raise() | ast.Assign():
            yield ast.Pass()
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(None)
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
            yield ast.If(ast.Constant(value=False), body, orelse)
        case ast.While(test=test, body=body, orelse=orelse):
            yield ast.While(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.For(target=target, body=body, orelse=orelse):
            yield ast.For(target, ast.Tuple([], ast.Load()), body, orelse)


def _untested(tree: ast.AST) -> set[ast.AST]:
    """Everything inside annotations, decorators and formatted texts."""
    found: set[ast.AST] = set()
    for owner in ast.walk(tree):
        for name, value in ast.iter_fields(owner):
            if name in ("annotation", "returns", "decorator_list") or isinstance(owner, ast.JoinedStr):
                for child in value if isinstance(value, list) else [value]:
                    found.update(ast.walk(child) if isinstance(child, ast.AST) else ())
    return found
