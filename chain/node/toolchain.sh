#!/usr/bin/env bash
# What the native node is built with, beside cargo: protoc, out of pinned Debian packages unless there is one.
#
#   chain/node/toolchain.sh DEST     exit 0: DEST/env.sh says how to use it
#                                    exit 3: something is missing; a sentence says what and how to get it
#
# The packages are unpacked, not installed, and need no root. Put them into DEST/debs beforehand to work offline.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
PINS=$HERE/toolchain.sha256 # "sha256  package_version_arch.deb", as apt names the files

missing() {
  echo "chain/node: $1" >&2
  exit 3
}

command -v cargo > /dev/null || missing "no cargo; install Rust (rustup), 1.95 or newer"
command -v cc > /dev/null || missing "no C compiler; install gcc (Debian: build-essential)"

mkdir -p "${1:?usage: chain/node/toolchain.sh DEST}/debs"
DEST=$(cd "$1" && pwd)
exec 9> "$DEST/lock"
flock 9 # two builds at once would unpack over each other

if [ -n "${PROTOC:-}" ] || PROTOC=$(command -v protoc); then
  "$PROTOC" --version > /dev/null 2>&1 || missing "PROTOC=$PROTOC does not run"
  echo "export PROTOC=\"$PROTOC\"" > "$DEST/env.sh"
  exit 0
fi

PIN_HASH=$(sha256sum "$PINS" "$HERE/toolchain.sh" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$DEST/ready" 2> /dev/null)" = "$PIN_HASH" ]; then exit 0; fi

gone() {
  missing "$1
Install protobuf-compiler (3.12 or newer), or set PROTOC to a protoc, or copy the packages of
chain/node/toolchain.sha256 into $DEST/debs."
}

fetch() { # FILE: the version is in the name
  local file=$1 rest
  rest=${file#*_}
  apt-get download -qq "${file%%_*}=${rest%_*}" > /dev/null 2>> "$DEST/apt.log"
}

cd "$DEST/debs"
: > "$DEST/apt.log"
while read -r sum file; do
  if [ ! -f "$file" ]; then
    command -v apt-get > /dev/null || gone "no protoc, and no apt-get to fetch $file"
    if ! fetch "$file"; then
      # an image without package lists knows no package at all
      apt-get update -qq > /dev/null 2>> "$DEST/apt.log" || true
      fetch "$file" || gone "no protoc, and the Debian archive has no $file any more (see $DEST/apt.log)"
    fi
    [ -f "$file" ] || gone "apt-get did not bring $file"
  fi
  echo "$sum  $file" | sha256sum --check --quiet --status || gone "$file does not have the pinned sha256"
done < "$PINS"

rm -rf "$DEST/root" "$DEST/ready"
cut -c67- "$PINS" | while read -r file; do dpkg -x "$file" "$DEST/root"; done
USR=$DEST/root/usr
cat > "$DEST/protoc" << EOF
#!/bin/sh
export LD_LIBRARY_PATH="$USR/lib/x86_64-linux-gnu\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$USR/bin/protoc" "\$@"
EOF
chmod +x "$DEST/protoc"
"$DEST/protoc" --version > /dev/null || gone "the unpacked protoc does not run here"
cat > "$DEST/env.sh" << EOF
export PROTOC="$DEST/protoc"
export PROTOC_INCLUDE="$USR/include"
EOF
echo "$PIN_HASH" > "$DEST/ready"
