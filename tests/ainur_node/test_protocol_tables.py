"""The tables of docs/protocol.md against the code: what they allow is taken and nothing beyond, limits are the same."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ainur_node.errors import Misbehaviour
from ainur_node.market import channel_messages, messages
from ainur_node.mesh import wire

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
TABLE = [[c.strip() for c in line.strip("|").split("|")] for line in DOC.splitlines() if line.startswith("|")]
KINDS = {
    kind.__name__: kind
    for kind in (*vars(messages).values(), *vars(channel_messages).values())
    if isinstance(kind, type) and issubclass(kind, messages.Message) and kind is not messages.Message
}
WIDTHS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16, "i32": 4, "b32": 32}


def fields_of(cell: str) -> list[tuple[str, str]]:
    """(name, type) of each field that a cell lists; remarks in parentheses are left out."""
    plain = re.sub(r" \([^)]*\)| over `[^`]*`", "", cell)
    found = [re.match(r"(\w+) (.+)", part.strip()) for part in re.split(r", (?![^\[]*\])", plain)]
    return [(m.group(1), m.group(2)) for m in found if m is not None]


def rows_of_messages() -> dict[str, list[tuple[str, str]]]:
    """Message name -> its fields, from the tables of section 7.5."""
    named = [(row, next((i for i, c in enumerate(row[:-1]) if c.strip("`") in KINDS), None)) for row in TABLE]
    return {row[i].strip("`"): fields_of(row[-1]) for row, i in named if i is not None and len(row) <= 3}


MESSAGES = rows_of_messages()


def size(text: str) -> int:
    """A number as the tables write it: 1,024 or 1 MiB."""
    number, _, unit = text.replace(",", "").partition(" ")
    return int(number) << {"": 0, "KiB": 10, "MiB": 20}[unit]


def values(kind: str) -> tuple[list[Any], list[Any]]:
    """What a type of the tables allows at its ends, and what lies just outside."""
    if kind in ("b32", "b64", "money"):
        width = {"b32": 32, "b64": 64, "money": 16}[kind]
        return [bytes(width)], [bytes(width - 1), bytes(width + 1), "a" * width, None]
    if kind in ("u16", "u32", "u64", "i32"):
        most = {"u16": 2**16 - 1, "u32": 2**32 - 1, "u64": 2**63 - 1, "i32": 2**31 - 1}[kind]
        least = -(2**31) if kind == "i32" else 0
        return [least, most], [least - 1, most + 1, "0"]
    if kind == "bool":
        return [True, False], [1, None]
    if kind == "label":
        return ["a", "_" * 40], ["", "a" * 41, "A", "a-b"]
    if kind == "bin":
        return [b"", bytes(400)], ["", None]
    if (numbers := re.fullmatch(r"(\d+)\.\.(\d+)", kind)) is not None:
        least, most = int(numbers.group(1)), int(numbers.group(2))
        return [least, most], [least - 1, most + 1]
    if (text := re.fullmatch(r"text 1\.\.(\d+)", kind)) is not None:
        return ["a", "a" * int(text.group(1))], ["", "a" * (int(text.group(1)) + 1), b"a"]
    if (raw := re.fullmatch(r"bin <= (.+)", kind)) is not None:
        return [b"", bytes(size(raw.group(1)))], [bytes(size(raw.group(1)) + 1)]
    if (several := re.fullmatch(r"\[b32; <= (\d+)\]", kind)) is not None:
        most = int(several.group(1))
        return [[], [bytes(32)] * most], [[bytes(32)] * (most + 1), [bytes(31)]]
    raise AssertionError(f"the tables use an unknown type {kind!r}")


def decodes(name: str, fields: dict[str, Any]) -> bool:
    """Whether the node takes a map of these fields for that message."""
    try:
        messages.decode(KINDS[name], msgspec.msgpack.encode(fields))
    except Misbehaviour:
        return False
    return True


def test_every_message_has_a_row_with_its_very_fields() -> None:
    assert sorted(MESSAGES) == sorted(KINDS)
    for name, kind in KINDS.items():
        assert sorted(f for f, _ in MESSAGES[name]) == sorted(kind.__struct_fields__), name


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_the_node_reads_what_the_page_allows_and_nothing_beyond(name: str) -> None:
    usual = {field: values(kind)[0][-1] for field, kind in MESSAGES[name]}
    assert decodes(name, usual)
    assert not decodes(name, {**usual, "more": 1})
    for field, kind in MESSAGES[name]:
        allowed, refused = values(kind)
        assert [v for v in allowed if not decodes(name, {**usual, field: v})] == [], field
        assert [v for v in refused if decodes(name, {**usual, field: v})] == [], field
        assert not decodes(name, {f: v for f, v in usual.items() if f != field}), field


def test_the_longest_input_and_result_fit_into_one_answer() -> None:
    for name in ("Input", "Output"):
        longest = {field: values(kind)[0][-1] for field, kind in MESSAGES[name]}
        assert len(longest["body"]) == 1 << 20
        assert len(msgspec.msgpack.encode(longest)) <= wire.MAX_BODY, name


def served() -> Iterator[tuple[str, dict[str, int]]]:
    """Each method that the market serves, with its limits, as the source has them."""
    for path in sorted((ROOT / "ainur_node" / "market").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        loops = {
            node.target.id: [e.value for e in node.iter.elts if isinstance(e, ast.Constant)]
            for node in ast.walk(tree)
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and isinstance(node.iter, ast.Tuple)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "serve"):
                continue
            limits = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            first = node.args[0] if node.args else None
            names = [first.value] if isinstance(first, ast.Constant) else loops.get(getattr(first, "id", ""), [])
            yield from ((str(name), limits) for name in names)  # type: ignore[misc]


def test_limits_of_methods_are_those_of_the_page() -> None:
    stated = {
        row[0].strip("`"): row[-2:] for row in TABLE if re.fullmatch(r"`(auction|task|channel|court)\.\w+`", row[0])
    }
    found = dict(served())
    assert sorted(stated) == sorted(found)
    for method, (most, rates) in stated.items():
        limits = found[method]
        said = (size(most), *(int(n) for n in rates.split("; ")))
        assert said == (limits["max_body"], limits["per_peer_per_second"], limits["concurrent"]), method


def test_widths_of_preimages_are_those_of_the_vectors() -> None:
    vectors = json.loads((ROOT / "tests" / "vectors" / "domain.json").read_text(encoding="utf-8"))["hashes"]
    stated = {row[1].strip("`"): row[-1] for row in TABLE if len(row) == 4 and row[1].startswith("`ainur/")}
    compared = 0
    for vector in vectors:
        kinds = [kind for kind, _, _ in vector["fields"]]
        if stated[vector["tag"]].isdecimal():
            assert sum(WIDTHS[kind] for kind in kinds) == int(stated[vector["tag"]]), vector["tag"]
            compared += 1
    assert compared > 20


def test_parameters_stand_in_their_order_with_their_development_values() -> None:
    source = (ROOT / "chain" / "primitives" / "src" / "params.rs").read_text(encoding="utf-8")
    struct = re.findall(r"^\tpub (\w+): (\w+),$", source, re.MULTILINE)
    start = next(i for i, row in enumerate(TABLE) if row[:2] == ["parameter", "type"])
    rows = TABLE[start + 2 : start + 2 + len(struct)]
    assert [row[0] for row in rows] == [name for name, _ in struct]
    assert [row[1].split()[0] for row in rows] == [{"Millis": "u64", "Balance": "u128"}.get(t, t) for _, t in struct]
    standard = source[source.index("fn default()") : source.index("impl Params")]
    defaults = dict(re.findall(r"^\t\t\t(\w+): ([^,]+),$", standard, re.MULTILINE))
    for name, _, value, *_ in rows:
        exact = defaults[name].replace("AIN", str(10**12)).replace("_", "")
        product = [int(n) for n in re.findall(r"\d+", exact)]
        planck = product[0] * product[1] if "*" in exact else product[0] // product[1] if "/" in exact else product[0]
        digits = re.match(r"(?:(\d+)·)?10\^(\d+)|([\d,]+)", value)
        assert digits is not None, name
        power = int(digits.group(1) or 1) * 10 ** int(digits.group(2) or 0)
        assert (int(digits.group(3).replace(",", "")) if digits.group(3) else power) == planck, name


def test_arguments_of_every_market_call_are_named() -> None:
    for path in sorted((ROOT / "chain" / "pallets").glob("*/src/lib.rs")):
        calls = re.findall(r"pub fn (\w+)\(\s*origin: OriginFor<T>,?([^)]*)\)", path.read_text(encoding="utf-8"))
        for call, arguments in calls:
            named = re.findall(r"(\w+):(?!:)", arguments)
            assert [a for a in named if not re.search(rf"\b{a}\b", DOC)] == [], call


RECORDS = {
    "`Did.Dids`": ("did/src/lib.rs", "Did"),
    "`AgentRegistry.Providers`": ("agent-registry/src/types.rs", "Provider"),
    "`AgentRegistry.Agents`": ("agent-registry/src/types.rs", "Agent"),
    "`Reputation.Scores`": ("reputation/src/lib.rs", "Score"),
    "`VcgAuction.Auctions`": ("vcg-auction/src/types.rs", "Auction"),
    "`VcgAuction.Closings`": ("vcg-auction/src/types.rs", "Closing"),
    "`Escrow.Escrows`": ("escrow/src/types.rs", "Escrow"),
    "`Channels.Channels`": ("channels/src/types.rs", "Channel"),
}


@pytest.mark.parametrize("item", sorted(RECORDS))
def test_fields_of_stored_records_stand_in_their_order(item: str) -> None:
    file, struct = RECORDS[item]
    source = (ROOT / "chain" / "pallets" / file).read_text(encoding="utf-8")
    body = re.search(rf"pub struct {struct} \{{(.*?)\n\t?\}}", source, re.DOTALL)
    assert body is not None
    fields = re.findall(r"pub (\w+):", body.group(1))
    row = next(row for row in TABLE if row[0].startswith(item))
    stated = [
        part.split()[0].rstrip(",") for part in re.split(r", (?![^(\[]*[)\]])", re.sub(r" \([^)]*\)", "", row[1]))
    ]
    assert stated == fields
