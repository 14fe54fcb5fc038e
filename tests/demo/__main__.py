"""``python -m tests.demo [--keep] [directory]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.demo.checks import DemoFailed
from tests.demo.run import finished_demo, stay
from tests.support.airflow_stack import REPOSITORY


def main() -> int:
    """Run the demo and return the exit status."""
    arguments = argparse.ArgumentParser(prog="python -m tests.demo", description=sys.modules["tests.demo"].__doc__)
    arguments.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    arguments.add_argument("directory", type=Path, nargs="?", default=REPOSITORY / ".demo")
    given = arguments.parse_args()
    try:
        with finished_demo(given.directory.resolve()) as demo:
            if given.keep:
                stay(demo)
    except DemoFailed as failure:
        print(f"\nTHE DEMO FAILED: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
