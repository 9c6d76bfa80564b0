"""``python -m ainur_node`` and the console script ``ainur``."""

import os
import sys


def main() -> int:
    """Run one command line and return its exit code."""
    from ainur_node.cli.app import run

    return run(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())
