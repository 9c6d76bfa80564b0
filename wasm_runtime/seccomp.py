"""A list of the system calls that running native code needs; every other call fails with EPERM."""

import ctypes
import os
import platform
import struct

# name -> (x86_64, aarch64); None where an architecture does not have the call.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "ppoll": (271, 73),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "set_robust_list": (273, 99),
    "sigaltstack": (131, 132),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
    "getrusage": (98, 165),
}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_CLONE = (56, 220)
_CLONE3 = 435
_TGKILL = (234, 131)
_CLONE_THREAD = 0x10000

_ALLOW, _ERRNO, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000, 1, 38
_LOAD, _JEQ, _JSET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NR, _ARCH, _ARG0 = 0, 4, 16
_PR_SET_SECCOMP, _FILTER_MODE = 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _instruction(code: int, value: int, when: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when, otherwise, value)


def program(machine: str, pid: int) -> bytes:
    """The filter for `machine` and the process `pid`; raises LookupError for a machine without a table.

    Threads may be made but no processes: clone needs CLONE_THREAD, and clone3, whose flags a filter cannot see, is
    answered as unknown so that the C library falls back to clone. A signal can be sent to ourselves only (abort).
    """
    column, audit = _ARCHITECTURES[machine]
    refuse = _instruction(_RETURN, _ERRNO | _EPERM)
    allow = _instruction(_RETURN, _ALLOW)
    code = [_instruction(_LOAD, _ARCH), _instruction(_JEQ, audit, 1, 0), refuse, _instruction(_LOAD, _NR)]
    for numbers in _CALLS.values():
        if (number := numbers[column]) is not None:
            code += [_instruction(_JEQ, number, 0, 1), allow]
    code += [_instruction(_JEQ, _CLONE3, 0, 1), _instruction(_RETURN, _ERRNO | _ENOSYS)]
    code += [_instruction(_JEQ, _TGKILL[column], 0, 4), _instruction(_LOAD, _ARG0)]
    code += [_instruction(_JEQ, pid, 0, 1), allow, refuse]
    code += [_instruction(_JEQ, _CLONE[column], 0, 3), _instruction(_LOAD, _ARG0)]
    code += [_instruction(_JSET, _CLONE_THREAD, 0, 1), allow, refuse]
    return b"".join(code)


def lock() -> str:
    """Installs the filter for this thread and those it starts later, for good; says how many calls are left.

    Raises OSError or LookupError where it cannot. Needs no_new_privs to be set.
    """
    code = program(platform.machine(), os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER_MODE), ctypes.byref(filter_), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
    return f"on ({len(_CALLS) + 2} system calls)"
