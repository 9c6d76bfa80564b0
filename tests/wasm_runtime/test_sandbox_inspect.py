"""The static parser: what it refuses, by code, and that no bytes at all make it stumble."""

import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from refused_modules import MALFORMED, REFUSED, WASI
from sandbox_modules import ECHO
from wasm_bytes import HEADER, module, section

from wasm_runtime.inspect import FINDINGS_SHOWN, inspect_module
from wasm_runtime.limits import ModuleLimits
from wasm_runtime.result import Findings, ModuleMalformed

AGENT = (Path(__file__).parents[2] / "agents/text-summary/text-summary.wasm").read_bytes()


def test_an_honest_module_is_described() -> None:
    for wasm in (AGENT, ECHO, module()):
        seen = inspect_module(wasm)
        assert not seen
        assert seen.findings == ()
        assert {"_start", "memory"} <= set(seen.exports)
        assert seen.size == len(wasm)
    assert {(i.module, i.name) for i in inspect_module(AGENT).imports} == {
        (WASI, "fd_read"),
        (WASI, "fd_write"),
        (WASI, "proc_exit"),
    }


@pytest.mark.parametrize("case", REFUSED)
def test_a_module_is_refused_with_its_code(case: str) -> None:
    wasm, code = REFUSED[case]

    found = [finding.code for finding in inspect_module(wasm).findings]

    assert code in found
    assert len(found) <= FINDINGS_SHOWN


@pytest.mark.parametrize("case", MALFORMED)
def test_bytes_that_are_no_module_are_malformed(case: str) -> None:
    with pytest.raises(ModuleMalformed):
        inspect_module(MALFORMED[case])


def judge(wasm: bytes) -> Findings | ModuleMalformed:
    """The one invariant of the parser: a description or ModuleMalformed, whatever the bytes."""
    try:
        return inspect_module(wasm)
    except ModuleMalformed as error:
        return error


@settings(max_examples=400, database=None, deadline=None)
@given(st.binary(max_size=400))
@example(b"")
def test_random_bytes_are_judged(data: bytes) -> None:
    judge(data)
    judge(HEADER + data)


@settings(max_examples=400, database=None, deadline=None)
@given(st.data())
def test_mutated_modules_are_judged(data: st.DataObject) -> None:
    wasm = bytearray(data.draw(st.sampled_from([AGENT, ECHO, module()])))
    for _ in range(data.draw(st.integers(1, 8))):
        # Headers of sections are near the front; a uniform position would almost always hit code.
        at = data.draw(st.one_of(st.integers(0, min(200, len(wasm) - 1)), st.integers(0, len(wasm) - 1)))
        wasm[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(wasm)), st.integers(0, len(wasm))))
    judge(bytes(wasm[:cut]))


def test_every_truncation_of_a_module_is_malformed_or_refused() -> None:
    wasm = module()
    for cut in range(len(wasm)):
        verdict = judge(wasm[:cut])
        assert isinstance(verdict, ModuleMalformed) or verdict.findings


@settings(max_examples=200, database=None, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.binary(max_size=60)), max_size=10))
def test_random_sections_are_judged(sections: list[tuple[int, bytes]]) -> None:
    judge(HEADER + b"".join(section(number, content) for number, content in sections))


def test_the_largest_accepted_module_is_inspected_quickly() -> None:
    wasm = module(functions=50_000)
    begin = time.thread_time()
    assert not inspect_module(wasm)
    assert time.thread_time() - begin < 2.0


def test_limits_can_be_narrowed() -> None:
    assert [f.code for f in inspect_module(AGENT, ModuleLimits(size=1000)).findings] == ["size"]
