"""A fake node in a fresh home, and a way to type commands."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_world import FakeNode, Type, Typed, running

from ainur_node.cli.app import run


@pytest.fixture
def sockets() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ainur-cli-") as name:
        yield Path(name)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def node(home: Path, sockets: Path) -> Iterator[FakeNode]:
    with running(FakeNode(home), sockets) as fake:
        yield fake


@pytest.fixture
def ainur(home: Path, capsys: pytest.CaptureFixture[str]) -> Type:
    def typed(*words: str) -> Typed:
        capsys.readouterr()
        code = run(list(words), {"AINUR_HOME": str(home)})
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Typed(int(code), captured.out, captured.err)

    return typed
