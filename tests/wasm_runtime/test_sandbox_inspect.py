"""The static parser: what it refuses, by code, and that no bytes at all make it stumble."""

import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sandbox_modules import ECHO
from wasm_bytes import COMMAND, HEADER, START_AND_MEMORY, body, export, module, name, section, uleb, vector

from wasm_runtime.inspect import FINDINGS_SHOWN, inspect_module
from wasm_runtime.limits import ModuleLimits
from wasm_runtime.result import Findings, ModuleMalformed

AGENT = (Path(__file__).parents[2] / "agents/text-summary/text-summary.wasm").read_bytes()
WASI = "wasi_snapshot_preview1"


def imported(where: str, what: str, kind: bytes = b"\0\0") -> bytes:
    return name(where) + name(what) + kind


REFUSED = {
    "component": (b"\0asm\x0d\0\x01\0" + bytes(100), "component"),
    "too large": (HEADER + bytes(9 << 20), "size"),
    "unknown import": (module(imports=[imported("env", "system")]), "import"),
    "name of another module": (module(imports=[imported("env", "fd_write")]), "import"),
    "sockets": (module(imports=[imported(WASI, "sock_send")]), "import"),
    "near miss": (module(imports=[imported(WASI, "fd_write\0")]), "import"),
    "wrong type": (module(imports=[imported(WASI, "fd_write")]), "import-type"),
    "imported memory": (module(imports=[imported("env", "memory", b"\x02\0\x01")]), "import-kind"),
    "imported global": (module(imports=[imported("env", "g", b"\x03\x7f\0")]), "import-kind"),
    "many imports": (module(imports=[imported(WASI, "sched_yield")] * 65), "imports"),
    "export flood": (module(exports=[export(f"e{n}") for n in range(100_000)]), "exports"),
    "65 exports": (module(exports=[*START_AND_MEMORY, *(export(f"e{n}") for n in range(63))]), "exports"),
    "start function": (module(start=0), "start"),
    "two memories": (module(memories=[b"\0\x01", b"\0\x01"]), "memories"),
    "4 GiB of memory": (module(memories=[b"\0" + uleb(65536)]), "memory"),
    "shared memory": (module(memories=[b"\x03\x01\x01"]), "memory-kind"),
    "64-bit memory": (module(memories=[b"\x04\x01"]), "memory-kind"),
    "odd pages": (module(memories=[b"\x08\x01\x00"]), "memory-kind"),
    "large table": (module(tables=[b"\x70\0" + uleb(10_001)]), "table-elements"),
    "tables that add up": (module(tables=[b"\x70\0" + uleb(5_001)] * 2), "table-elements"),
    "five tables": (module(tables=[b"\x70\0\x01"] * 5), "tables"),
    "table of a proposal": (module(tables=[b"\x64\0\x01"]), "table-type"),
    "many functions": (module(functions=50_001), "functions"),
    "many types": (module(types=[COMMAND] * 10_001), "types"),
    "struct type": (module(types=[COMMAND, b"\x5f\0\0"]), "type-form"),
    "type of a proposal": (module(types=[b"\x60\x01\x6b\0"]), "value-type"),
    "many parameters": (module(types=[COMMAND, b"\x60" + uleb(1_001) + b"\x7f" * 1_001 + b"\0"]), "parameters"),
    "many results": (module(types=[COMMAND, b"\x60\0" + uleb(1_001) + b"\x7f" * 1_001]), "parameters"),
    "many globals": (module(globals_=[b"\x7f\0\x41\0\x0b"] * 10_001), "globals"),
    "long body": (module(bodies=[body(b"\x01" * 200_000)]), "body"),
    "many locals": (module(bodies=[body(locals_=[(49_000, 0x7F)])]), "locals"),
    "locals in many groups": (module(bodies=[body(locals_=[(100, 0x7F)] * 100)]), "locals"),
    "4 billion locals": (module(bodies=[body(locals_=[((1 << 32) - 1, 0x7F)] * 3)]), "locals"),
    "local of a proposal": (module(bodies=[body(locals_=[(1, 0x6B)])]), "value-type"),
    "loops x locals": (module(bodies=[body(b"\x03\x40" * 20_000 + b"\x0b" * 20_000, [(1_000, 0x7F)])]), "blocks"),
    "many data segments": (module(data=[b"\x01\0"] * 10_001), "data-segments"),
    "many element segments": (module(elements=[b"\x01\0\0"] * 10_001), "element-segments"),
    "tag section": (HEADER + section(13, b"\x00"), "section"),
    "many custom sections": (HEADER + section(0, name("x")) * 300, "custom-sections"),
    "no entry": (module(exports=[export("memory", 2)]), "no-entry"),
    "entry is a memory": (module(exports=[export("_start", 2), export("memory", 2)]), "no-entry"),
    "entry with a parameter": (module(types=[b"\x60\x01\x7f\0"]), "entry-type"),
    "no memory": (module(exports=[export("_start")], memories=[]), "no-memory"),
    "nothing": (HEADER, "no-entry"),
}

MALFORMED = {
    "empty": b"",
    "text": b"(module)",
    "another version": b"\0asm\x02\0\0\0",
    "cut section": HEADER + b"\x01\x7f",
    "endless number": HEADER + b"\x01\xff\xff\xff\xff\xff\xff",
    "number over 32 bits": HEADER + b"\x01\xff\xff\xff\xff\x7f",
    "wrong order": HEADER + section(3, vector([])) + section(1, vector([])),
    "section twice": HEADER + section(1, vector([])) * 2,
    "vector longer than the file": HEADER + section(1, uleb(1 << 31)),
    "bytes left over": HEADER + section(1, vector([COMMAND]) + b"\0"),
    "name not UTF-8": HEADER + section(0, b"\x01\xff"),
    "endless name": HEADER + section(0, uleb(1 << 30) + bytes(10)),
    "exports of one name": module(exports=[*START_AND_MEMORY, export("memory", 2)]),
    "more bodies than functions": module(bodies=[body(), body()]),
    "entry that does not exist": module(exports=[export("_start", 0, 9), export("memory", 2)]),
    "import of a type that does not exist": module(imports=[imported(WASI, "fd_write", b"\0\x09")]),
    "4 billion tiny bodies": HEADER + section(10, uleb((1 << 32) - 1) + b"\x02\0\x0b"),
}


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
