#!/usr/bin/env bash
# Build the runtime blob and compare it with the committed sha256.
#
#   chain/build-wasm.sh            exit 0: same bytes; 1: other bytes; 3: the pinned compiler is gone
#   chain/build-wasm.sh --update   take the built blob as the committed one, with the way to its next version
#   chain/build-wasm.sh --benchmarks OUT   build the blob that `make weights` measures, into the file OUT
#
# The bytes do not depend on the directory of this clone, CARGO_HOME, the toolchain or the target: every path
# that the compiler could write into the blob is mapped to a fixed prefix.
#   AINUR_TOOLCHAIN   where the compiler is or shall be (default: a cache directory of the user)
#   AINUR_WASM_TARGET where cargo builds (default: chain/target/wasm)
#   AINUR_VENDOR      offline: directory made by `cargo vendor --locked --versioned-dirs`
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
BLOB=$HERE/../chain_host/runtime/ainur_runtime.wasm
TOOLS=${AINUR_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/ainur/rust196}
TARGET=${AINUR_WASM_TARGET:-$HERE/target/wasm}
UPDATE=0
OUT=
FEATURES=()
case "${1:-}" in
  "") ;;
  --update) UPDATE=1 ;;
  --benchmarks)
    OUT=$(realpath -m "${2:?usage: chain/build-wasm.sh --benchmarks OUT}")
    FEATURES=(--features runtime-benchmarks)
    ;;
  *) echo "usage: chain/build-wasm.sh [--update | --benchmarks OUT]" >&2; exit 2 ;;
esac

"$HERE/toolchain.sh" "$TOOLS"
TOOLS=$(cd "$TOOLS" && pwd)
. "$TOOLS/env.sh"
mkdir -p "$TARGET"; TARGET=$(cd "$TARGET" && pwd)

cd "$HERE"
CONFIG=()
NEXT=$TARGET/next
MAP="--remap-path-prefix=$HERE=/chain --remap-path-prefix=$TOOLS=/rust --remap-path-prefix=$TARGET=/target --remap-path-prefix=$NEXT=/chain"
if [ -n "${AINUR_VENDOR:-}" ]; then
  VENDOR=$(cd "$AINUR_VENDOR" && pwd)
  MAP="$MAP --remap-path-prefix=$VENDOR=/crates"
  CONFIG=(--offline --config 'source.crates-io.replace-with="vendor"' --config "source.vendor.directory=\"$VENDOR\"")
else
  "$CARGO_BIN" fetch --quiet --locked # registry/src must exist for the next line
  for crates in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
    MAP="$MAP --remap-path-prefix=${crates%/}=/crates"
  done
fi
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS
# host functions are imports that the linker cannot resolve; the host brings the memory
export CARGO_TARGET_WASM32V1_NONE_RUSTFLAGS="-C link-arg=--export-table -C link-arg=--export=__heap_base -C link-arg=--import-memory -C link-arg=--allow-undefined --cfg substrate_runtime $MAP"
build() { # BLOB: of the sources in this directory
  "$CARGO_BIN" build --release --locked "${CONFIG[@]}" -p runtime-wasm "${FEATURES[@]}" --target wasm32v1-none --target-dir "$TARGET"
  python3 "$HERE/pack_wasm.py" "$TARGET/wasm32v1-none/release/runtime_wasm.wasm" "$1"
}

NEW=${OUT:-$TARGET/ainur_runtime.wasm}
build "$NEW"
for dir in "$HERE" "$TOOLS" "$TARGET" "${CARGO_HOME:-$HOME/.cargo}"; do
  # a clone at /chain looks like what it is mapped to
  if [ "$dir" != /chain ] && grep -aqF "$dir/" "$NEW"; then
    echo "the blob contains the path $dir" >&2
    exit 1
  fi
done
if [ -n "$OUT" ]; then
  echo "built $OUT"
  exit 0
fi

SUM=$(sha256sum "$NEW" | cut -d' ' -f1)
if [ "$UPDATE" = 1 ]; then
  # the same sources with the next spec_version: what a world can be upgraded to
  rm -rf "$NEXT"
  mkdir "$NEXT"
  tar --exclude=./target -cf - . | tar -xf - -C "$NEXT"
  VERSION=$(sed -n 's/^\tspec_version: \([0-9]*\),$/\1/p' runtime/src/lib.rs)
  sed -i "s/^\tspec_version: $VERSION,$/\tspec_version: $((VERSION + 1)),/" "$NEXT/runtime/src/lib.rs"
  (cd "$NEXT" && build "$TARGET/ainur_next.wasm")
  python3 "$HERE/next_delta.py" "$NEW" "$TARGET/ainur_next.wasm" "${BLOB%.wasm}.next.json"
  cp "$NEW" "$BLOB"
  echo "$SUM  ainur_runtime.wasm" > "$BLOB.sha256"
  "$HERE/inputs.sh" > "${BLOB%.wasm}.inputs"
  echo "committed blob is now $SUM; commit it with its .sha256, .inputs and .next.json"
  exit 0
fi
[ -f "$BLOB" ] || { cp "$NEW" "$BLOB"; echo "wrote chain_host/runtime/ainur_runtime.wasm"; }
WANT=$(cut -d' ' -f1 "$BLOB.sha256" 2>/dev/null || true)
if [ "$SUM" = "$WANT" ]; then
  echo "ok: $SUM, as committed"
else
  echo "DIFFERENT: built $SUM, committed ${WANT:-none}; --update takes the new one" >&2
  exit 1
fi
