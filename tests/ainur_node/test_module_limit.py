"""One limit for modules at every door, and a refusal that names it."""

from pathlib import Path

import pytest

from ainur_node.cli import values
from ainur_node.cli.command import Usage
from ainur_node.domain.manifest import MAX_MANIFEST, MAX_MODULE
from ainur_node.mesh import wire
from ainur_node.rpc import frames
from ainur_node.rpc.messages import Request, encode
from ainur_node.storage import blobs_local
from wasm_runtime.inspect import inspect_module
from wasm_runtime.limits import ModuleLimits


def test_every_door_has_room_for_the_largest_module() -> None:
    largest = {"manifest": bytes(MAX_MANIFEST), "wasm": bytes(MAX_MODULE), "ask": "9" * 40}

    assert len(frames.frame(encode(Request(1, "agent.publish", largest)))) <= frames.MAX_FRAME
    assert ModuleLimits().size == MAX_MODULE
    assert min(wire.MAX_BLOB, blobs_local.MAX_BLOB) >= MAX_MODULE


def test_one_byte_more_is_refused_by_the_sandbox_and_by_the_command_line(tmp_path: Path) -> None:
    large = tmp_path / "large.wasm"
    large.write_bytes(bytes(MAX_MODULE))
    assert len(values.read_module(str(large), "PATH")) == MAX_MODULE

    large.write_bytes(bytes(MAX_MODULE + 1))
    with pytest.raises(Usage, match="more than 8,388,608 bytes"):
        values.read_module(str(large), "PATH")
    assert [finding.code for finding in inspect_module(large.read_bytes()).findings] == ["size"]
