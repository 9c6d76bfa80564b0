#!/usr/bin/env bash
# Builds json-query.wasm from src/ and ../zig, and writes its hash and manifest; with --check it only compares.
exec "$(dirname "$0")/../zig/build.sh" "$(dirname "$0")" "$@"
