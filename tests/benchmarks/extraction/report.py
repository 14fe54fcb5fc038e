"""Prints what was measured beside what has to be reached, and remembers what was missed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.benchmarks.extraction.scene import Run

__all__ = ["Options", "Report", "median"]


@dataclass(frozen=True, slots=True)
class Options:
    """How much is done.

    :param orders: orders of a shop, unless a scenario is about another number.
    :param repeat: runs of each contender.
    :param quick: a tenth of the orders, each contender once: enough to see that everything works, not how fast.
    """

    orders: int = 50_000
    repeat: int = 3
    quick: bool = False

    def some(self, orders: int) -> int:
        """Return how many orders to use where a full run uses so many."""
        return orders // 10 if self.quick else orders


@dataclass(slots=True)
class Report:
    """What came out so far.

    :param wrong: rows that are missing, doubled or different: what must never be.
    :param missed: limits of speed, memory or cost that were not reached.
    """

    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    _scenario: str = ""

    def begin(self, title: str) -> None:
        """Begin a scenario."""
        self._scenario = title
        print(f"\n== {title}", flush=True)

    def note(self, text: str) -> None:
        """Print something that has no limit."""
        print(f"   {text}", flush=True)

    def table(self, runs: Mapping[str, list[Run]]) -> None:
        """Print contenders side by side, as medians."""
        print(
            f"   {'':<24}{'rows/s':>9}{'seconds':>9}{'spread':>8}{'CPU µs/row':>12}{'imports MB':>12}{'peak MB':>9}{'requests':>10}"
        )
        for label, of in runs.items():
            seconds = [run.seconds for run in of]
            print(
                f"   {label:<24}{median(of, 'rate'):>9,.0f}{statistics.median(seconds):>9.2f}"
                f"{(max(seconds) - min(seconds)) / statistics.median(seconds):>8.0%}"
                f"{statistics.median(run.cpu / run.rows * 1e6 for run in of):>12.0f}"
                f"{median(of, 'base_mb'):>12.1f}{median(of, 'peak_mb'):>9.1f}"
                f"{statistics.median(sum(run.requests.values()) for run in of):>10.0f}",
                flush=True,
            )

    def limit(
        self, what: str, measured: float, limit: float, kind: Literal["least", "most"], form: str = ".2f"
    ) -> None:
        """Hold a figure against its limit."""
        reached = measured >= limit if kind == "least" else measured <= limit
        sign = {"least": ">=", "most": "<="}[kind]
        line = f"{what}: {measured:{form}}, must be {sign} {limit:{form}}"
        print(f"   {'ok    ' if reached else 'MISSED'} {line}", flush=True)
        if not reached:
            self.missed.append(f"{self._scenario}: {line}")

    def must(self, what: str, holds: bool) -> None:
        """State something about the rows that has to hold."""
        print(f"   {'ok    ' if holds else 'WRONG '} {what}", flush=True)
        if not holds:
            self.wrong.append(f"{self._scenario}: {what}")

    def close(self) -> int:
        """Print the summary; return the exit code: 1 if rows were wrong."""
        print()
        if self.versions:
            print(", ".join(f"{name} {version}" for name, version in sorted(self.versions.items(), key=str)))
        for line in self.wrong:
            print(f"WRONG   {line}")
        for line in self.missed:
            print(f"MISSED  {line}")
        if not self.wrong:
            print(f"every row was there once; {len(self.missed) or 'no'} limits missed")
        return 1 if self.wrong else 0


def median(runs: Iterable[Run], name: str) -> float:
    """Return the median of one figure."""
    return statistics.median(getattr(run, name) for run in runs)
