#!/usr/bin/env bash
# The one gate: format, lint, types, import rules, file sizes. Prints what failed and exits 1.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
step() { local name=$1; shift; if out=$("$@" 2>&1); then echo "ok    $name"; else echo "FAIL  $name"; echo "$out" | tail -60; failed=1; fi; }
step "ruff format" .venv/bin/ruff format --check .
step "ruff" .venv/bin/ruff check .
step "mypy --strict" .venv/bin/mypy
step "import rules" .venv/bin/lint-imports
step "file sizes" .venv/bin/python tools/sizes.py
exit $failed
