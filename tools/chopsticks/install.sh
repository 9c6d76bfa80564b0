#!/usr/bin/env bash
# Chopsticks, an independent executor of Substrate runtimes, for `make agree`; a test tool, never part of a node.
#
#   tools/chopsticks/install.sh            install it into the user's cache unless it is there; prints the directory
#   tools/chopsticks/install.sh --where    print that directory; exit 3 when it is not installed
#
# package-lock.json pins every package by its hash and names no host: npm asks the registry it is configured for.
# No script of a package runs: what one of them would compile (sqlite3) is only for keeping blocks between two runs.
# exit 3: no node (20 or newer) or no npm.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
KEY=$(cat "$HERE/package.json" "$HERE/package-lock.json" | sha256sum | cut -c1-16)
DEST=${AINUR_CHOPSTICKS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ainur/chopsticks}/$KEY

case "${1:-}" in
  "") ;;
  --where)
    [ -f "$DEST/ready" ] || { echo "chopsticks is not installed; run: make chopsticks" >&2; exit 3; }
    echo "$DEST"
    exit 0
    ;;
  *) echo "usage: tools/chopsticks/install.sh [--where]" >&2; exit 2 ;;
esac

if [ ! -f "$DEST/ready" ]; then
  command -v npm > /dev/null || { echo "tools/chopsticks: no npm; install Node.js 20 or newer" >&2; exit 3; }
  major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
  [ "$major" -ge 20 ] || { echo "tools/chopsticks: Node.js $major is too old; install 20 or newer" >&2; exit 3; }
  mkdir -p "$DEST"
  cp "$HERE/package.json" "$HERE/package-lock.json" "$DEST/"
  (cd "$DEST" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2
  touch "$DEST/ready"
fi
echo "$DEST"
