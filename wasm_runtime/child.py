"""One child process of the sandbox as seen from trio: start, talk in frames, kill."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import trio

from wasm_runtime import frames
from wasm_runtime.result import SandboxFault

_CHUNK = 1 << 18
_ERROR_TAIL = 2_000


class ChildGone(SandboxFault):
    """The child died or said something that is no frame; kill it and forget it."""


class Child:
    """A process started as `python -m MODULE`, whose stdin and stdout carry frames and whose stderr is kept short."""

    def __init__(self, process: trio.Process, errors: int) -> None:
        self._process = process
        self._errors = errors
        self._buffer = bytearray()

    @classmethod
    async def start(cls, module: str, *arguments: str) -> "Child":
        """Starts the child; it has said nothing yet. An empty environment: nothing of ours leaks into a jail."""
        errors = os.memfd_create("sandbox-errors")
        try:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-P", "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd="/",
                env={"PYTHONPATH": _search_path(), "PYTHONDONTWRITEBYTECODE": "1"},
            )
        except BaseException:
            os.close(errors)
            raise
        return cls(process, errors)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone already."""
        return self._process.poll() is not None

    async def send(self, message: frames.Message) -> None:
        """Hands over one message; raises ChildGone when nobody is there."""
        if self._process.stdin is None:
            raise ChildGone("no stdin")
        try:
            await self._process.stdin.send_all(frames.pack(message))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ChildGone(self.last_words()) from error

    async def receive(self, most: int) -> frames.Message:
        """The next message of at most `most` bytes; raises ChildGone at the end of the stream or of sense."""
        try:
            size = frames.body_size(await self._exactly(frames.HEAD), most)
            message = frames.unpack(await self._exactly(size))
        except frames.FrameBroken as error:
            raise ChildGone(f"not a frame: {error}") from error
        if self._buffer:
            raise ChildGone("the child speaks without being asked")
        return message

    async def _exactly(self, size: int) -> bytearray:
        while len(self._buffer) < size:
            if self._process.stdout is None:
                raise ChildGone("no stdout")
            try:
                data = await self._process.stdout.receive_some(_CHUNK)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise ChildGone(self.last_words()) from error
            if not data:
                raise ChildGone(self.last_words())
            self._buffer += data
        if len(self._buffer) == size:
            # A long frame as it is: copying it would keep everybody waiting.
            taken, self._buffer = self._buffer, bytearray()
            return taken
        taken = self._buffer[:size]
        del self._buffer[:size]
        return taken

    async def kill(self) -> int:
        """SIGKILL, then wait for the end; shielded, because a child may not outlive its pool. The exit status."""
        with trio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                self._process.kill()
            status = await self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    await stream.aclose()
            if self._errors >= 0:
                os.close(self._errors)
                self._errors = -1
        return status

    async def wait(self) -> int:
        """The exit status, once it has ended."""
        return await self._process.wait()

    def last_words(self) -> str:
        """The end of what the child wrote on stderr."""
        if self._errors < 0:
            return ""
        size = os.fstat(self._errors).st_size
        begin = max(0, size - _ERROR_TAIL)
        return os.pread(self._errors, _ERROR_TAIL, begin).decode("utf-8", "replace").strip()


def _search_path() -> str:
    # The child finds its modules where we found ours, however the package was installed.
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join([here, *(entry for entry in sys.path if Path(entry).is_absolute())])
