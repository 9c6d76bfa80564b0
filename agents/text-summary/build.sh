#!/usr/bin/env bash
# Builds text-summary.wasm from src/ and writes its hash and manifest; the same sources give the same bytes anywhere.
# With --check nothing is written: exit 1 when the committed module differs. Exit 3 when the compiler cannot be had.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
python=${PYTHON:-$repository/.venv/bin/python}
build=${BUILD_DIR:-$repository/build/agents}
compiler=$build/zig-0.17.0
mkdir -p "$build"
if [ ! -e "$compiler/.ready" ]; then
    "$python" -m venv --clear "$compiler"
    "$compiler/bin/python" -m pip install -q --disable-pip-version-check --require-hashes \
        -r "$here/build-requirements.txt" || { echo "ziglang cannot be installed" >&2; exit 3; }
    touch "$compiler/.ready"
fi
export ZIG_GLOBAL_CACHE_DIR=$build/cache ZIG_LOCAL_CACHE_DIR=$build/cache
module=$build/text-summary.wasm
cd "$here/src"
"$compiler/bin/python" -m ziglang cc --target=wasm32-freestanding -std=c11 -O2 -flto -ffreestanding -nostdlib \
    -mbulk-memory -Wall -Wextra -Werror -Wl,--no-entry -Wl,--export-memory -Wl,--strip-all -Wl,-z,stack-size=65536 \
    -Wl,--max-memory=67108864 -o "$module" ./*.c
if [ "${1:-}" = --check ]; then
    cmp "$module" "$here/text-summary.wasm" && echo "text-summary.wasm is what its sources say"
    exit
fi
install -m 644 "$module" "$here/text-summary.wasm"
"$python" "$here/../seal.py" "$here"
