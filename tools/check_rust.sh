#!/usr/bin/env bash
# Format and lint of all Rust: the chain (with try-runtime, so that it compiles too) and the agents.
set -uo pipefail
cd "$(dirname "$0")/.."
command -v cargo > /dev/null || { echo "tools/check_rust.sh: no cargo; install Rust (rustup) first" >&2; exit 1; }
failed=0
step() { local name=$1; shift; if out=$("$@" 2>&1); then echo "ok    $name"; else echo "FAIL  $name"; echo "$out" | tail -60; failed=1; fi; }
step "rustfmt chain" cargo fmt --manifest-path chain/Cargo.toml --all --check
step "clippy chain" cargo clippy --manifest-path chain/Cargo.toml --locked --quiet --workspace --exclude runtime-wasm \
  --all-targets --all-features -- -D warnings
# format only: to lint the native node is to compile its 760 crates (make chain-node)
step "rustfmt chain/node" cargo fmt --manifest-path chain/node/Cargo.toml --check
for manifest in agents/*/Cargo.toml agents/*/*/Cargo.toml; do
  [ -f "$manifest" ] || continue
  step "rustfmt ${manifest%/Cargo.toml}" cargo fmt --manifest-path "$manifest" --check
  # no test target: an agent's crate is a library or program for wasm, its logic is what is linted
  step "clippy ${manifest%/Cargo.toml}" cargo clippy --manifest-path "$manifest" --quiet -- -D warnings
done
exit $failed
