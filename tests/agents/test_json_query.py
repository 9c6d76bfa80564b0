"""The JSON query against the same language written in Python, and on bytes that nobody should have sent."""

import json
from typing import Any

import jsonschema
import pytest
import query_reference as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from ainur_node.market.schema import mismatch
from wasm_runtime.result import Execution, Exit

AGENT_NAME = "json-query"
MIB = 1 << 20

SHOP = """{
  "name": "héllo", "open": true, "note": null,
  "items": [
    {"id": 1, "tag": "tea", "price": 2.50, "stock": [3, 4]},
    {"id": 2, "tag": "cup", "price": 12.0, "stock": []},
    {"id": 3, "tag": "tea", "price": 1e1, "stock": [7]}
  ],
  "big": 12345678901234567890.10, "odd key": -0
}"""


def task(query: str, document: str = SHOP) -> bytes:
    return f'{{"document": {document}, "query": {json.dumps(query)}}}'.encode()


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def answer(execution: Execution) -> dict[str, Any]:
    assert execution.exit is Exit.OK, (execution.exit, execution.log)
    found = reference.read(execution.output)
    assert isinstance(found, dict)
    return found


def results(execution: Execution) -> str:
    found = answer(execution)
    assert "results" in found, found
    return ", ".join(reference.written(one) for one in found["results"])


EXAMPLES = [
    (".name", '"héllo"'),
    (".items[0].price", "2.50"),
    (".items[-1].id, .items[9]", "3, null"),
    (".items[].id", "1, 2, 3"),
    (".items[*].stock[*]", "3, 4, 7"),
    ('.["odd key"], ."odd key"', "-0, -0"),
    (".big", "12345678901234567890.10"),
    (".nothing.at.all", "null"),
    ('.items[] | select(.tag == "tea") | .id', "1, 3"),
    (".items | map(select(.price >= 10 and .id < 3)) | length", "1"),
    (".items | map(select(.price > 10 or .stock == [])) | map(.id)", "[2]"),
    (".items | sort_by(.price) | map(.id)", "[1,3,2]"),
    (".items | sort_by(.tag, .price) | map(.id)", "[2,1,3]"),
    (
        ".items | group_by(.tag) | map({tag: .[0].tag, ids: map(.id)})",
        '[{"tag": "cup","ids": [2]},{"tag": "tea","ids": [1,3]}]',
    ),
    (".items | unique_by(.tag) | map(.id)", "[2,1]"),
    (".items | min_by(.price).id, max_by(.price).id", "1, 2"),
    (".items | map(.price) | max, min", "12.0, 2.50"),
    (".items[1:] | map(.id)", "[2,3]"),
    (".items[:-2][0].id, .name[1:3]", '1, "él"'),
    ("keys", '["big","items","name","note","odd key","open"]'),
    (".name | length", "5"),
    (".items[0] | {id, price: .price}", '{"id": 1,"price": 2.50}'),
    ("{a: .items[].id}", '{"a": 1}, {"a": 2}, {"a": 3}'),
    (".items[0] | to_entries[0]", '{"key": "id","value": 1}'),
    ("[.items[].stock | length]", "[2,0,1]"),
    ('"\\u00e9\\ud83c\\udf89\\n"', '"é🎉\\n"'),
    ('[..] | map(select(type == "number")) | length', "11"),
    (".items | map(.stock | any), all", "[true,false,true], true"),
    ('has("name"), (.items | has(2), has(3))', "true, true, false"),
    ('.items[] | .tag | startswith("t"), endswith("p")', "true, false, false, true, true, false"),
    (".name.x?, .items[].id.x?, (.name | keys)?", ""),
    ("1e2 == 100.0, 0.1 < 1E-1, -0 == 0, 1e400 > 1e399", "true, false, true, true"),
    ('[null, {}, [], "", 0, true, false] | sort', '[null,false,true,0,"",[],{}]'),
    ("[.note | values], [empty], (.open | not)", "[], [], false"),
    (".items | first.id, last.id, (reverse | first.id)", "1, 3, 3"),
]


async def test_the_language_does_what_its_description_says(ask: Any) -> None:
    for query, expected in EXAMPLES:
        assert results(await ask(task(query))) == expected, query


async def test_the_answer_follows_the_schemas_of_the_manifest_as_a_node_applies_them(
    ask: Any, manifest: dict[str, Any]
) -> None:
    for query in (".", "..", ".name.x", "("):
        asked = task(query)
        assert mismatch(asked, manifest["input"]["schema"]) is None
        assert mismatch((await ask(asked)).output, manifest["output"]["schema"]) is None


