"""The summariser on documents as people have them, and on bytes that nobody should have sent."""

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wasm_runtime.pool import Settings, open_pool
from wasm_runtime.result import Execution, Exit, Job

AGENT = Path(__file__).parents[2] / "agents" / "text-summary"
MIB = 1 << 20

README = """---
title: not prose
---
# Ainur node

[![build](https://ci.example/badge.svg)](https://ci.example) ![logo](logo.png)

A **node** finds paid work on a [peer-to-peer mesh](https://example.org/mesh "Mesh"), wins it in a sealed auction
and runs the agent in a sandbox. Every node can recompute what another node has done.

## Install

```sh
make setup   # this sentence is code. It must not appear.
```

| column | other |
|--------|-------|
| a cell. | Another cell. |

* The auction pays the *second* price, so honest asks are the best asks.
* [ ] Agents never touch files.

<!-- a comment. It is hidden. -->
The sandbox gives an agent fuel, memory and nothing else. See `docs/protocol.md` for the auction.

[ref]: https://example.org/target
"""


def task(text: str, **more: object) -> bytes:
    return json.dumps({"text": text, **more}, ensure_ascii=False).encode()


def result(execution: Execution) -> dict[str, Any]:
    assert execution.exit is Exit.OK, (execution.exit, execution.log)
    answer = json.loads(execution.output)
    assert isinstance(answer, dict)
    return answer


async def test_a_readme_is_summarised_without_its_markup(ask: Any) -> None:
    answer = result(await ask(task(README)))

    assert answer["sentences"][0] == (
        "A node finds paid work on a peer-to-peer mesh, wins it in a sealed auction and runs the agent in a sandbox."
    )
    assert answer["summary"] == " ".join(answer["sentences"])
    assert {"node", "auction", "sandbox"} <= set(answer["keywords"])
    everything = result(await ask(task(README, sentences=20)))["summary"]
    for hidden in ("code", "cell", "hidden", "http", "**", "[", "`", "not prose", "logo"):
        assert hidden not in everything
    assert "See docs/protocol.md for the auction." in everything
    assert "Agents never touch files." in everything


async def test_the_answer_follows_the_schemas_of_the_manifest(ask: Any, manifest: dict[str, Any]) -> None:
    for text in (README, "", "One sentence."):
        asked = task(text, sentences=2)
        jsonschema.validate(json.loads(asked), manifest["input"]["schema"])
        jsonschema.validate(result(await ask(asked)), manifest["output"]["schema"])


@pytest.mark.parametrize(
    ("text", "sentences", "keyword"),
    [
        (
            "Der Sandkasten führt fremde Programme aus. Dr. Müller hat am 3. Mai z. B. gezeigt, dass Programme sicher "
            "sind. Fremde Programme öffnen keine Dateien!",
            3,
            "Programme",
        ),
        (
            "Узел исполняет чужие программы. Программы получают топливо, т.е. деньги. А. С. Пушкин тут ни при чём!",
            3,
            "программы",
        ),
        ("区块链节点运行智能合约。沙盒限制内存。区块链上的拍卖决定谁来运行任务!用户验证结果。", 4, "区块链"),
        ("تعمل العقدة على تشغيل البرامج. هل البرامج آمنة؟ لا تفتح البرامج الملفات.", 3, "البرامج"),
        ("ノードはサンドボックスでプログラムを実行する。プログラムは安全である。", 2, "プログラム"),
        ("El nodo ejecuta programas. ¿Los programas son seguros? ¡Los programas no abren archivos!", 3, "programas"),
        ("🎉 We shipped it! 🚀 The rocket flew high 🌕. Everyone saw the rocket 👨‍👩‍👧.", 3, "rocket"),
    ],
)
async def test_sentences_end_where_readers_of_the_language_say(
    ask: Any, text: str, sentences: int, keyword: str
) -> None:
    answer = result(await ask(task(text, sentences=20)))

    assert len(answer["sentences"]) == sentences
    assert "".join(answer["sentences"]).replace(" ", "") == text.replace(" ", "")
    assert keyword in answer["keywords"]


async def test_addresses_stay_and_tags_go(ask: Any) -> None:
    text = "Write to <me@example.org> or see <https://example.org/a>. Use [`Name`] in <b>bold</b><br>text [sic]."

    assert result(await ask(task(text)))["sentences"] == [
        "Write to me@example.org or see https://example.org/a.",
        "Use Name in bold text [sic].",
    ]


async def test_nothing_to_say_about_an_empty_text(ask: Any) -> None:
    for text in ("", " \n\t ", "```\ncode\n```", "🎉🎉", "---"):
        answer = result(await ask(task(text)))
        assert answer == {"keywords": [], "sentences": [], "summary": "", "words": 0}


async def test_the_number_of_sentences_is_what_was_asked_for(ask: Any) -> None:
    text = " ".join(f"Number {n} says something about subject {n}." for n in range(30))

    for wanted in (1, 3, 20):
        assert len(result(await ask(task(text, sentences=wanted)))["sentences"]) == wanted
    assert len(result(await ask(task(text)))["sentences"]) == 3


async def test_a_document_is_not_summarised_by_saying_one_thing_twice(ask: Any) -> None:
    text = (
        "The auction pays the second price. The auction pays the second price. The auction pays the second price. "
        "Workers run agents inside a sandbox with fuel. Workers report fuel honestly."
    )

    answer = result(await ask(task(text, sentences=2)))

    assert answer["sentences"][0] == "The auction pays the second price."
    assert "sandbox" in answer["sentences"][1]


