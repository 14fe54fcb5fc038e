"""All contenders side by side, as fast as they can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.extraction.contenders import CONTENDERS
from tests.benchmarks.extraction.report import Options, Report, median
from tests.benchmarks.extraction.scene import Scene

if TYPE_CHECKING:
    from tests.benchmarks.extraction.scene import Run

__all__ = ["latency", "no_latency"]


def no_latency(report: Report, options: Options) -> None:
    """The processor is the limit: what an extraction costs."""
    orders = options.some(50_000)
    report.begin(f"no latency, {orders:,} orders, median of {options.repeat}")
    runs = _run(report, options, orders, 0.0, list(CONTENDERS))
    one, bare = median(runs["this engine, 1 window"], "rate"), median(runs["bare loop"], "rate")
    engine = median(runs["this engine"], "rate")
    report.limit("this engine, 1 window / bare loop", one / bare, 0.85, "least")
    report.limit("this engine / bare loop", engine / bare, 0.85, "least")
    report.limit("this engine / dlt", engine / median(runs["dlt"], "rate"), 4, "least")
    _also(report, runs, engine)
    report.limit("peak memory of this engine, MB", median(runs["this engine"], "peak_mb"), 80, "most", ".1f")


def latency(report: Report, options: Options) -> None:
    """The way to the service is the limit: what reading side by side gains."""
    orders = options.some(10_000)
    report.begin(f"150 ms latency, {orders:,} orders, median of {options.repeat}")
    labels = [label for label in CONTENDERS if label != "this engine, 1 window"]
    runs = _run(report, options, orders, 150.0, labels)
    engine = median(runs["this engine"], "rate")
    report.limit(
        "this engine / bare loop, 8 threads", engine / median(runs["bare loop, 8 threads"], "rate"), 0.95, "least"
    )
    report.limit("this engine / dlt, parallelized", engine / median(runs["dlt, parallelized"], "rate"), 2, "least")
    _also(report, runs, engine)


def _run(report: Report, options: Options, orders: int, latency_ms: float, labels: list[str]) -> dict[str, list[Run]]:
    with Scene(orders, latency_ms=latency_ms) as scene:
        runs = scene.side_by_side([CONTENDERS[label] for label in labels], options.repeat)
        same = {label: scene.all_there(of) for label, of in runs.items()}
        report.versions |= scene.versions
    report.table(runs)
    wrong = ", ".join(label for label, right in same.items() if not right)
    report.must(
        f"all outputs hold the same {orders:,} ids, which are the shop's{wrong and ': not ' + wrong}", not wrong
    )
    return runs


def _also(report: Report, runs: dict[str, list[Run]], engine: float) -> None:
    for label, of in runs.items():
        if not label.startswith(("this", "bare")):
            report.note(f"this engine / {label} = {engine / median(of, 'rate'):.1f}")
