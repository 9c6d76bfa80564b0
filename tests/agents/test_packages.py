"""What is committed of an agent fits together, and comes from its sources."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from ainur_node.domain.manifest import Manifest, read_manifest
from ainur_node.market.schema import mismatch
from wasm_runtime.inspect import inspect_module

REPOSITORY = Path(__file__).parents[2]
AGENTS = sorted(path.parent for path in (REPOSITORY / "agents").glob("*/manifest.json"))


@pytest.mark.parametrize("directory", AGENTS, ids=lambda path: path.name)
def test_manifest_hash_and_module_agree(directory: Path) -> None:
    raw = (directory / "manifest.json").read_bytes()
    manifest = json.loads(raw)
    wasm = (directory / manifest["module"]["file"]).read_bytes()
    digest = hashlib.sha256(wasm).hexdigest()

    assert raw == json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert manifest["name"] == directory.name
    assert manifest["module"] == {"file": f"{directory.name}.wasm", "sha256": digest, "size": len(wasm)}
    assert (directory / f"{directory.name}.wasm.sha256").read_text() == f"{digest}  {directory.name}.wasm\n"


@pytest.mark.parametrize("directory", AGENTS, ids=lambda path: path.name)
def test_a_node_accepts_the_manifest_and_can_apply_its_schemas(directory: Path) -> None:
    raw = (directory / "manifest.json").read_bytes()
    manifest = read_manifest(raw)

    assert isinstance(manifest, Manifest), manifest
    assert manifest.package == hashlib.sha256(raw).digest()
    assert manifest.media_type in ("text/plain", "application/json")
    for schema in (manifest.input_schema, manifest.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "may not be used" not in (mismatch(b"{}", schema) or "")


@pytest.mark.parametrize("directory", AGENTS, ids=lambda path: path.name)
def test_the_sandbox_has_nothing_against_the_module(directory: Path) -> None:
    findings = inspect_module((directory / f"{directory.name}.wasm").read_bytes())

    assert findings.findings == ()
    assert {wanted.name for wanted in findings.imports} <= {"fd_read", "fd_write", "proc_exit"}


@pytest.mark.slow
@pytest.mark.parametrize("directory", AGENTS, ids=lambda path: path.name)
def test_the_sources_give_the_committed_module_wherever_they_are(directory: Path, tmp_path: Path) -> None:
    # All of them: agents may share sources.
    elsewhere = tmp_path / "somewhere" / "else"
    shutil.copytree(directory.parent, elsewhere)
    environment = {**os.environ, "PYTHON": str(REPOSITORY / ".venv/bin/python"), "BUILD_DIR": str(tmp_path / "build")}

    command = [str(elsewhere / directory.name / "build.sh"), "--check"]
    built = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)

    if built.returncode == 3:
        pytest.skip(f"the compiler cannot be had: {built.stderr[-300:]}")
    assert built.returncode == 0, built.stderr
