#!/usr/bin/env bash
# Builds an agent written in Zig: `build.sh DIRECTORY [--check]`. What each agent's own build.sh calls.
# With --check nothing is written: exit 1 when the committed module differs. Exit 3 when the compiler cannot be had.
set -euo pipefail
export LC_ALL=C
library=$(cd "$(dirname "$0")" && pwd)
agent=$(cd "$1" && pwd)
name=$(basename "$agent")
repository=$(cd "$library/../.." && pwd)
python=${PYTHON:-$repository/.venv/bin/python}
build=${BUILD_DIR:-$repository/build/agents}
compiler=$build/zig-0.17.0
mkdir -p "$build"
if [ ! -e "$compiler/.ready" ]; then
    "$python" -m venv --clear "$compiler"
    "$compiler/bin/python" -m pip install -q --disable-pip-version-check --require-hashes \
        -r "$library/build-requirements.txt" || { echo "ziglang cannot be installed" >&2; exit 3; }
    touch "$compiler/.ready"
fi
export ZIG_GLOBAL_CACHE_DIR=$build/cache ZIG_LOCAL_CACHE_DIR=$build/cache
module=$build/$name.wasm
cd "$library/.."
# Safe: a failed check is a refusal with a message instead of a wrong answer. Relative paths: the same bytes anywhere.
"$compiler/bin/python" -m ziglang build-exe -target wasm32-freestanding -O ReleaseSafe -fstrip -fno-entry \
    --export=_start --stack 262144 --max-memory=67108864 -femit-bin="$module" \
    --dep agent -Mroot="$name/src/main.zig" -Magent=zig/agent.zig
if [ "${2:-}" = --check ]; then
    cmp "$module" "$agent/$name.wasm" && echo "$name.wasm is what its sources say"
    exit
fi
install -m 644 "$module" "$agent/$name.wasm"
[ -e "$agent/manifest.in.json" ] && "$python" seal.py "$agent"
