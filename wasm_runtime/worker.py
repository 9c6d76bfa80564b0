"""The running child: loads compiled modules and runs one job after another, in a jail, until its stdin closes."""

import gc
import os
import resource
import sys

from wasm_runtime import frames, jail, limits
from wasm_runtime.guest import Runner
from wasm_runtime.orphan import die_with_parent

DATA_BYTES = 1 << 30
"""Writable private memory of a worker: the largest guest, a frame of each kind, and the interpreter."""


def main() -> None:
    """Never returns: the interpreter's own way out would wait for threads of the engine."""
    layers = jail.enter({resource.RLIMIT_DATA: DATA_BYTES})
    runner = Runner()
    # Threads only from here on: a process with two threads cannot enter a user namespace.
    die_with_parent(sys.stdin.fileno())
    runner.start()
    gc.collect()
    gc.freeze()
    frames.write_frame(1, frames.Hello(limits.engine_id(), layers))
    with open(0, "rb", closefd=False) as source:
        while (order := frames.read_frame(source)) is not None:
            match order:
                case frames.Load(sha256=sha256, native=native):
                    frames.write_frame(1, frames.Loaded(runner.load(sha256, native)))
                case frames.Run():
                    frames.write_frame(1, runner.run(order))
                case _:
                    os._exit(2)
    os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except (OSError, frames.FrameBroken):
        os._exit(1)
