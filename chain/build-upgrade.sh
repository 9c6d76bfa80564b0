#!/usr/bin/env bash
# Build a runtime that upgrades the present one: the same sources with `spec_version` one higher and one migration
# that leaves a mark. For tests and `ainur demo upgrade`; never committed, never released.
#
#   chain/build-upgrade.sh OUT.wasm
#
# The environment of build-wasm.sh is honoured; AINUR_WASM_TARGET defaults to a directory of its own beside that one.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
OUT=$(realpath -m "${1:?usage: chain/build-upgrade.sh OUT.wasm}")
# one place, always: the path is an input of every crate's fingerprint
WORK=$HERE/target/upgrade-src
rm -rf "$WORK"
mkdir -p "$WORK/chain" "$WORK/chain_host/runtime"
tar -C "$HERE" --exclude=./target -cf - . | tar -C "$WORK/chain" -xf -
python3 - "$WORK/chain/runtime/src" << 'PATCH'
import pathlib
import re
import sys

src = pathlib.Path(sys.argv[1])


def change(name, pattern, new):
    path = src / name
    text, count = re.subn(pattern, new, path.read_text(), count=1)
    if count != 1:
        sys.exit(f"build-upgrade.sh: {name} has no {pattern!r} any more")
    path.write_text(text)


change("lib.rs", r"spec_version: (\d+),", lambda found: f"spec_version: {int(found[1]) + 1},")
change("lib.rs", r"pub mod genesis;\n", "pub mod genesis;\npub mod trial;\n")
configs = (src / "configs.rs").read_text()
system = configs[configs.index("impl frame_system::Config for Runtime {") :]
system = system[: system.index("\n}")]
if "SingleBlockMigrations" in system:
    change("configs.rs", r"type SingleBlockMigrations = ([^;]+);", r"type SingleBlockMigrations = (\1, crate::trial::TrialMigration);")
else:
    change(
        "configs.rs",
        r"impl frame_system::Config for Runtime \{\n",
        "impl frame_system::Config for Runtime {\n\ttype SingleBlockMigrations = crate::trial::TrialMigration;\n",
    )
(src / "trial.rs").write_text('''//! A migration that leaves a mark.

use frame_support::{storage::unhashed, traits::OnRuntimeUpgrade, weights::Weight};

/// Counts its runs under the key `:ainur:trial_migration`, as a little-endian u32.
pub struct TrialMigration;

impl OnRuntimeUpgrade for TrialMigration {
	fn on_runtime_upgrade() -> Weight {
		let key = b":ainur:trial_migration";
		let runs: u32 = unhashed::get_or_default(key);
		unhashed::put(key, &runs.saturating_add(1));
		Weight::from_parts(50_000_000, 0)
	}
}
''')
PATCH

export AINUR_WASM_TARGET=${AINUR_WASM_TARGET:-$HERE/target/upgrade}
"$WORK/chain/build-wasm.sh" --update > "$WORK/log" 2>&1 || { tail -30 "$WORK/log" >&2; exit 1; }
mkdir -p "$(dirname "$OUT")"
cp "$AINUR_WASM_TARGET/ainur_runtime.wasm" "$OUT"
echo "$OUT"
