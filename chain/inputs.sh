#!/usr/bin/env bash
# What the runtime blob is made of, as committed in chain_host/runtime/ainur_runtime.inputs beside it.
#
#   chain/inputs.sh           print it
#   chain/inputs.sh --check   exit 1 when the sources are not those of the committed blob
set -euo pipefail
cd "$(dirname "$0")"
COMMITTED=../chain_host/runtime/ainur_runtime.inputs

print() {
  echo "# inputs of ainur_runtime.wasm; made by chain/inputs.sh"
  echo "compiler rustc 1.96.0 with LLVM and lld 22, wasm32v1-none"
  local file
  # tests do not reach the blob; LC_ALL, because the order of names is part of the file
  for file in Cargo.lock Cargo.toml build-wasm.sh pack_wasm.py toolchain.sh toolchain.sha256 \
    $(find auction-math primitives pallets runtime runtime-wasm -path '*/tests/*' -prune -o \( -name '*.rs' -o -name Cargo.toml \) -print | LC_ALL=C sort); do
    sha256sum "$file"
  done
}

case "${1:-}" in
  "") print ;;
  --check)
    if ! diff <(print) "$COMMITTED"; then
      echo "chain/ changed since the blob was built; run chain/build-wasm.sh --update" >&2
      exit 1
    fi
    ;;
  *) echo "usage: chain/inputs.sh [--check]" >&2; exit 2 ;;
esac
