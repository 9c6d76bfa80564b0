"""Host functions of the `logging` and `misc` families."""

from chain_host.scale import blob
from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import MASK32, Guest

from .session import Session

MAX_LEVEL = 3  # up to "info"
MAX_LINE = 1_000


def functions(guest: Guest, session: Session) -> dict[str, HostFunction]:
    """Logging into the session's bounded log, and the version of another blob."""
    read = guest.read_fat

    def text(pointer: int) -> str:
        return guest.read(pointer & MASK32, min(pointer >> 32, MAX_LINE)).decode("utf-8", "replace")

    def log(level: int, target: int, message: int) -> None:
        session.log.append((level & MASK32, text(target), text(message)))

    def runtime_version(code: int) -> int:
        version = session.runtime_version(read(code))
        return guest.write_fat(b"\0" if version is None else b"\1" + blob(version))

    return {
        "ext_logging_log_version_1": log,
        "ext_logging_max_level_version_1": lambda: MAX_LEVEL,
        "ext_misc_print_utf8_version_1": lambda _data: None,
        "ext_misc_print_hex_version_1": lambda _data: None,
        "ext_misc_runtime_version_version_1": runtime_version,
    }
