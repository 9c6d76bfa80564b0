"""A node process whose wall clock is off: ``python shifted_node.py --home HOME``; the name of the home says how."""

import sys
import time
from pathlib import Path

HOUR = 3600
OFF = {"n1": HOUR, "n2": -HOUR, "submitter": -HOUR, "observer": HOUR}


def main() -> int:
    """Put the clock wrong before anything of the node is imported, then be that node."""
    name = Path(sys.argv[sys.argv.index("--home") + 1]).name
    seconds, true, true_ns = OFF.get(name, 0), time.time, time.time_ns
    time.time = lambda: true() + seconds
    time.time_ns = lambda: true_ns() + seconds * 10**9

    from ainur_node import node

    return node.main()


if __name__ == "__main__":
    sys.exit(main())
