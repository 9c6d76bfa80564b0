"""Our end of the one stream on which we ask a peer: calls go out in order, answers come in any."""

from __future__ import annotations

from dataclasses import dataclass, field

import trio

from ainur_node.mesh import wire
from ainur_node.mesh.streams import FramedStream


@dataclass(slots=True)
class PendingCall:
    """A call that waits; `answer` stays None when the line broke."""

    id: int
    done: trio.Event = field(default_factory=trio.Event)
    answer: wire.Answer | None = None


class Line:
    """A stream with a writer of its own, so that giving up a call never cuts a frame in two."""

    def __init__(self, stream: FramedStream, capacity: int, write_timeout: float) -> None:
        self.stream = stream
        self.pending: dict[int, PendingCall] = {}
        self.broken = False
        self._write_timeout = write_timeout
        self._scope = trio.CancelScope()
        self._next_id = 0
        # At most `capacity` calls are open at once, but given-up ones may still stand in the queue.
        self._queue, self._queued = trio.open_memory_channel[tuple[int, bytes]](capacity)

    async def run(self) -> None:
        """Write and read until the line breaks; Transient or Misbehaviour says why."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write_calls)
                    await self._read_answers()
                    nursery.cancel_scope.cancel()
        finally:
            self.break_off()
            await self.stream.reset()

    async def call(self, method: str, body: bytes) -> wire.Answer | None:
        """Send one call and wait for its answer; None when the line broke."""
        if self.broken:
            return None
        self._next_id = (self._next_id + 1) % 2**32
        pending = self.pending[self._next_id] = PendingCall(self._next_id)
        try:
            frame = wire.framed(wire.encode(wire.Call(id=pending.id, method=method, body=body)))
            await self._queue.send((pending.id, frame))
            await pending.done.wait()
        except trio.BrokenResourceError:
            return None
        finally:
            del self.pending[pending.id]
        return pending.answer

    def break_off(self) -> None:
        """Wake every waiting call; none of them will be answered."""
        self.broken = True
        self._scope.cancel()
        self._queued.close()
        for pending in self.pending.values():
            pending.done.set()

    async def _write_calls(self) -> None:
        async for call_id, frame in self._queued:
            if call_id in self.pending:
                await self.stream.write(frame, self._write_timeout)

    async def _read_answers(self) -> None:
        while (frame := await self.stream.read_frame(wire.MAX_RPC_FRAME)) is not None:
            answer = wire.decode_answer(frame)
            # An unknown id answers a call that was given up here.
            pending = self.pending.get(answer.id)
            if pending is not None:
                pending.answer = answer
                pending.done.set()
