"""The chain host as a process of its own, and a small client that knows nothing of its insides."""

import contextlib
import itertools
import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

START_SECONDS = 60.0


class Host:
    """A running `python -m chain_host run`; `module` and what it takes may stand in for `chain_host`."""

    def __init__(
        self,
        data: Path,
        *,
        cache: Path,
        world: Path | None = None,
        extra: tuple[str, ...] = (),
        module: tuple[str, ...] = ("chain_host",),
    ) -> None:
        command = [sys.executable, "-m", *module, "run", "--data", str(data), "--cache", str(cache), *extra]
        if world is not None:
            command += ["--world", str(world)]
        started = time.monotonic()
        self.errors = (data.parent / f"{data.name}.stderr").open("a+b")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors)
        self.ready = json.loads(self._first_line())
        self.start_seconds = time.monotonic() - started
        self.url: str = self.ready["url"]
        self.genesis = bytes.fromhex(self.ready["genesis"][2:])

    def _first_line(self) -> bytes:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            self.kill()
            raise RuntimeError(f"the host did not start: {self.said()}")
        return line

    def said(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode()

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.errors.flush()
        return code


@contextlib.contextmanager
def running(data: Path, **options: Any) -> Iterator[Host]:
    host = Host(data, **options)
    try:
        yield host
    finally:
        if host.process.poll() is None:
            host.kill()
        host.errors.close()


class Refused(Exception):  # noqa: N818  # named for what happened
    """An error answer."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(json.dumps(error))
        self.code = error["code"]
        self.data = error.get("data", "")


def dial(url: str) -> ClientConnection:
    """A connection that the caller closes."""
    return connect(url, max_size=64 << 20, compression=None).__enter__()


class Client:
    """One connection; notifications that arrive while an answer is awaited are kept."""

    def __init__(self, url: str) -> None:
        self.socket = dial(url)
        self.notes: list[dict[str, Any]] = []
        self._ids = itertools.count(1)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.socket.close()

    def call(self, method: str, *params: Any, timeout: float = 20.0) -> Any:
        request_id = next(self._ids)
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv(timeout=timeout))
            if "id" not in answer:
                self.notes.append(answer)
            elif "error" in answer:
                raise Refused(answer["error"])
            else:
                return answer["result"]

    def note(self, timeout: float = 20.0) -> dict[str, Any]:
        """The next notification."""
        if self.notes:
            return self.notes.pop(0)
        answer = json.loads(self.socket.recv(timeout=timeout))
        assert "method" in answer, answer
        return answer

    def raw(self, text: str | bytes, timeout: float = 20.0) -> Any:
        """Send a frame as it is and read the next one."""
        self.socket.send(text)
        return json.loads(self.socket.recv(timeout=timeout))


def in_threads(*jobs: Any) -> list[threading.Thread]:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    return threads
