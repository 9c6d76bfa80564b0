"""Takes the file system, TCP and signals to strangers away from this process, through the kernel's Landlock."""

import ctypes
import os

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same numbers on every architecture
_GET_VERSION = 1

# Rights that exist from each version of the kernel interface on; all of them are handled and none is granted.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_RIGHTS = 0b11
_SCOPES = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def lock() -> str:
    """Denies every file, TCP port and foreign signal for good; says which version held.

    Raises OSError where the kernel has no Landlock. Needs no_new_privs to be set, and holds for this thread and
    those it starts later. Open files stay usable.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    version = libc.syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(_GET_VERSION))
    if version < 1:
        raise OSError(ctypes.get_errno(), f"landlock: {os.strerror(ctypes.get_errno())}")
    ruleset = _Ruleset(
        handled_access_fs=_FILE_RIGHTS[min(version, 5)],
        handled_access_net=_NET_RIGHTS if version >= 4 else 0,
        scoped=_SCOPES if version >= 6 else 0,
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    handle = libc.syscall(
        ctypes.c_long(_CREATE_RULESET), ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    if handle < 0:
        raise OSError(ctypes.get_errno(), f"landlock: {os.strerror(ctypes.get_errno())}")
    try:
        if libc.syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(handle), ctypes.c_uint32(0)) != 0:
            raise OSError(ctypes.get_errno(), f"landlock: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(handle)
    reach = "files" + (", tcp" if version >= 4 else "") + (", signals" if version >= 6 else "")
    return f"on ({reach}; version {version})"