BAD_QUERIES = [
    ("", 0, "ends too early"),
    ("  ", 2, "ends too early"),
    (".a |", 4, "ends too early"),
    (".a b", 3, "nothing more"),
    ('"é" | nosuch', 6, "no such function"),
    ("map", 3, "needs an argument"),
    ("length(1)", 6, "takes no argument"),
    ("sort_by(.a", 10, "a ) was expected"),
    ("[1", 2, "a ] was expected"),
    (".[x]", 2, "a whole number, a string"),
    (".[:]", 3, "a slice needs"),
    (".[99999999999999999999]", 2, "too large"),
    ('{a: 1, "a": 2}', 7, "given twice"),
    ("{1: 2}", 1, "a key was expected"),
    ('"abc', 0, "does not end"),
    ('"\\x"', 2, "a bad escape"),
    ('"\\ud800"', 1, "half a surrogate pair"),
    ("1.", 2, "a digit"),
    (".a.", 3, "a name was expected"),
    (".note // 1", 6, "nothing more"),
    ("@", 0, "was expected"),
    ("." + ".a" * 49, 2, "nothing more"),
    (".a" * 50, 98, "too long"),
    ("(" * 100 + "." + ")" * 100, 48, "nested too deep"),
    (".name.x", 5, "an object was expected, this is a string"),
    (".items | .[0].id | .[0]", 20, "an array was expected, this is a number"),
    (".open | length", 8, "this is a boolean"),
    (".items | sort_by(.id.x)", 20, "this is a number"),
    ("1e9999999999999999 < 1", 19, "too large an exponent"),
    ("[.]|" * 600 + ".", 0, "nested too deep"),
    ("[.,.]|" * 60 + ". == .", 362, "too many steps"),
    ("[.,.]|" * 60 + ".", 0, "larger than 1 MiB"),
    ("[[.,.,.,.]|.[]|[.,.]]|" * 100 + ".", 0, "larger than 1 MiB"),
]


async def test_a_bad_query_is_answered_with_what_is_wrong_and_where(ask: Any, manifest: dict[str, Any]) -> None:
    for query, position, message in BAD_QUERIES:
        execution = await ask(task(query))
        error = json.loads(execution.output).get("error")

        assert error is not None, query
        assert message in error["message"], (query, error)
        assert error["position"] == position, (query, error)
        jsonschema.validate(json.loads(execution.output), manifest["output"]["schema"])


BAD_TASKS = [
    (b"", "a JSON value was expected at byte 0"),
    (b"[]", "must be a JSON object"),
    (b'{"query":"."}', 'no "document"'),
    (b'{"document":1}', 'no "query"'),
    (b'{"document":1,"query":2}', '"query" must be a string'),
    (b'{"document":1,"query":".","more":1}', "an unknown key"),
    (b'{"document":{"a":1,"a":2},"query":"."}', "a key is given twice"),
    (b'{"document":01,"query":"."}', "a comma or the end of the object was expected at byte 13"),
    (b'{"document":1.,"query":"."}', "a digit was expected at byte 14"),
    (b'{"document":NaN,"query":"."}', "a JSON value was expected"),
    (b'{"document":"\xed\xa0\x80","query":"."}', "not UTF-8 at byte 13"),
    (b'{"document":"\\udc00","query":"."}', "half a surrogate pair"),
    (b'{"document":' + b"[" * 900_000, "nested too deep at byte 268"),
    (b'{"document":' + b'{"":' * 200_000, "nested too deep"),
    (b" " * (MIB + 1), "longer than 1048576 bytes"),
    (task("." + " " * 4096), "longer than 4096 bytes"),
]


async def test_a_bad_task_is_refused_with_a_reason(ask: Any) -> None:
    for raw, message in BAD_TASKS:
        execution = await ask(raw)

        assert (execution.exit, execution.code, execution.output) == (Exit.NONZERO, 1, b""), raw[:40]
        assert execution.log.startswith(b"json-query: ")
        assert message in execution.log.decode(), (raw[:40], execution.log)


