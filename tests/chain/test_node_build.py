"""What the native node and chopsticks are made of: pins, and words for those who lack something."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = ROOT / "chain/node"
CHOPSTICKS = ROOT / "tools/chopsticks"


def run(*command: object, **environ: str) -> subprocess.CompletedProcess[str]:
    found = {**os.environ, **environ}
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, env=found, timeout=60)


def locked() -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for package in tomllib.loads((NODE / "Cargo.lock").read_text())["package"]:
        versions.setdefault(package["name"], set()).add(package["version"])
    return versions


def test_every_dependency_of_the_node_is_pinned_to_a_version_of_the_lock() -> None:
    versions = locked()

    for name, entry in tomllib.loads((NODE / "Cargo.toml").read_text())["dependencies"].items():
        wanted = entry if isinstance(entry, str) else entry["version"]
        assert wanted.startswith("="), name
        assert wanted[1:] in versions[name], name


def test_the_node_has_neither_rocksdb_nor_code_from_elsewhere_than_the_registry() -> None:
    lock = (NODE / "Cargo.lock").read_text()

    assert "librocksdb-sys" not in locked()
    assert "git+" not in lock
    assert not [name for name in locked() if name.startswith("pallet-") and not name.startswith("pallet-transaction")]


def test_the_node_and_the_runtime_are_of_the_same_line() -> None:
    runtime: dict[str, set[str]] = {}
    for package in tomllib.loads((ROOT / "chain/Cargo.lock").read_text())["package"]:
        runtime.setdefault(package["name"], set()).add(package["version"])

    for name in ("sp-runtime", "sp-core", "sp-io", "sp-api", "sp-consensus-aura", "sp-consensus-grandpa", "sp-trie"):
        assert locked()[name] == runtime[name], name


def test_a_node_that_is_not_built_is_exit_3_and_says_what_to_run(tmp_path: Path) -> None:
    said = run(NODE / "build.sh", "--where", AINUR_NODE_CACHE=str(tmp_path))

    assert said.returncode == 3
    assert "make chain-node" in said.stderr
    assert not list(tmp_path.iterdir())


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    assert run(NODE / "build.sh", "--wehre", AINUR_NODE_CACHE=str(tmp_path)).returncode == 2
    assert run(CHOPSTICKS / "install.sh", "--wehre", AINUR_CHOPSTICKS_CACHE=str(tmp_path)).returncode == 2


@pytest.mark.parametrize("missing", ["cargo", "cc"])
def test_a_machine_without_a_compiler_is_exit_3_with_a_sentence(missing: str, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "mkdir", "flock", "sha256sum", "cut", "cat", "cargo", "cc"):
        found = shutil.which(name) or shutil.which("true")
        if name != missing and found:
            (programs / name).symlink_to(found)

    said = run(NODE / "toolchain.sh", tmp_path / "tools", PATH=str(programs))

    assert said.returncode == 3
    assert "install" in said.stderr


def test_a_protoc_of_the_users_own_is_taken_and_a_broken_one_refused(tmp_path: Path) -> None:
    good = tmp_path / "protoc"
    good.write_text("#!/bin/sh\nexit 0\n")
    good.chmod(0o755)

    assert run(NODE / "toolchain.sh", tmp_path / "a", PROTOC=str(good)).returncode == 0
    assert (tmp_path / "a/env.sh").read_text() == f'export PROTOC="{good}"\n'
    assert run(NODE / "toolchain.sh", tmp_path / "b", PROTOC="/nonexistent/protoc").returncode == 3


def test_another_package_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "debs").mkdir()
    for line in (NODE / "toolchain.sha256").read_text().splitlines():
        (tmp_path / "debs" / line[66:]).write_bytes(b"not the package")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "mkdir", "flock", "sha256sum", "cut", "cat", "cargo", "cc", "rm", "dpkg"):
        found = shutil.which(name) or shutil.which("true")
        assert found
        (programs / name).symlink_to(found)

    said = run(NODE / "toolchain.sh", tmp_path, PATH=str(programs), PROTOC="")

    assert said.returncode == 3
    assert "pinned sha256" in said.stderr


def test_every_package_of_chopsticks_is_pinned_by_its_hash_and_names_no_host() -> None:
    text = (CHOPSTICKS / "package-lock.json").read_text()
    lock = json.loads(text)

    assert not re.search(r"https?://", text)
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)
    wanted = json.loads((CHOPSTICKS / "package.json").read_text())["dependencies"]
    assert wanted == {"@acala-network/chopsticks": "1.1.0"}
    assert lock["packages"]["node_modules/@acala-network/chopsticks"]["version"] == "1.1.0"


def test_chopsticks_that_is_not_installed_is_exit_3(tmp_path: Path) -> None:
    said = run(CHOPSTICKS / "install.sh", "--where", AINUR_CHOPSTICKS_CACHE=str(tmp_path))

    assert said.returncode == 3
    assert "make chopsticks" in said.stderr
