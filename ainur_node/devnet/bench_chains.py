"""The chains that `ainur bench chain` compares: the embedded host, the native node, chopsticks; each fresh."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ainur_node.supervisor.listening import free_ports
from pallets_client.client import ChainClient
from pallets_client.errors import ChainError
from pallets_client.keys import Sr25519
from pallets_client.records import AIN

BOOT_SECONDS = 300.0
STOP_SECONDS = 20.0
FUNDS = 10_000_000 * AIN
ROOT = Path(__file__).resolve().parents[2]
KINDS = ("embedded", "chopsticks", "native")


class Skipped(Exception):  # noqa: N818 — named after what it says
    """A chain that cannot be started here, and why."""


@dataclass(frozen=True, slots=True)
class BenchChain:
    """A running chain: where it answers, who is rich on it, where its blocks are (embedded only), what it is."""

    kind: str
    url: str
    bank: Sr25519
    data: Path | None
    version: str
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time that the chain has used so far, all its threads together."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(kind: str, directory: Path) -> Iterator[BenchChain]:
    """A fresh chain of one kind below ``directory``; Skipped when it is not installed."""
    directory.mkdir(parents=True, exist_ok=True)
    bank = Sr25519(secrets.token_bytes(32))
    world = directory / "world"
    _make_world(world, bank)
    match kind:
        case "embedded":
            (port,) = free_ports(1)
            command = [sys.executable, "-m", "chain_host", "run", "--data", str(world), "--port", str(port)]
            version = "the embedded host of this program"
        case "native":
            (port, p2p) = free_ports(2)
            command, version = _native(directory, world, port, p2p)
        case "chopsticks":
            (port,) = free_ports(1)
            command, version = _chopsticks(directory, world, port)
        case _:
            raise ValueError(kind)
    url = f"ws://127.0.0.1:{port}"
    with (directory / f"{kind}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_for(url, process, directory / f"{kind}.log")
            yield BenchChain(kind, url, bank, world if kind == "embedded" else None, version, process.pid)
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        client = ChainClient(url, timeout=30.0)
        try:
            client.head()
        except ChainError as exc:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text("utf-8", "replace")[-600:]
                raise Skipped(f"it did not start: {said or exc}") from exc
            time.sleep(0.2)
        else:
            return
        finally:
            client.close()


def _make_world(world: Path, bank: Sr25519) -> None:
    balances = world.parent / "balances.json"
    balances.write_text(json.dumps({"0x" + bank.account.hex(): FUNDS}))
    command = [sys.executable, "-m", "chain_host", "genesis", "--dir", str(world), "--balances", str(balances)]
    command += ["--sudo", "0x" + bank.account.hex()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOOT_SECONDS, check=False)
    if done.returncode:
        raise Skipped(f"no world could be made: {done.stderr[-300:]}")


def _specification(world: Path, file: Path) -> None:
    """A chain specification with the genesis that this world names, for hosts that build it themselves."""
    config = json.loads((world / "world.json").read_text("utf-8"))["config"]
    code = (ROOT / "chain_host" / "runtime" / "ainur_runtime.wasm").read_bytes()
    document: dict[str, Any] = {
        "name": "Ainur Bench",
        "id": "ainur_bench",
        "chainType": "Local",
        "bootNodes": [],
        "telemetryEndpoints": None,
        "protocolId": None,
        "properties": {"tokenSymbol": "AIN", "tokenDecimals": 12, "ss58Format": 42},
        "codeSubstitutes": {},
        "genesis": {"runtimeGenesis": {"code": "0x" + code.hex(), "config": config}},
    }
    file.write_text(json.dumps(document))


# --- native --------------------------------------------------------------------------------------------------------


def native_binary() -> Path | None:
    """Where the native node was built, by its own build script or by AINUR_CHAIN_NODE; None when it was not."""
    named = os.environ.get("AINUR_CHAIN_NODE")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    script = ROOT / "chain" / "node" / "build.sh"
    if not script.exists():
        return None
    said = subprocess.run([script, "--where"], capture_output=True, text=True, check=False, timeout=60)
    path = Path(said.stdout.strip())
    return path if said.returncode == 0 and said.stdout.strip() and os.access(path, os.X_OK) else None


def _native(directory: Path, world: Path, port: int, p2p: int) -> tuple[list[str], str]:
    binary = native_binary()
    if binary is None:
        raise Skipped("the native node is not built: make chain-node")
    specification = directory / "spec.json"
    _specification(world, specification)
    base = directory / "native"
    keys = base / "chains" / "ainur_bench" / "keystore"
    keys.mkdir(parents=True)
    seed = (world / "aura.seed").read_text("ascii").strip()
    author = Sr25519(bytes.fromhex(seed))
    (keys / (b"aura".hex() + author.account.hex())).write_text(json.dumps("0x" + seed))
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    command = [
        *(str(binary), "--chain", str(specification), "--base-path", str(base), "--database", "paritydb"),
        *("--validator", "--force-authoring", "--no-mdns", "--no-prometheus", "--rpc-methods", "unsafe"),
        *("--state-pruning", "archive", "--blocks-pruning", "archive", "--pool-limit", "20000"),
        *("--rpc-port", str(port), "--listen-addr", f"/ip4/127.0.0.1/tcp/{p2p}", "--node-key", secrets.token_hex(32)),
    ]
    return command, said.strip()


# --- chopsticks ----------------------------------------------------------------------------------------------------


def chopsticks_program() -> Path | None:
    """Where chopsticks was installed, by its own script or by AINUR_CHOPSTICKS; None when it was not."""
    named = os.environ.get("AINUR_CHOPSTICKS")
    if named:
        return Path(named) if Path(named).is_file() else None
    script = ROOT / "tools" / "chopsticks" / "install.sh"
    if not script.exists():
        return None
    said = subprocess.run([script, "--where"], capture_output=True, text=True, check=False, timeout=60)
    path = Path(said.stdout.strip()) / "node_modules/@acala-network/chopsticks/chopsticks.cjs"
    return path if said.returncode == 0 and path.is_file() else None


def _chopsticks(directory: Path, world: Path, port: int) -> tuple[list[str], str]:
    program, node = chopsticks_program(), shutil.which("node")
    if program is None or node is None:
        raise Skipped("chopsticks is not installed (a test tool): make chopsticks")
    specification = directory / "raw.json"
    specification.write_text(json.dumps(_raw_specification(directory, world)))
    about = json.loads((program.parent / "package.json").read_text("utf-8"))
    command = [node, str(program), "--chain-spec", str(specification), "--port", str(port)]
    # Its fastest mode: it waits a moment for others that share the block.
    return [*command, "--build-block-mode", "Batch"], f"chopsticks {about.get('version')}, mode Batch"


def _raw_specification(directory: Path, world: Path) -> dict[str, Any]:
    """Storage of the genesis key by key, as the embedded host tells it: chopsticks knows no GenesisBuilder."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "chain_host", "run", "--data", str(world), "--port", str(port)]
    log = directory / "genesis.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            _wait_for(f"ws://127.0.0.1:{port}", process, log)
            client = ChainClient(f"ws://127.0.0.1:{port}", timeout=60.0)
            try:
                found: dict[str, Any] = client.link.call("sync_state_genSyncSpec", True)
            finally:
                client.close()
        finally:
            _stop(process)
    return found
