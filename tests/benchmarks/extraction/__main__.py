"""Measures extraction side by side with other tools, against one emulator, and holds this engine to what it must reach.

    make bench BENCH=tests/benchmarks/extraction
    python tests/benchmarks/extraction [--quick] [--scenario no-latency --scenario killed ...] [--repeat 3]

The environment is that of the dependency group ``bench`` (``make venv-bench``). Exits with 1 if an output does not hold the
rows that it has to; a limit of speed, memory or cost that was missed is reported at the end.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

# Run as a folder, Python puts the folder itself first: its modules would hide others of the same name.
sys.path[0] = str(Path(__file__).resolve().parents[3])


def main() -> int:
    from tests.benchmarks.extraction.report import Options, Report
    from tests.benchmarks.extraction.scenarios import SCENARIOS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the orders, each contender once")
    parser.add_argument("--scenario", action="append", choices=list(SCENARIOS), help="only this one; may be repeated")
    parser.add_argument("--repeat", type=int, help="runs of each contender, by default 3")
    options = parser.parse_args()
    report = Report()
    one, five, _ = os.getloadavg()
    print(f"{platform.platform()}, {os.cpu_count()} processors, load {one:.1f} (last five minutes {five:.1f})")
    for name in options.scenario or SCENARIOS:
        SCENARIOS[name](report, Options(repeat=options.repeat or (1 if options.quick else 3), quick=options.quick))
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
