"""The compiling child: one inspected module on stdin, native code on stdout, in a jail with a clock on its CPU time."""

import os
import resource
import sys
import time

from wasm_runtime import engine, frames, jail, limits
from wasm_runtime.orphan import die_with_parent

NICENESS = 5


def main() -> None:
    """Takes CPU seconds and address space as arguments; says hello, answers one Compile and leaves."""
    import wasmtime

    cpu_seconds, address_space = map(int, sys.argv[1:])
    # Auctions and jobs come first.
    os.nice(NICENESS)
    layers = jail.enter(
        {
            resource.RLIMIT_CPU: cpu_seconds + int(time.process_time()) + 1,
            resource.RLIMIT_AS: address_space,
        }
    )
    die_with_parent(sys.stdin.fileno())
    with open(0, "rb", closefd=False) as source:
        machine = engine.new_engine()
        frames.write_frame(1, frames.Hello(limits.engine_id(), layers))
        order = frames.read_frame(source)
        if not isinstance(order, frames.Compile):
            os._exit(2)
        try:
            native, error = memoryview(wasmtime.Module(machine, order.wasm).serialize()), ""
        except wasmtime.WasmtimeError as refusal:
            native, error = memoryview(b""), str(refusal)
        frames.write_frame(1, frames.Compiled(native, error[:4096]))
    os._exit(0)


if __name__ == "__main__":
    main()
