"""The service allows only so many requests a second for a shop and an endpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.benchmarks.extraction.contenders import CONTENDERS
from tests.benchmarks.extraction.scene import Scene, scratch

if TYPE_CHECKING:
    from collections import Counter

    from tests.benchmarks.extraction.report import Options, Report

__all__ = ["dropped", "paced"]

_LIMIT, _LOWERED = 50, 10
# The emulator forgives one second's worth of haste: a bucket that is full at the start.
_LAST_SECONDS = 10.0


def paced(report: Report, options: Options) -> None:
    """The limit is known and stays."""
    orders = options.some(50_000)
    report.begin(f"limit {_LIMIT} requests/s, {orders:,} orders, median of {options.repeat}")
    with Scene(orders, rate_limit=_LIMIT) as scene:
        engine = CONTENDERS["this engine"]
        runs = [scene.run(engine, requests_per_second=_LIMIT) for _ in range(options.repeat)]
        report.table({engine.label: runs})
        report.must("every row is there once", scene.all_there(runs))
    shares = sorted(run.requests["0"] / run.seconds / _LIMIT for run in runs)
    report.limit("requests/s of the ceiling", shares[len(shares) // 2], 0.95, "least", ".1%")
    report.limit("requests refused", max(_refused(run.requests) for run in runs), 0, "most", ".0f")


def dropped(report: Report, options: Options) -> None:
    """The limit falls to a fifth in the middle of a run, without notice."""
    orders = options.some(50_000)
    report.begin(f"limit dropped from {_LIMIT} to {_LOWERED} requests/s in mid-run, {orders:,} orders")
    with Scene(orders, rate_limit=_LIMIT) as scene, scratch() as folder:
        before = scene.answered()
        process = scene.begin(CONTENDERS["this engine"], folder, requests_per_second=_LIMIT)
        scene.wait(process, lambda: (scene.answered() - before)["0"] >= orders // 100 * 0.4)
        scene.emulator.settings(rate_limit=_LOWERED)
        seen: list[tuple[float, Counter[str]]] = []

        def over() -> bool:
            seen.append((time.monotonic(), scene.answered() - before))
            return process.poll() is not None

        scene.wait(process, over, every=0.25)
        run = scene.finish(process, before)
        report.must("nothing is lost: every row is there once", scene.all_there([run]))
    # Once everything is read the process still commits, and reads back what it has written.
    reading = [look for look in seen if look[1]["0"] < seen[-1][1]["0"]]
    (began, at_first), (ended, at_last) = reading[0], reading[-1]
    start, first = next((moment, counts) for moment, counts in reading if moment >= ended - _LAST_SECONDS)
    late = (at_last["0"] - first["0"]) / (ended - start)
    last_refusal = max((moment for moment, counts in seen if _refused(counts) < _refused(at_last)), default=began)
    refused = _refused(run.requests) / sum(run.requests.values())
    report.note(
        f"{at_last['0'] - at_first['0']} requests in {ended - began:.1f} s after the drop; "
        f"the last refusal came within {last_refusal - began:.1f} s of it; {late:.1f} requests/s in the last {ended - start:.0f} s"
    )
    # The limiter, and not a stopwatch that looks four times a second, tells whether the pace is under the limit.
    report.limit(
        f"requests refused in the last {ended - start:.0f} s", _refused(at_last) - _refused(first), 0, "most", ".0f"
    )
    report.limit("requests refused, of all", refused, 0.01, "most", ".2%")


def _refused(requests: dict[str, int] | Counter[str]) -> int:
    return sum(count for code, count in requests.items() if code in {"36009002", "429"})
