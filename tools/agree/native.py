"""The native node as processes: importing blocks of a file, and running with an RPC port."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

START_SECONDS = 180.0
IMPORT_SECONDS = 3_600.0
ANSWER_SECONDS = 60.0
MAX_ANSWER = 64 << 20


class NativeTrouble(Exception):  # noqa: N818 # says what happened
    """The native node did not do its part."""


def build(root: Path) -> Path | None:
    """The binary in the cache, None when it was not built."""
    said = subprocess.run([root / "chain/node/build.sh", "--where"], capture_output=True, text=True, check=False)
    return Path(said.stdout.strip()) if said.returncode == 0 else None


def write_spec(file: Path, *, name: str, code: bytes, config: dict[str, Any], boot: tuple[str, ...] = ()) -> None:
    """A chain specification whose genesis the node itself has the runtime's GenesisBuilder make."""
    document = {
        "name": name,
        "id": name.lower().replace(" ", "_"),
        "chainType": "Local",
        "bootNodes": list(boot),
        "telemetryEndpoints": None,
        "protocolId": None,
        "properties": {"tokenSymbol": "AIN", "tokenDecimals": 12, "ss58Format": 42},
        "codeSubstitutes": {},
        "genesis": {"runtimeGenesis": {"code": "0x" + code.hex(), "config": config}},
    }
    file.write_text(json.dumps(document))


def import_blocks(binary: Path, spec: Path, base: Path, blocks: Path) -> None:
    """Have the node check and take over the blocks of a file. Raises NativeTrouble when it refuses."""
    command = [str(binary), "import-blocks", "--chain", str(spec), "--base-path", str(base), "--binary"]
    command += ["--state-pruning", "archive", "--blocks-pruning", "archive", "--database", "paritydb", str(blocks)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False)
    if done.returncode != 0:
        raise NativeTrouble(f"import-blocks ended with {done.returncode}:\n{done.stderr[-3000:]}")


class Rpc:
    """One connection; raises NativeTrouble for error answers."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._next = 0

    def ask(self, method: str, *params: Any) -> Any:
        """Result of one call."""
        answer = self._exchange(method, params)
        if "error" in answer:
            raise NativeTrouble(f"{method}: {answer['error']}")
        return answer["result"]

    def attempt(self, method: str, *params: Any) -> bool:
        """Whether the call was taken rather than refused."""
        return "error" not in self._exchange(method, params)

    def _exchange(self, method: str, params: tuple[Any, ...]) -> dict[str, Any]:
        self._next += 1
        self._socket.send(json.dumps({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params}))
        while True:
            answer: dict[str, Any] = json.loads(self._socket.recv(timeout=ANSWER_SECONDS))
            if answer.get("id") == self._next:
                return answer

    def block(self, number: int) -> dict[str, Any] | None:
        """What `chain_getBlock` answers for a number, None above the head."""
        found = self.ask("chain_getBlockHash", number)
        return None if found is None else {"hash": found, **self.ask("chain_getBlock", found)}


@dataclass(slots=True)
class NativeNode:
    """A running node; its stderr goes to a file."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace")[-3000:]

    def kill(self) -> None:
        """End it the hard way."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    @contextlib.contextmanager
    def rpc(self) -> Iterator[Rpc]:
        """A connection, once it answers. Raises NativeTrouble when it ends first, or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket = connect(self.url, max_size=MAX_ANSWER, open_timeout=5, compression=None).__enter__()
                break
            except (OSError, WebSocketException, TimeoutError) as exc:
                if self.process.poll() is not None:
                    raise NativeTrouble(f"the node ended with {self.process.returncode}:\n{self.said}") from exc
                if time.monotonic() > deadline:
                    raise NativeTrouble(f"no answer from {self.url}:\n{self.said}") from exc
                time.sleep(0.2)
        with contextlib.closing(socket):
            yield Rpc(socket)


def launch(
    binary: Path, spec: Path | str, base: Path, *, rpc_port: int, p2p_port: int, more: tuple[str, ...] = ()
) -> NativeNode:
    """Start a node on loopback."""
    base.mkdir(parents=True, exist_ok=True)
    log = base / "node.log"
    command = [
        *(str(binary), "--chain", str(spec), "--base-path", str(base), "--database", "paritydb"),
        *("--state-pruning", "archive", "--blocks-pruning", "archive", "--no-prometheus", "--no-mdns"),
        *("--rpc-port", str(rpc_port), "--rpc-max-response-size", "64", "--rpc-max-request-size", "16"),
        *("--listen-addr", f"/ip4/127.0.0.1/tcp/{p2p_port}", *more),
    ]
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    return NativeNode(process, f"ws://127.0.0.1:{rpc_port}", log)
