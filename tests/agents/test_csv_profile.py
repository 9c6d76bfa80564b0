"""The CSV profiler against Python's csv, decimal and fractions, and on bytes that nobody should have sent."""

import csv
import io
import json
from typing import Any, Literal

import csv_reference
import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from ainur_node.market.schema import mismatch
from wasm_runtime.result import Execution, Exit

AGENT_NAME = "csv-profile"
MIB = 1 << 20


def task(text: str, **more: object) -> bytes:
    return json.dumps({"csv": text, **more}, ensure_ascii=False).encode()


def result(execution: Execution) -> dict[str, Any]:
    assert execution.exit is Exit.OK, (execution.exit, execution.log)
    answer = json.loads(execution.output)
    assert isinstance(answer, dict)
    return answer


SALES = """id,name,price,day,paid
1,"Ann ""the first"", Lee",1.50,2024-02-29,yes
2,"two
lines",-0.25,2023-01-01,No

3,Ann,,,
4
5,Ann,2,2020-01-01,TRUE,extra
"""


async def test_a_table_is_described_column_by_column(ask: Any) -> None:
    answer = result(await ask(task(SALES)))

    assert (answer["rows"], answer["width"], answer["blank_lines"]) == (5, 5, 1)
    assert answer["ragged"] == {
        "count": 2,
        "first": [{"row": 4, "line": 7, "cells": 1}, {"row": 5, "line": 8, "cells": 6}],
    }
    number, name, price, day, paid = answer["columns"]
    assert (number["type"], number["sum"], number["min"], number["max"]) == ("integer", "15", "1", "5")
    assert (name["type"], name["distinct"], name["missing"]) == ("text", 3, 1)
    assert name["longest"] == {"length": 20, "value": 'Ann "the first", Lee'}
    assert name["top"][0] == {"value": "Ann", "count": 2}
    assert (price["type"], price["sum"], price["empty"]) == ("decimal", "3.25", 1)
    assert price["mean"] == {"fraction": "13/12", "decimal": "1.083333333333"}
    assert (day["type"], day["min"], day["max"]) == ("date", "2020-01-01", "2024-02-29")
    assert paid["type"] == "boolean"


async def test_the_answer_follows_the_schemas_of_the_manifest_as_a_node_applies_them(
    ask: Any, manifest: dict[str, Any]
) -> None:
    for text in (SALES, "", "a", "1\n2\n", ",".join("a" * 512)):
        asked = task(text, delimiter=",", header=True)
        output = (await ask(asked)).output
        assert mismatch(asked, manifest["input"]["schema"]) is None
        assert mismatch(output, manifest["output"]["schema"]) is None


async def test_sums_are_exact_where_floats_are_not(ask: Any) -> None:
    cells = ["0.1"] * 10 + ["9" * 30 + "." + "9" * 30] * 3 + ["-" + "9" * 30 + "." + "9" * 30] * 3
    column = result(await ask(task("\n".join(cells), header=False)))["columns"][0]

    assert column["sum"] == "1." + "0" * 30
    assert column["mean"] == {"fraction": "1/16", "decimal": "0.0625"}


KINDS = {
    "integer": st.integers(-(10**30) + 1, 10**30 - 1).map(str),
    "small integer": st.integers(-3, 3).map(str),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-100, max_value=100).map(str),
    "long decimal": st.from_regex(r"\A[+-]?(0|[1-9][0-9]{0,31})\.[0-9]{1,31}\Z"),
    "almost a number": st.from_regex(r"\A[+-]?[0-9]{0,2}\.?[0-9]{0,2}e?\Z"),
    "boolean": st.sampled_from(["true", "FALSE", "yes", "No", "y"]),
    "date": st.dates().map(str)
    | st.sampled_from(["2023-02-29", "1900-02-29", "2000-02-29", "2024-13-01", "0000-01-01"]),
    "text": st.text(max_size=8).filter(lambda text: "\x00" not in text),
    "hostile text": st.text(alphabet=',;"\n\r a', max_size=6),
    "long text": st.text(alphabet="aé🎉", min_size=95, max_size=105),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, bool]:
    """A CSV text as a writer makes it, its delimiter, and whether it has a header."""
    columns = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
    rows = draw(
        st.lists(st.tuples(*(st.one_of(st.just(""), KINDS[kind], KINDS[kind]) for kind in columns)), max_size=8)
    )
    rows = [row[: draw(st.integers(1, len(row)))] if draw(st.integers(0, 9)) == 0 else row for row in rows]
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    file = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if draw(st.booleans()) else csv.QUOTE_MINIMAL
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)
    return file.getvalue(), delimiter, draw(st.booleans())


