"""Host functions of the `storage` family: the runtime's view of its state."""

import struct

from chain_host.errors import RuntimeTrap
from chain_host.overlay import Overlay
from chain_host.scale import compact
from chain_host.wasm.callbacks import HostFunction
from chain_host.wasm.guest import MASK32, Guest

from .session import Session

_SHORT = 1_024
_SOME = tuple(b"\1" + compact(size) for size in range(_SHORT))  # what stands before a value of that size


def _optional(value: bytes | None) -> bytes:
    if value is None:
        return b"\0"
    size = len(value)
    return (_SOME[size] if size < _SHORT else b"\1" + compact(size)) + value


def functions(guest: Guest, session: Session) -> dict[str, HostFunction]:
    """Storage functions over the overlay of the call in progress."""
    read, answer = guest.read_fat, guest.write_fat

    def overlay() -> Overlay:
        if session.overlay is None:
            raise RuntimeTrap("no call is in progress")
        return session.overlay

    def get(key: int) -> int:  # half of all host calls are this one
        current = session.overlay
        if current is None:
            raise RuntimeTrap("no call is in progress")
        value = current.get(read(key))
        if value is None:
            return answer(b"\0")
        size = len(value)
        return answer((_SOME[size] if size < _SHORT else b"\1" + compact(size)) + value)

    def read_into(key: int, out: int, offset: int) -> int:
        """Copies from `offset` into the guest's buffer; answers the length left from `offset` on."""
        value = overlay().get(read(key))
        if value is None:
            return answer(b"\0")
        rest = value[offset & MASK32 :]
        guest.copy_into(out & MASK32, rest[: out >> 32])
        return answer(b"\1" + struct.pack("<I", len(rest)))

    def clear_prefix(prefix: int, limit: int) -> int:
        option = read(limit)
        bound = struct.unpack("<I", option[1:5])[0] if option[:1] == b"\1" else None
        visited, more = overlay().clear_prefix(read(prefix), bound)
        return answer(bytes((more,)) + struct.pack("<I", visited))

    return {
        "ext_storage_get_version_1": get,
        "ext_storage_read_version_1": read_into,
        "ext_storage_set_version_1": lambda key, value: overlay().put(read(key), read(value)),
        "ext_storage_clear_version_1": lambda key: overlay().put(read(key), None),
        "ext_storage_exists_version_1": lambda key: int(overlay().get(read(key)) is not None),
        "ext_storage_append_version_1": lambda key, value: overlay().append(read(key), read(value)),
        "ext_storage_next_key_version_1": lambda key: answer(_optional(overlay().next_key(read(key)))),
        "ext_storage_clear_prefix_version_2": clear_prefix,
        "ext_storage_root_version_2": lambda version: answer(overlay().root(version & MASK32)),
        "ext_storage_start_transaction_version_1": lambda: overlay().begin(),
        "ext_storage_commit_transaction_version_1": lambda: overlay().commit(),
        "ext_storage_rollback_transaction_version_1": lambda: overlay().rollback(),
    }
