"""Every intent exactly once, over many kills and cuts: `python -m tests.ledger.once_run --rounds 200`."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from ainur_node.storage.embedded import EmbeddedPostgres
from tests.ledger.once_rounds import run_rounds


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> int:
    """Exit 0 when every intent is on chain exactly once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000)
    args = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="ainur-once-"))
    try:
        with EmbeddedPostgres(home / "data", home / "run") as server:
            found = run_rounds(home, server.create_database("once"), args.rounds, args.seed, _tell)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if found["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