def examples_of(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    found: list[Any] = []

    @settings(max_examples=count, database=None, deadline=None)
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


async def test_any_table_is_described_as_python_would(ask: Any, manifest: dict[str, Any]) -> None:
    for text, delimiter, header in examples_of(tables(), 100):
        asked = task(text, delimiter=delimiter, header=header)
        answer = result(await ask(asked))

        assert answer == csv_reference.profile(text, delimiter, header), asked
        jsonschema.validate(answer, manifest["output"]["schema"])


async def test_any_text_is_read_or_refused_as_python_reads_it(ask: Any) -> None:
    refused = 0
    for text in examples_of(st.text(alphabet='aé1,"\n\r', max_size=12), 250):
        execution = await ask(task(text))
        try:
            expected = csv_reference.profile(text)
        except csv.Error:
            refused += 1
            assert (execution.exit, execution.code) == (Exit.NONZERO, 1), text
            assert execution.log.startswith(b"csv-profile: line "), text
        else:
            assert result(execution) == expected, text
    assert refused > 10


async def test_a_byte_order_mark_is_not_part_of_the_first_name(ask: Any) -> None:
    assert result(await ask(task("\ufeffa,b\n1,2")))["columns"][0]["name"] == "a"


BAD_TASKS = [
    (b"", "a JSON value was expected at byte 0"),
    (b"[]", "must be a JSON object"),
    (b"{}", 'no "csv"'),
    (b'{"csv":1}', "must be a string"),
    (b'{"csv":"a","csv":"b"}', "a key is given twice"),
    (b'{"csv":"a","header":1}', '"header" must be true or false'),
    (b'{"csv":"a","more":1}', "an unknown key"),
    (b'{"csv":"\xff"}', "not UTF-8 at byte 8"),
    (b'{"csv":"\\ud800"}', "half a surrogate pair"),
    (b'{"csv":"a\nb"}', "a control character"),
    (b'{"csv":"a"}x', "something follows"),
    (b'{"csv":"a","delimiter":""}', "one ASCII character"),
    (b'{"csv":"a","delimiter":"\\n"}', "one ASCII character"),
    (b'{"csv":"a","delimiter":"\xc3\xa9"}', "one ASCII character"),
    (b'{"csv":"a,b\\n1,\\"2\\n3"}', "line 2: a quoted cell that starts here does not end"),
    (b'{"csv":"\\n\\"a\\"b"}', "line 2: a delimiter or the end of the line"),
    (b"[" * MIB, "nested too deep at byte 257"),
    (b'{"a":' * (MIB // 5), "nested too deep"),
    (task("," * 512), "513 columns"),
    (task("x" * (MIB + 1)), "longer than 1 MiB"),
    (task(("\x01" * 8 + ",") * 511 + "\n" + (("\x01" * 200 + ",") * 511 + "\n") * 6), "larger than 1048576 bytes"),
]


async def test_a_bad_task_is_refused_with_a_reason(ask: Any) -> None:
    for raw, message in BAD_TASKS:
        execution = await ask(raw)

        assert (execution.exit, execution.code, execution.output) == (Exit.NONZERO, 1, b""), message
        assert execution.log.startswith(b"csv-profile: ")
        assert message in execution.log.decode()


LARGE = {
    "lines": "\n" * MIB,
    "delimiters": ("," * 511 + "\n") * (MIB // 512),
    "one wide row above narrow ones": "," * 511 + "\n" + "1\n" * ((MIB - 512) // 2),
    "one value": "1\n" * (MIB // 2),
    "distinct numbers": "\n".join(str(n * 7919 % 1000003) for n in range(MIB // 7)),
    "long numbers": ("1" * 30 + "." + "9" * 30 + "\n") * (MIB // 62),
    "alike texts": "".join("a" * 1000 + f"{n:04}\n" for n in range(MIB // 1005)),
    "quotes": '"' * MIB,
    "quoted line ends": '"\r\n"\n' * (MIB // 5),
    "one cell": "é" * (MIB // 2),
}


async def test_a_mebibyte_of_anything_is_answered_within_the_manifest(ask: Any) -> None:
    for name, text in LARGE.items():
        execution = await ask(task(text))

        assert result(execution)["width"] <= 512, name
        if name == "one cell":
            assert (await ask(json.dumps({"csv": text}).encode())).output == execution.output
