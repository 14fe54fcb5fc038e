"""Measures what it gains to cut windows where many rows are: a day with a sale in one of its hours, and an even day.

    python tests/benchmarks/uneven_windows.py [--orders 10000] [--latency-ms 150] [--repeat 3]

In one run, alternating: eight equal windows, against the windows that the engine chooses. Both give the same rows. Prints
seconds, requests and the ratio, without a rate limit and under limits of 50 and 10 requests a second.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.extraction import ShopOnEmulator, a_day_with_a_sale, ids

RATES = (1_000_000.0, 50.0, 10.0)


def measure(shop: ShopOnEmulator, start: int, end: int, rate: float, windows: int | None) -> dict[str, float]:
    """Extract the day by create_time, as a backfill does."""
    with tempfile.TemporaryDirectory() as folder:
        client = ShopOnEmulator(shop.emulator, requests_per_second=rate).client()
        began = time.perf_counter()
        manifest = shop.extract(
            folder, start, end, client=client, windows=windows, cursor_field="create_time", settle=0
        )
        seconds = time.perf_counter() - began
        return {
            "seconds": seconds,
            "requests": manifest.requests,
            "files": len(manifest.files),
            "rows": manifest.rows,
            "ids": hash(tuple(ids(manifest))),
        }


def main() -> None:
    """Measure all cases and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, default=150)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}; {options.orders} orders of a day, {options.latency_ms:g} ms, median of {options.repeat}"
    )
    with EmulatorProcess(orders=8, sellers=1, rate_limit=1_000_000) as emulator:
        for in_the_sale in (0.0, 0.3, 0.6, 0.9):
            emulator.reset()
            shop = a_day_with_a_sale(emulator, options.orders, in_the_sale)
            start, end = shop.start, shop.end
            measure(shop, start, end, RATES[0], 8)  # fills the emulator's caches
            emulator.settings(latency_ms=options.latency_ms)
            for rate in RATES:
                runs: dict[int | None, list[dict[str, float]]] = {8: [], None: []}
                for _ in range(options.repeat):
                    for windows, found in runs.items():
                        found.append(measure(shop, start, end, rate, windows))
                if len({(run["rows"], run["ids"]) for found in runs.values() for run in found}) != 1:
                    sys.exit("the outputs do not hold the same rows")
                report(in_the_sale, rate, runs)
            emulator.settings(latency_ms=0)


def report(in_the_sale: float, rate: float, runs: dict[int | None, list[dict[str, float]]]) -> None:
    """Print one line."""
    (equal, requests, files), (chosen, more, other) = (
        tuple(statistics.median(run[name] for run in found) for name in ("seconds", "requests", "files"))
        for found in runs.values()
    )
    limit = f"{rate:g}/s" if rate < 1e6 else "none"
    print(
        f"{in_the_sale:>4.0%} in one hour, limit {limit:>5}: equal {equal:6.2f} s {requests:4.0f} requests {files:3.0f} files"
        f" | chosen {chosen:6.2f} s {more:4.0f} requests {other:3.0f} files | {equal / chosen:.2f} times as fast",
        flush=True,
    )


if __name__ == "__main__":
    main()
