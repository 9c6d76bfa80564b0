"""Refuses source files of more than 400 lines: one idea each."""

import subprocess
import sys
from pathlib import Path

LIMIT = 400

names = subprocess.run(
    ["git", "ls-files", "-co", "--exclude-standard", "*.py", "*.rs", "*.sh", "*.js"],
    capture_output=True,
    text=True,
    check=True,
).stdout.split()
too_long = [(n, size) for n in names if Path(n).exists() and (size := len(Path(n).read_text().splitlines())) > LIMIT]
for name, size in too_long:
    print(f"{name}: {size} lines, at most {LIMIT}: split it along its ideas")
sys.exit(bool(too_long))
