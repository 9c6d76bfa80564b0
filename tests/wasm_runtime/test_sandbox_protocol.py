"""The pieces without processes: frames, disbelief, deadlines, and the host's answers to any arguments."""

import contextlib
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_modules import job

from wasm_runtime import frames
from wasm_runtime.abi import agent1, preview1
from wasm_runtime.crew import _read
from wasm_runtime.deadline import Deadline
from wasm_runtime.limits import ENGINE_SETTINGS, engine_id
from wasm_runtime.result import EMPTY_TRANSCRIPT, Exit
from wasm_runtime.wasi import GuestExit, MemoryFault, OutputLimitHit, System

JOB = job(bytes(32), fuel=1_000, memory_bytes=65_536, output_limit=10)
HONEST = frames.Ran(
    exit=0,
    code=0,
    output=b"ok",
    log=b"",
    fuel_used=1_000,
    cpu_ns=1,
    peak_memory=65_536,
    host_transcript=EMPTY_TRANSCRIPT,
    detail="",
)


@settings(max_examples=300, database=None, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_broken_frame(body: bytes) -> None:
    with contextlib.suppress(frames.FrameBroken):
        frames.unpack(body)


def test_messages_survive_the_pipe() -> None:
    for message in (HONEST, frames.Load(bytes(32), b"code"), frames.Hello(bytes(32), {"seccomp": "on"})):
        packed = frames.pack(message)
        assert frames.body_size(packed[: frames.HEAD], 1_000) == len(packed) - frames.HEAD
        assert frames.unpack(packed[frames.HEAD :]) == message
    with pytest.raises(frames.FrameBroken):
        frames.body_size(b"\xff\xff\xff\x7f", 1_000)


def test_an_honest_worker_is_believed() -> None:
    assert _read(HONEST, JOB, 100).exit is Exit.OK


@pytest.mark.parametrize(
    "lie",
    [
        {"fuel_used": 1_001},
        {"fuel_used": -1},
        {"peak_memory": 65_537},
        {"output": b"x" * 11},
        {"log": b"x" * 101},
        {"code": 1 << 31},
        {"cpu_ns": -1},
        {"host_transcript": b"short"},
        {"exit": 99},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_worker_that_reports_the_impossible_is_not_believed(lie: dict[str, object]) -> None:
    fields = {name: getattr(HONEST, name) for name in HONEST.__struct_fields__}

    assert _read(frames.Ran(**{**fields, **lie}), JOB, 100).exit is Exit.ENGINE
    assert _read(frames.Loaded(""), JOB, 100).exit is Exit.ENGINE


def test_a_deadline_interrupts_its_own_run_and_not_the_next() -> None:
    interrupted = threading.Event()
    deadline = Deadline(interrupted.set)
    deadline.start()

    with deadline.after(20):
        assert interrupted.wait(5)
    interrupted.clear()
    for _ in range(200):
        with deadline.after(60_000):
            pass
    with deadline.after(1_000), deadline.after(20):
        assert interrupted.wait(5)
    interrupted.clear()
    with deadline.after(30):
        pass
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        assert not interrupted.is_set()
        threading.Event().wait(0.01)


class Ram:
    """Linear memory of a guest that has fuel for ever."""

    def __init__(self) -> None:
        self.data = bytearray(4096)
        self.charges = 0

    def charge(self, size: int) -> None:
        assert size >= 0
        self.charges += 1

    def read(self, address: int, size: int) -> bytes:
        if address + size > len(self.data):
            raise MemoryFault
        return bytes(self.data[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        if address + len(data) > len(self.data):
            raise MemoryFault
        self.data[address : address + len(data)] = data


NUMBERS = st.one_of(
    st.integers(0, 64), st.integers(4000, 4200), st.integers(-(1 << 31), (1 << 31) - 1), st.sampled_from([-1, 1 << 20])
)


@settings(max_examples=500, database=None, deadline=None)
@given(st.sampled_from(sorted(preview1.FUNCTIONS)), st.lists(NUMBERS, min_size=9, max_size=9), st.binary(max_size=200))
def test_any_arguments_get_an_error_number_or_a_typed_end(name: str, numbers: list[int], memory: bytes) -> None:
    parameters, results = preview1.FUNCTIONS[name]
    ram = Ram()
    ram.data[: len(memory)] = memory
    system = System(b"input", bytes(32), 1_000, output_limit=100, log_limit=50)
    try:
        answer = system.call(name, ram, tuple(numbers[: len(parameters)]))
    except (GuestExit, OutputLimitHit):
        return
    finally:
        assert ram.charges == 1, "every host call is paid for, once"
    assert results == (preview1.I32,)
    assert 0 <= answer < 77
    assert len(system.output) <= 100
    assert len(system.log) <= 50
    assert len(ram.data) == 4096


def test_the_imports_that_are_allowed_reach_nothing_but_streams() -> None:
    names = {name for _, name in agent1.ALLOWED_IMPORTS}

    assert not any(name.startswith("sock_") for name in names)
    assert not names & {"proc_raise", "thread-spawn"}
    assert {module for module, _ in agent1.ALLOWED_IMPORTS} == {"wasi_snapshot_preview1"}


def test_the_engine_id_names_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = engine_id()
    for name, value in ENGINE_SETTINGS.items():
        with monkeypatch.context() as patch:
            patch.setitem(ENGINE_SETTINGS, name, "other" if isinstance(value, str) else not value)
            assert engine_id() != before
    assert engine_id() == before


def test_a_text_is_wrapped_as_a_task() -> None:
    assert agent1.wrap_text('Grüße "x"'.encode()) == '{"text":"Grüße \\"x\\""}'.encode()
    with pytest.raises(UnicodeDecodeError):
        agent1.wrap_text(b"\xff")


def test_only_four_endings_are_provable() -> None:
    assert [e.name for e in Exit if e.is_provable] == ["OK", "NONZERO", "OUT_OF_FUEL", "TRAP"]
    assert replace(JOB, fuel=1) != JOB
