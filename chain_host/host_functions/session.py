"""What host functions need to know of the call in progress."""

from collections import deque
from typing import Protocol

from chain_host.overlay import Overlay


class Session(Protocol):
    """The running call; `overlay` is set while one runs."""

    overlay: Overlay | None
    log: deque[tuple[int, str, str]]

    def runtime_version(self, code: bytes) -> bytes | None:
        """SCALE `RuntimeVersion` of a blob, None when it has none."""
        ...
