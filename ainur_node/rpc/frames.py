"""Frames of the local protocol: a length in 4 bytes, big-endian, then that many bytes; no I/O here."""

from ainur_node.errors import Misbehaviour

HEAD = 4
MAX_FRAME = 9 << 20
"""Above every result, and a manifest with the largest module; a length beyond it is refused before a byte is kept."""


def frame(body: bytes) -> bytes:
    """The body with its length in front; ValueError when it is too long to be read at the other end."""
    if len(body) > MAX_FRAME:
        raise ValueError(f"a frame of {len(body)} bytes is above the limit of {MAX_FRAME}")
    return len(body).to_bytes(HEAD, "big") + body


class FrameReader:
    """Cuts a stream of bytes into bodies; holds at most one unfinished frame and one read beyond it."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that are complete now; Misbehaviour when a length is above the limit."""
        self._buffer += data
        bodies: list[bytes] = []
        start = 0
        while len(self._buffer) - start >= HEAD:
            size = int.from_bytes(self._buffer[start : start + HEAD], "big")
            if size > self._limit:
                raise Misbehaviour(f"a frame of {size} bytes is above the limit of {self._limit}")
            end = start + HEAD + size
            if len(self._buffer) < end:
                break
            # Through a view: a slice would be one more copy of megabytes.
            bodies.append(bytes(memoryview(self._buffer)[start + HEAD : end]))
            start = end
        del self._buffer[:start]
        return bodies

    @property
    def inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)