NUMBERS = [
    "0",
    "-0",
    "1",
    "1.0",
    "10e-1",
    "0.10e+1",
    "2",
    "2.5",
    "-3",
    "1e2",
    "100",
    "1E400",
    "9" * 30,
    "-0.001",
    "1e-9",
]
NAMES = ["a", "b", "c", "é", ""]
WORDS = ["a", "b", "", "aé🎉", '"\\\n']
plain = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS).map(reference.Number))
scalars = plain | st.sampled_from(WORDS)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=12,
)
PLACES = st.integers(-4, 4)
PLAIN = ["all", "any", "empty", "first", "keys", "last", "length", "max", "min", "not", "reverse", "sort", "to_entries"]
PLAIN += ["type", "unique", "values"]
WITH_ARGUMENT = [
    "endswith",
    "group_by",
    "has",
    "map",
    "max_by",
    "min_by",
    "select",
    "sort_by",
    "startswith",
    "unique_by",
]


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    slices = st.tuples(st.just("slice"), inner, PLACES, st.none() | PLACES)
    return st.one_of(
        st.tuples(st.just("field"), inner, st.sampled_from(NAMES)),
        st.tuples(st.just("index"), inner, PLACES),
        slices | slices.map(lambda tree: (tree[0], tree[1], None, tree[2])),
        st.tuples(st.just("each"), inner),
        st.tuples(st.just("attempt"), inner),
        st.tuples(st.just("pipe"), inner, inner) | st.tuples(st.just("pipe"), inner, inner, inner),
        st.tuples(st.sampled_from(["list", "or", "and"]), inner, inner),
        st.tuples(st.just("compare"), st.sampled_from(sorted(reference.COMPARISONS)), inner, inner),
        st.tuples(st.just("array"), st.none() | inner),
        st.tuples(
            st.just("object"),
            st.lists(st.tuples(st.sampled_from(NAMES), inner), max_size=2, unique_by=lambda one: one[0]),
        ),
        st.tuples(st.just("call"), st.sampled_from(PLAIN)),
        st.tuples(st.just("call"), st.sampled_from(WITH_ARGUMENT), inner),
    )


queries = st.recursive(
    st.just(("identity",))
    | st.just(("each", ("attempt", ("identity",))))
    | st.just(("descend",))
    | st.tuples(st.just("literal"), plain | st.sampled_from([word for word in WORDS if word.isalpha()])),
    larger,
    max_leaves=6,
)


async def test_any_query_is_answered_as_python_answers_it(ask: Any) -> None:
    examples: list[tuple[Any, Any]] = []

    @settings(max_examples=350, database=None, deadline=None)
    @given(documents, queries)
    def collect(document: Any, query: Any) -> None:
        examples.append((document, query))

    collect()
    counts = {"results": 0, "error": 0}
    for document, query in examples:
        text = reference.query_text(query)
        found = answer(await ask(task(text, reference.written(document))))
        counts[next(iter(found))] += 1
        try:
            expected = reference.run(query, document)
        except reference.WrongType:
            assert "was expected, this is" in found["error"]["message"], (text, document)
        else:
            assert found == {"results": expected}, (text, document)
    assert min(counts.values()) > 20, counts


async def test_any_text_is_a_query_or_an_error_with_a_place_in_it(ask: Any) -> None:
    pieces = [
        ".",
        "..",
        "a",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ":",
        ",",
        "|",
        "?",
        '"',
        "\\",
        "1",
        "-",
        "e",
        "==",
        "<",
        " or ",
    ]
    pieces += [" and ", "map", "select", "sort_by", "keys", "é", "\x00", "*", "null"]
    examples: list[str] = []

    @settings(max_examples=300, database=None, deadline=None)
    @given(st.lists(st.sampled_from(pieces), max_size=10).map("".join))
    def collect(text: str) -> None:
        examples.append(text)

    collect()
    for text in examples:
        found = json.loads((await ask(task(text))).output)
        assert "results" in found or 0 <= found["error"]["position"] <= len(text), text


@pytest.mark.parametrize("depth", [1, 100, 254])
async def test_deep_documents_are_walked_compared_and_written(ask: Any, depth: int) -> None:
    document = "[" * depth + "1.50" + "]" * depth

    assert results(await ask(task(".", document))) == document
    assert results(await ask(task("[..] | length, (.[0] == .[0])", document))) == f"{depth + 1}, true"
    assert results(await ask(task(".a?, ([.] | unique | .[0] | [..] | last)", document))) == "1.50"


LARGE = [
    ("sort | length", compact(list(range(150_000, 0, -1)))),
    ("sort | length", "[" + "0," * 450_000 + "0]"),
    (
        "group_by(.a) | map({k: .[0].a, n: length}) | length",
        compact([{"a": n % 977, "b": n} for n in range(40_000)]),
    ),
    ("keys | length", compact({f"{n:x}": 0 for n in range(80_000)})),
    ("[.[] | select(. > 5 and . < 10 or . == 3)] | length", compact(list(range(130_000)))),
    ("[.[] | (., ., ., ., ., ., ., .) | {a: ., b: .}] | length", compact([0] * 200_000)),
    ("[.[], .[], .[], .[], .[], .[], .[], .[], .[]] | sort | length", "[" + ",".join(["1" * 1000] * 1000) + "]"),
    ("[..] | unique | length", "[" * 200 + ",".join(['"x"'] * 200_000) + "]" * 200),
]


async def test_a_mebibyte_of_anything_is_answered_within_the_manifest(ask: Any) -> None:
    for query, document in LARGE:
        execution = await ask(task(query, document))

        assert execution.exit is Exit.OK, (query, execution.exit, execution.log)
        assert json.loads(execution.output).keys() <= {"results", "error"}
