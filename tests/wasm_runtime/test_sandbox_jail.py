"""Each layer of the jail, where it holds, and the honest report where the machine forbids it."""

import ctypes
import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import trio
from sandbox_modules import ECHO, execute

from wasm_runtime import seccomp
from wasm_runtime.pool import Pool, Settings, open_pool

LAYERS = ("namespaces", "capabilities", "no_new_privs", "rlimits", "landlock", "seccomp")

# Runs in a process of its own: a jail cannot be left. `before` prepares the machine's mood.
TRIAL = """
import ctypes, errno, json, os, resource, signal, socket, sys
from wasm_runtime import jail
libc = ctypes.CDLL(None, use_errno=True)
{before}
layers = jail.enter({{resource.RLIMIT_DATA: 1 << 30}})

def attempt(act):
    try:
        act()
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]

def call(number, *arguments):
    if libc.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), "")

facts = {{
    "open": attempt(lambda: open("/etc/passwd").close()),
    "write": attempt(lambda: open("/tmp/jail-test", "w").close()),
    "list": attempt(lambda: os.listdir("/")),
    "socket": attempt(lambda: socket.socket().close()),
    "fork": attempt(os.fork),
    "exec": attempt(lambda: os.execv("/bin/true", ["true"])),
    "kill parent": attempt(lambda: os.kill(os.getppid(), 0)),
    "unshare": attempt(lambda: call(272, 0x10000000)),
    "ptrace": attempt(lambda: call(101, 0, 0, 0, 0)),
    "memory": attempt(lambda: None),
}}
sys.stdout.write(json.dumps([layers, facts]))
sys.stdout.flush()
os._exit(0)
"""

DOCKER_LIKE = """
import struct
RULES = (0x20, 0, 0, 0), (0x15, 0, 1, 272), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)
code = b"".join(struct.pack("=HBBI", *i) for i in RULES)
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))
buffer = ctypes.create_string_buffer(code, len(code))
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, ctypes.c_ulong(2), ctypes.byref(Program(4, ctypes.cast(buffer, ctypes.c_void_p))), 0, 0) == 0
"""
"""What container runtimes do by default: unshare is refused."""

UNPRIVILEGED = """
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""

linux_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls are those of x86-64")


def trial(before: str) -> tuple[dict[str, str], dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-c", TRIAL.format(before=before)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    layers, facts = json.loads(done.stdout)
    return layers, facts


def lacks(layers: dict[str, str], *names: str) -> bool:
    return any(not layers[name].startswith("on") for name in names)


async def test_every_worker_reports_its_layers(pool: Pool) -> None:
    layers = pool.statistics().crew.layers

    assert tuple(layers) == LAYERS
    assert all(text.startswith(("on", "off: ")) for text in layers.values())
    # These need nothing of the machine but Linux.
    assert layers["no_new_privs"] == layers["rlimits"] == layers["capabilities"] == "on"


@linux_x86
@pytest.mark.parametrize("before", ["", UNPRIVILEGED], ids=["as we are", "unprivileged"])
def test_a_jailed_process_can_do_nothing(before: str) -> None:
    layers, facts = trial(before)
    if lacks(layers, "landlock", "seccomp"):
        pytest.skip(f"this kernel lacks a layer: {layers}")

    assert facts.pop("memory") == "done"
    assert set(facts.values()) <= {"EPERM", "EACCES"}, facts


@linux_x86
@pytest.mark.parametrize("before", [DOCKER_LIKE, UNPRIVILEGED + DOCKER_LIKE], ids=["root", "unprivileged"])
def test_without_namespaces_the_other_layers_hold_and_the_report_says_so(before: str) -> None:
    layers, facts = trial(before)

    assert layers["namespaces"].startswith("off: ")
    if not lacks(layers, "landlock", "seccomp"):
        assert facts["open"] in ("EPERM", "EACCES")
        assert facts["socket"] == "EPERM"


@linux_x86
async def test_the_whole_pool_works_where_namespaces_are_forbidden(settings: Settings) -> None:
    code = f"""
import ctypes, json, os, sys, trio
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
libc = ctypes.CDLL(None, use_errno=True)
{DOCKER_LIKE}
from sandbox_modules import ECHO, execute
from wasm_runtime.pool import Settings, open_pool

async def main():
    async with open_pool(Settings(Path(sys.argv[1]), Path(sys.argv[2]), workers=1, spares=0)) as pool:
        done = await execute(pool, ECHO, input=b"still here")
        print(json.dumps([done.output.decode(), dict(pool.statistics().crew.layers)]))

trio.run(main)
"""
    command = [sys.executable, "-c", code, str(settings.cache_dir), str(settings.key_file)]
    done = await trio.run_process(command, capture_stdout=True)

    output, layers = json.loads(done.stdout)
    assert output == "still here"
    assert layers["namespaces"].startswith("off: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="as an unprivileged user the whole suite shows this")
async def test_the_whole_pool_works_for_an_unprivileged_user(settings: Settings) -> None:
    # In a user namespace without capabilities: what an ordinary account may do, no more.
    code = f"""
import json, os, sys, trio
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from sandbox_modules import ECHO, execute
from wasm_runtime.pool import Settings, open_pool

async def main():
    async with open_pool(Settings(Path(sys.argv[1]), Path(sys.argv[2]), workers=1, spares=0)) as pool:
        done = await execute(pool, ECHO, input=b"as a user")
        print(json.dumps([done.output.decode(), os.geteuid(), dict(pool.statistics().crew.layers)]))

trio.run(main)
"""
    command = ["unshare", "-U", "--map-user=1000", "--map-group=1000", sys.executable, "-c", code]
    done = await trio.run_process(
        [*command, str(settings.cache_dir), str(settings.key_file)],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    if b"unshare failed" in done.stderr:
        pytest.skip("user namespaces are forbidden here")

    output, uid, layers = json.loads(done.stdout)
    assert (output, uid) == ("as a user", 1000)
    assert layers["no_new_privs"] == "on"


async def test_a_pool_of_several_workers_is_jailed_alike(settings: Settings) -> None:
    async with open_pool(replace(settings, workers=2)) as pool:
        assert (await execute(pool, ECHO)).output == b"hello"
        assert tuple(pool.statistics().crew.layers) == LAYERS


def test_the_filter_is_a_sound_program() -> None:
    for machine in ("x86_64", "aarch64"):
        code = seccomp.program(machine, 4242)
        assert len(code) % 8 == 0
        count = len(code) // 8
        assert count < 4096
        for index in range(count):
            operation = int.from_bytes(code[8 * index : 8 * index + 2], "little")
            if operation in (0x15, 0x45):
                # No jump leaves the program, and the last instruction is a return.
                assert index + 1 + max(code[8 * index + 2], code[8 * index + 3]) < count
        assert int.from_bytes(code[-8:-6], "little") == 0x06
    with pytest.raises(KeyError):
        seccomp.program("riscv64", 1)


def test_a_worker_is_not_traceable_by_its_user() -> None:
    layers, _ = trial("")

    assert layers["no_new_privs"] == "on"
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 1  # ours still is: the jail was the other process's
