"""Gives up everything a child does not need, layer by layer, and reports which layers this machine allows."""

import ctypes
import os
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wasm_runtime import landlock, seccomp

_NEW_USER, _NEW_NET, _NEW_MOUNT, _NEW_IPC, _NEW_UTS, _NEW_CGROUP = (
    0x10000000,
    0x40000000,
    0x00020000,
    0x08000000,
    0x04000000,
    0x02000000,
)
_SPACES = _NEW_NET | _NEW_MOUNT | _NEW_IPC | _NEW_UTS | _NEW_CGROUP
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_CAPABILITY_VERSION_3 = 0x20080522

OPEN_FILES = 32
LOG_FILE_BYTES = 64 * 1024


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _separate() -> str:
    """Own network, mounts, IPC and names: through a user namespace, or without one when privileged."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER | _SPACES) == 0:
        return "on (user, net, mount, ipc, uts, cgroup)"
    _check(libc.unshare(_SPACES), "unshare")
    return "on (net, mount, ipc, uts, cgroup; no user namespace)"


def _drop_capabilities() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(libc.capset(ctypes.byref(header), nothing), "capset")
    return "on"


def _forbid_new_privileges() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    # Processes of the same user may neither trace us nor read our memory.
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return "on"


def _limit(limits: dict[int, int]) -> str:
    for which, most in limits.items():
        hard = resource.getrlimit(which)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (value, value))
    return "on"


def enter(limits: dict[int, int]) -> dict[str, str]:
    """Locks this process in for good and returns layer -> "on …" or "off: why".

    Call it with everything imported and before any second thread exists. `limits` are resource limits by number. A
    layer that the machine refuses is left out, so that a node works in a container too; the caller decides whether
    what is left is enough.
    """
    with suppress(OSError):
        # When memory runs out, the kernel shall take a child and not the node.
        Path("/proc/self/oom_score_adj").write_text("1000")
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: LOG_FILE_BYTES,
        **limits,
    }
    # The order matters: namespaces need privileges, landlock and seccomp need no_new_privs, seccomp forbids the rest.
    steps: dict[str, Callable[[], str]] = {
        "namespaces": _separate,
        "capabilities": _drop_capabilities,
        "no_new_privs": _forbid_new_privileges,
        "rlimits": lambda: _limit(limits),
        "landlock": landlock.lock,
        "seccomp": seccomp.lock,
    }
    layers = {}
    for name, step in steps.items():
        try:
            layers[name] = step()
        except (OSError, LookupError, ValueError, AttributeError) as error:
            layers[name] = f"off: {error}"
    return layers
