#!/usr/bin/env bash
# Build the native node once per state of its inputs.
#
#   chain/node/build.sh            build it unless it is there; the last line of stdout is the path of the binary
#   chain/node/build.sh --where    print that path; exit 3 when it is not built
#
# The binary lies in a directory of the user's cache whose name is the hash of everything it is made of; crates that
# are built stay beside it, so that a change of the node itself costs a minute.
#   AINUR_NODE_CACHE   another cache directory
#   AINUR_NODE_JOBS    crates compiled at once (default: as many as there are cores)
# exit 3: something to build with is missing. A first build takes 15 to 40 minutes and 3 GB of disk.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${AINUR_NODE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ainur/chain-node}

inputs() {
  cd "$HERE"
  uname -sm
  rustc -V 2> /dev/null || true
  echo "opt ${CARGO_PROFILE_RELEASE_OPT_LEVEL:-}"
  find src Cargo.toml Cargo.lock toolchain.sha256 -type f -print | LC_ALL=C sort | xargs sha256sum
}
KEY=$(inputs | sha256sum | cut -c1-16)
NODE=$CACHE/$KEY/ainur-chain-node

case "${1:-}" in
  "") ;;
  --where)
    [ -x "$NODE" ] || { echo "the native node is not built for this state of chain/node; run: make chain-node" >&2; exit 3; }
    echo "$NODE"
    exit 0
    ;;
  *) echo "usage: chain/node/build.sh [--where]" >&2; exit 2 ;;
esac

if [ -x "$NODE" ]; then
  echo "$NODE"
  exit 0
fi
mkdir -p "$CACHE"
"$HERE/toolchain.sh" "$CACHE/protoc"
. "$CACHE/protoc/env.sh"
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS
cd "$HERE"
exec 8> "$CACHE/lock"
flock -n 8 || { echo "another build of the native node is under way; waiting for it" >&2; flock 8; }
if [ -x "$NODE" ]; then # it was ours
  echo "$NODE"
  exit 0
fi
total=$(grep -c '^name = ' Cargo.lock)
started=$SECONDS
echo "building the native node: up to $total crates, the first time 15 to 40 minutes; log: $CACHE/build.log" >&2
# one line per fifty crates: a build without a sign of life looks hung
if ! cargo build --release --locked --target-dir "$CACHE/target" ${AINUR_NODE_JOBS:+-j "$AINUR_NODE_JOBS"} 2>&1 \
  | tee "$CACHE/build.log" \
  | awk -v total="$total" '/Compiling/ { if (++n % 50 == 0) { print n " crates compiled"; fflush() } } /^error/ { print; fflush() }' >&2; then
  tail -n 40 "$CACHE/build.log" >&2
  exit 1
fi
mkdir -p "$CACHE/$KEY"
cp "$CACHE/target/release/ainur-chain-node" "$NODE.new"
mv "$NODE.new" "$NODE"
echo "built in $((SECONDS - started)) s" >&2
echo "$NODE"
