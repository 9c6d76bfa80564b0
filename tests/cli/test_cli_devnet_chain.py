"""`ainur devnet up --chain … --faucet …`: what is refused before anything is started."""

from pathlib import Path

import pytest
from cli_world import Type

SEED = "0x" + "ab" * 32
URL = "ws://127.0.0.1:9"


@pytest.fixture
def seed(tmp_path: Path) -> str:
    file = tmp_path / "faucet.key"
    file.write_text(SEED + "\n")
    return str(file)


@pytest.mark.parametrize("words", [("--chain", URL), ("--faucet", "-")])
def test_an_address_and_a_key_go_together(ainur: Type, words: tuple[str, str], home: Path) -> None:
    typed = ainur("devnet", "up", *words)

    assert typed.code == 2
    assert "go together" in typed.err
    assert not list(home.iterdir())


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:9", "127.0.0.1:9944", "ws://" + "a" * 600])
def test_what_is_no_address_of_a_chain_is_refused(ainur: Type, address: str, seed: str) -> None:
    typed = ainur("devnet", "up", f"--chain={address}", "--faucet", seed)

    assert typed.code == 2
    assert "ws://" in typed.err


@pytest.mark.parametrize("text", ["", "0x", "zz" * 32, "ab" * 31, "ab" * 33, "ä", "a" * 1_000])
def test_a_file_without_a_seed_is_refused(ainur: Type, text: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.key"
    file.write_text(text)

    typed = ainur("devnet", "up", "--chain", URL, "--faucet", str(file))

    assert typed.code == 2
    assert "ab" * 31 not in typed.err


def test_a_missing_file_and_a_fault_on_a_chain_outside_are_refused(ainur: Type, seed: str, tmp_path: Path) -> None:
    assert ainur("devnet", "up", "--chain", URL, "--faucet", str(tmp_path / "none")).code == 2
    typed = ainur("devnet", "up", "--chain", URL, "--faucet", seed, "--fault", "wrong-result")
    assert typed.code == 2
    assert "--fault" in typed.err
