"""A chain host process with a fresh world, for tests that want the real runtime."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pallets_client.records import AIN

BOOT_WITHIN = 60.0  # seconds, on a busy machine
STOP_WITHIN = 10.0


class HostProcess:
    """`python -m chain_host` in ``home``; ``start`` after ``kill`` goes on with the same world."""

    def __init__(self, home: Path, sudo: bytes, balances: Mapping[bytes, int] | None = None) -> None:
        self._world = home / "world"
        money = home / "balances.json"
        endowed = balances or {sudo: 1_000_000 * AIN}
        money.write_text(json.dumps({"0x" + account.hex(): amount for account, amount in endowed.items()}))
        self._command = [sys.executable, "-m", "chain_host"]
        subprocess.run(
            [
                *self._command,
                *("genesis", "--dir", str(self._world), "--balances", str(money), "--sudo", "0x" + sudo.hex()),
            ],
            check=True,
            timeout=BOOT_WITHIN,
            capture_output=True,
        )
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.start()

    def start(self) -> None:
        """Start it, on the port it had before."""
        port = self.url.rpartition(":")[2] or "0"
        self._process = subprocess.Popen(
            [*self._command, "run", "--data", str(self._world), "--port", port],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the chain host ended with {self._process.wait(STOP_WITHIN)}")
        self.url = str(json.loads(line)["url"])

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(gently=False)

    def close(self) -> None:
        """End it in good order."""
        self._end(gently=True)

    def _end(self, *, gently: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if gently:
            process.terminate()
        else:
            process.kill()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_WITHIN)
        assert process.stdout is not None
        process.stdout.close()
