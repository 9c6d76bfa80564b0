"""What a user can get wrong: a stable code, a hint and the exit code of the contract, and no money moves."""

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_world import DOCUMENT, ROOT, Ainur, Said

pytestmark = pytest.mark.real

AGENT = ROOT / "agents" / "text-summary"


@pytest.fixture
def unmoved(world: Ainur) -> Iterator[Ainur]:
    """The world, whose money must be where it was when the test is over."""
    before = {name: world("--node", name, "wallet", "balance").data for name in ("submitter", "n1")}
    yield world
    assert {name: world("--node", name, "wallet", "balance").data for name in before} == before
    assert world("wallet", "audit").data["difference"] == 0


def submit(world: Ainur, agent: str = "summarize", document: Path = DOCUMENT, budget: str = "1") -> Said:
    words = ("task", "submit", "--agent", agent, "--input", str(document), "--budget", budget, "--deadline", "30s")
    return world(*words)


def told(said: Said) -> tuple[int, str]:
    """Exit code and code; a hint must be there too."""
    assert said.data["error"]["hint"]
    assert "Traceback" not in said.stderr
    return said.code, said.error


def test_an_unknown_capability(unmoved: Ainur) -> None:
    said = submit(unmoved, agent="divination")

    assert told(said) == (1, "unknown_capability")
    assert "summarize" in said.data["error"]["hint"]


def test_a_budget_of_zero(unmoved: Ainur) -> None:
    assert told(submit(unmoved, budget="0")) == (1, "budget_zero")


def test_a_budget_above_what_is_spendable_shows_the_three_numbers(unmoved: Ainur) -> None:
    said = submit(unmoved, budget="5000")

    assert told(said) == (1, "insufficient_funds")
    assert {"spendable", "free", "held"} <= said.data["error"]["details"].keys()


def test_budgets_that_are_no_amounts(unmoved: Ainur) -> None:
    for budget in ("-1", "1e9", "0.0000000000001", "x", "99999999999999999"):
        assert submit(unmoved, budget=budget).code == 2, budget


def test_an_input_that_is_too_large(unmoved: Ainur, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("a" * (2 << 20))
    (tmp_path / "nearly.txt").write_text("\u0001" * (1 << 20))  # six bytes each as JSON

    assert told(submit(unmoved, document=tmp_path / "big.txt"))[0] == 2
    assert told(submit(unmoved, document=tmp_path / "nearly.txt")) == (1, "too_large")


def test_an_input_that_does_not_fit_the_schema(unmoved: Ainur, tmp_path: Path) -> None:
    for number, text in enumerate(('{"nottext": 1}', '{"text": 5}', "[]", "{", '"text"')):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        said = submit(unmoved, document=path)
        assert said.code in {1, 2}, text
        assert said.error, text


def test_an_input_that_is_no_text(unmoved: Ainur, tmp_path: Path) -> None:
    (tmp_path / "raw.txt").write_bytes(b"\xff\xfe\x00")

    assert submit(unmoved, document=tmp_path / "raw.txt").code in {1, 2}


def package(directory: Path, wasm: bytes, **changes: object) -> Path:
    """A package whose manifest names exactly these bytes."""
    manifest = json.loads((AGENT / "manifest.json").read_text())
    manifest |= {"name": "other", **changes}
    manifest["module"] |= {"sha256": hashlib.sha256(wasm).hexdigest(), "size": len(wasm)}
    (directory / "manifest.json").write_text(json.dumps(manifest, sort_keys=True, separators=(",", ":")))
    (directory / manifest["module"]["file"]).write_bytes(wasm)
    return directory


# (module (import "env" "socket" (func)) (func (export "_start")))
FORBIDDEN = bytes.fromhex(
    "0061736d01000000010401600000020e0103656e7606736f636b6574000003020100070a01065f737461727400010a040102000b"
)


@pytest.mark.parametrize("wasm", [b"", b"\0asm", b"\0asm\1\0\0\0\xff\xff", b"MZ" * 50, FORBIDDEN])
def test_a_module_that_nobody_will_run(unmoved: Ainur, tmp_path: Path, wasm: bytes) -> None:
    directory = package(tmp_path, wasm)

    lint = unmoved("agent", "lint", str(directory))
    published = unmoved("--node", "n1", "agent", "publish", str(directory), "--ask", "0.2")

    assert lint.code in {1, 2}
    assert published.code in {1, 2}
    assert published.error
    assert "other" not in {agent["name"] for agent in unmoved("agent", "list").data["agents"]}


def test_a_forbidden_import_is_named(unmoved: Ainur, tmp_path: Path) -> None:
    published = unmoved("--node", "n1", "agent", "publish", str(package(tmp_path, FORBIDDEN)), "--ask", "0.2")

    assert told(published) == (1, "module_refused")
    assert "env.socket" in published.data["error"]["hint"]


def test_an_unknown_configuration_key(ainur: Ainur) -> None:
    assert ainur("init").code == 0
    with (ainur.home / "config.toml").open("a") as file:
        file.write('\n[mesh]\nlissten = ["/ip4/127.0.0.1/tcp/0"]\n')

    for words in (("config", "check"), ("run",)):
        said = ainur(*words)
        assert told(said)[0] == 4
        assert "mesh.lissten" in said.data["error"]["what"]


def test_a_port_in_use(ainur: Ainur) -> None:
    assert ainur("init").code == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        said = ainur("run", AINUR_MESH__LISTEN=f"/ip4/127.0.0.1/tcp/{port}")

    assert told(said) == (4, "port_in_use")
    assert str(port) in said.data["error"]["what"]


def test_no_chain(ainur: Ainur, world: Ainur) -> None:
    assert told(ainur("init", "--chain", "ws://127.0.0.1:9")) == (3, "no_chain")
    assert list(ainur.home.iterdir()) == []
    url = world("chain", "status").data["url"]
    assert ainur("init", "--chain", url).code == 0

    said = ainur("run", AINUR_CHAIN__URL="ws://127.0.0.1:9", AINUR_MESH__LISTEN="/ip4/127.0.0.1/tcp/0")

    assert told(said) == (3, "no_chain")


def test_a_chain_of_another_genesis(ainur: Ainur, world: Ainur) -> None:
    url = world("chain", "status").data["url"]
    assert ainur("init", "--chain", url).code == 0
    path = ainur.home / "world.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"genesis": "ab" * 32}))

    said = ainur("run", AINUR_MESH__LISTEN="/ip4/127.0.0.1/tcp/0")

    assert told(said) == (4, "wrong_genesis")


def test_no_node(ainur: Ainur) -> None:
    for words in (("status",), ("task", "list"), ("wallet", "balance")):
        said = ainur(*words)
        assert told(said)[0] == 3, words