BAD_TASKS = [
    (b"", "must be a JSON object at byte 0"),
    (b"[]", "must be a JSON object"),
    (b'{"text":"a"', "a comma or the end"),
    (b'{"text":"\xff"}', "not UTF-8 at byte 9"),
    (b'{"text":"\xc0\xaf"}', "not UTF-8"),
    (b'{"text":"\xed\xa0\x80"}', "not UTF-8"),
    (b'{"text":"\xf4\x90\x80\x80"}', "not UTF-8"),
    (b'{"text":"\xe2\x82', "not UTF-8"),
    (b'{"text":"\\ud800"}', "half a surrogate pair"),
    (b'{"text":"\\udc00\\ud800"}', "half a surrogate pair"),
    (b'{"text":"\\x"}', "bad escape"),
    (b'{"text":"a\nb"}', "control character"),
    (b'{"text":1}', "a string was expected"),
    (b"{}", "no text"),
    (b'{"sentences":3}', "no text"),
    (b'{"text":"a","lang":"en"}', "unknown"),
    (b'{"text":"a","text":"b"}', "given twice"),
    (b'{"text":"a","sentences":0}', "whole number"),
    (b'{"text":"a","sentences":21}', "whole number"),
    (b'{"text":"a","sentences":-1}', "whole number"),
    (b'{"text":"a","sentences":"3"}', "whole number"),
    (b'{"text":"a","sentences":3.5}', "a comma or the end"),
    (b'{"text":"a"}{', "something follows"),
]


async def test_a_bad_task_is_refused_with_a_reason(ask: Any) -> None:
    for raw, message in BAD_TASKS:
        execution = await ask(raw)

        assert (execution.exit, execution.code, execution.output) == (Exit.NONZERO, 1, b""), raw
        assert execution.log.startswith(b"text-summary: ")
        assert message in execution.log.decode(), raw


LARGE = {
    "one letter": "x" * MIB,
    "one word": "ab " * (MIB // 3),
    "short sentences": "Abc def. " * (MIB // 9),
    "distinct words": " ".join(f"w{n:x}" for n in range(140_000))[:MIB],
    "chinese": "区块链" * (MIB // 9),
    "brackets": "[" * MIB,
    "links": "[a](" * (MIB // 4),
    "ticks": ("` `` ``` " * MIB)[:MIB],
    "tags": "<a" * (MIB // 2),
    "fences": "~~~a\n" * (MIB // 5),
    "headings": "# a\n" * (MIB // 4),
    "stops": "." * MIB,
    "lines": "\n" * MIB,
    "escapes": "\\" * (MIB // 2),
    "items": "- a\n" * (MIB // 4),
    "prose": (README * 1000)[: MIB - 1],
}


async def test_a_mebibyte_of_anything_is_answered_within_the_manifest(ask: Any) -> None:
    for name, text in LARGE.items():
        answer = result(await ask(task(text, sentences=20)))

        assert len(answer["sentences"]) <= 20, name
        assert all(len(sentence.encode()) <= 2_003 for sentence in answer["sentences"]), name


async def test_more_than_a_mebibyte_is_refused(ask: Any) -> None:
    execution = await ask(task("x" * (MIB + 1)))

    assert execution.exit is Exit.NONZERO
    assert b"longer than 1 MiB" in execution.log


MARKDOWN = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(
            [
                "# ",
                "\n\n",
                "- ",
                "* ",
                "1. ",
                "> ",
                "```\n",
                "~~~",
                "[",
                "](",
                ")",
                "![",
                "`",
                "**",
                "_",
                "<!--",
                "-->",
                "<b>",
                "&amp;",
                "\\",
                "|",
                "---\n",
                "===\n",
                ". ",
                "! ",
                "。",
                "？",
                "\u200d",
                "🎉",
                "Dr. ",
                "[^1]",
            ]
        ),
    ),
    max_size=40,
).map("".join)


async def test_any_text_gives_a_result_of_the_schema(ask: Any, manifest: dict[str, Any]) -> None:
    examples: list[str] = []

    @settings(max_examples=200, database=None, deadline=None)
    @given(MARKDOWN)
    def collect(text: str) -> None:
        examples.append(text)

    collect()
    for text in examples:
        answer = result(await ask(task(text)))
        jsonschema.validate(answer, manifest["output"]["schema"])
        assert result(await ask(json.dumps({"text": text}).encode())) == answer  # escaped or not: one text


async def test_two_workers_agree_to_the_byte_and_the_fuel(tmp_path: Path, manifest: dict[str, Any]) -> None:
    wasm = (AGENT / "text-summary.wasm").read_bytes()
    runs = []
    for name in ("one", "two"):
        async with open_pool(Settings(tmp_path / name, tmp_path / f"{name}.key", workers=1, spares=0)) as pool:
            await pool.prepare(wasm)
            job = Job(hashlib.sha256(wasm).digest(), task(README), bytes(32), 0, 10**9, 64 * MIB, MIB, 30_000)
            runs.append(await pool.run(job))

    assert (runs[0].output, runs[0].fuel_used) == (runs[1].output, runs[1].fuel_used)
    assert runs[0].fuel_used < manifest["limits"]["fuel"]
