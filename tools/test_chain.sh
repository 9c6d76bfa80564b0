#!/usr/bin/env bash
# Tests of the chain: primitives, pallets on a mock runtime, the assembled runtime.
set -euo pipefail
cd "$(dirname "$0")/../chain"
command -v cargo > /dev/null || { echo "tools/test_chain.sh: no cargo; install Rust (rustup) first" >&2; exit 1; }
# a node runs the committed blob, not these sources
./inputs.sh --check > /dev/null
# the wasm library has no tests, and a second panic handler on the host
exec cargo test --locked --quiet --workspace --exclude runtime-wasm --tests "$@"
