"""Evens out windows: where rows cluster, one thread would read on while the others have nothing left to do.

Windows are of equal length, and a sale can put most of a day's rows into one of them. Their first pages, which are read
anyhow, tell how many rows each has. Only if that shows that one thread would be busy for long after the others, crowded
windows are cut where their rows are, found by asking how many rows each half has.

Where windows are cut depends on the rows alone, never on which thread was faster: the same data gives the same files. How
many rows there are is only trusted to say where to cut: whatever it says, the windows cover the same interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop.extract.windows import PARALLEL, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Load", "level", "useful_threads"]

# About what a request takes, in seconds. It is not measured: then the files would depend on how fast the service was.
_LATENCY: Final = 0.2
# Pages that must be saved on the way to the end, and which part of it. Cutting takes a few rounds of questions, and each
# window that it makes ends in a page that is not full.
_WORTH: Final = 16
_PART: Final = 1 / 4
# Windows of three hours are halved down to 20 seconds.
_HALVINGS: Final = 9


@dataclass(frozen=True, slots=True)
class Load:
    """How many rows a window has."""

    window: Window
    rows: int

    @property
    def left(self) -> Window:
        """The first half of the window."""
        return Window(self.window.start, (self.window.start + self.window.end) // 2)

    def halved(self, rows: int) -> list[Load]:
        """Return both halves.

        :param rows: rows of the first.
        """
        left = self.left
        return [Load(left, rows), Load(Window(left.end, self.window.end), max(0, self.rows - rows))]


def useful_threads(requests_per_second: float) -> float:
    """Return how many threads a rate limit leaves something to do: where that is one or two, cutting gains nothing."""
    return max(1.0, min(float(PARALLEL), requests_per_second * _LATENCY))


def level(
    loads: Sequence[Load],
    count: Callable[[list[Window]], list[int | None]],
    *,
    page_size: int,
    threads: float,
) -> list[Load]:
    """Return windows that cover the same, cut further where many rows are; the same ones if that does not pay.

    At most four for each thread are added.

    :param loads: the windows, no more than there are threads.
    :param count: asks for the numbers of rows of some windows, side by side; ``None`` where the service does not say.
    :param page_size: rows of a page.
    :param threads: how many can be busy at once.
    """
    even = sum(load.rows for load in loads) / threads
    saved = max(load.rows for load in loads) - even
    if saved < max(_WORTH * page_size, _PART * even):
        return list(loads)
    # Half of what a thread has to do: with whole ones, the last to be begun would end by as much too late.
    most = max(even / 2, _WORTH * page_size / 4)
    cut = [[load] for load in loads]
    for _ in range(_HALVINGS):
        crowded = [load for cells in cut for load in cells if load.rows > most and load.left.end > load.window.start]
        if not crowded:
            break
        counts = dict(zip(crowded, count([load.left for load in crowded]), strict=True))
        for number, cells in enumerate(cut):
            halves = [load.halved(rows) if (rows := counts.get(load)) is not None else [load] for load in cells]
            cut[number] = [half for pair in halves for half in pair]
    return [load for cells in cut for load in _joined(cells, most)]


def _joined(cells: list[Load], most: float) -> list[Load]:
    """Join neighbours while they have no more rows than a window is to have: each window is a file at least."""
    joined = cells[:1]
    for cell in cells[1:]:
        last = joined[-1]
        if last.rows + cell.rows <= most:
            joined[-1] = Load(Window(last.window.start, cell.window.end), last.rows + cell.rows)
        else:
            joined.append(cell)
    return joined
