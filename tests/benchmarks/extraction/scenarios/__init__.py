"""What is measured, one family a module. Each scenario brings its own emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.extraction.scenarios.killed import killed, killed_s3
from tests.benchmarks.extraction.scenarios.pace import dropped, paced
from tests.benchmarks.extraction.scenarios.parquet import parquet
from tests.benchmarks.extraction.scenarios.speed import latency, no_latency
from tests.benchmarks.extraction.scenarios.trouble import faults, touched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.extraction.report import Options, Report

__all__ = ["SCENARIOS"]

SCENARIOS: dict[str, Callable[[Report, Options], None]] = {
    "no-latency": no_latency,
    "latency": latency,
    "paced": paced,
    "dropped": dropped,
    "faults": faults,
    "killed": killed,
    "killed-s3": killed_s3,
    "touched": touched,
    "parquet": parquet,
}
