#!/usr/bin/env bash
# Makes .venv from the hash-pinned requirements. Idempotent; needs Python >= 3.11 with venv and pip.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 4; }
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
# Compiled once, here: the sandbox's children may not write, and would compile their imports at every start.
.venv/bin/uv pip install -q --compile-bytecode --python .venv/bin/python --require-hashes -r requirements/runtime.txt -r requirements/dev.txt
.venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
# libp2p brings trio-typing, whose stubs are older than trio's own types and would hide them from mypy.
rm -rf .venv/lib/python*/site-packages/trio-stubs
