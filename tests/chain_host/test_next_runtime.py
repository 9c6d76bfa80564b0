"""The way from the committed blob to its next version."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from chain_host.errors import WorldError
from chain_host.next_runtime import next_runtime
from chain_host.runtime_api import decode_version
from chain_host.wasm.engine import unpacked
from chain_host.wasm.sections import embedded_version
from chain_host.world import runtime_blob

ROOT = Path(__file__).parents[2]


@pytest.fixture
def writer() -> ModuleType:
    """The script that the build runs."""
    spec = importlib.util.spec_from_file_location("next_delta", ROOT / "chain" / "next_delta.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spec_version(blob: bytes) -> int:
    raw = embedded_version(unpacked(blob))
    assert raw is not None
    return decode_version(raw).spec_version


def test_the_next_runtime_is_the_committed_one_with_the_next_version() -> None:
    assert spec_version(next_runtime()) == spec_version(runtime_blob()) + 1


def test_the_way_is_a_fraction_of_a_second_blob() -> None:
    # Another version is another order of the compiler's functions, so calls in all of them change.
    way = ROOT / "chain_host" / "runtime" / "ainur_runtime.next.json"
    assert 3 * way.stat().st_size < len(runtime_blob())


@pytest.mark.parametrize(
    "change",
    [
        lambda old: old[:5_000] + b"\2" + old[5_001:],
        lambda old: old[:7] + b"inserted" + old[7:20_000] + old[20_010:],
        lambda old: b"new" + old + b"end",
        lambda old: old[30_000:] + old[:30_000],
        lambda _old: b"",
        lambda _old: b"nothing in common",
    ],
)
def test_any_change_is_written_and_made_again(change: object, writer: ModuleType, tmp_path: Path) -> None:
    old = runtime_blob()[:60_000]
    new = change(old)  # type: ignore[operator]
    path = tmp_path / "delta.json"
    path.write_text(json.dumps(writer.delta(old, new)))
    assert next_runtime(old, path) == new


def test_the_way_of_another_blob_is_refused(writer: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "delta.json"
    path.write_text(json.dumps(writer.delta(b"one blob", b"its next")))
    with pytest.raises(WorldError, match="another blob"):
        next_runtime(b"another", path)


def test_a_way_that_leads_elsewhere_is_refused(writer: ModuleType, tmp_path: Path) -> None:
    old = runtime_blob()[:1_000]
    delta = writer.delta(old, old[:500] + b"!" + old[500:])
    path = tmp_path / "delta.json"
    path.write_text(json.dumps(delta | {"parts": [[0, 10]]}))
    with pytest.raises(WorldError, match="not the one that was built"):
        next_runtime(old, path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"from": 1}', "null"])
def test_a_file_that_is_no_way_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "delta.json"
    path.write_text(text)
    with pytest.raises(WorldError):
        next_runtime(b"x", path)
