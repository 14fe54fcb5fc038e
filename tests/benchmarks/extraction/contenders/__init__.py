"""The tools that are measured, each as a competent user of it would write the same extraction.

A module has ``DISTRIBUTIONS``, whose versions are printed, and ``run(job)``: it reads the orders of a shop, writes them below
``job.folder`` as gzip JSON lines (or as the job says), and returns an iterator over the ids in what it wrote. Importing the
module imports all that the tool needs, so that the cost of that shows by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LEVEL", "SEARCH", "CONTENDERS", "Contender", "Job"]

SEARCH = "/order/202309/orders/search"
LEVEL = 6
"""Of gzip, wherever a tool lets its user choose. It is the engine's."""


@dataclass(frozen=True, slots=True)
class Job:
    """One extraction.

    :param url: the emulator's origin.
    :param start: start of the interval, included, Unix seconds.
    :param end: its end, excluded.
    :param folder: where the output goes, empty before.
    :param windows: into how many parts of equal length the interval is split, each read in a thread of its own; 0 leaves it
        to the engine, which reads eight at a time.
    :param options: more, for this engine: see ``contenders/engine.py``.
    """

    url: str
    app_key: str
    app_secret: str
    access_token: str
    shop_id: str
    cipher: str
    start: int
    end: int
    folder: Path
    windows: int = 1
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The windows, half-open."""
        at = [self.start + (self.end - self.start) * n // self.windows for n in range(self.windows + 1)]
        return [(at[n], at[n + 1]) for n in range(self.windows)]


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to use a tool.

    :param label: as it is printed.
    :param module: which module of this package runs it.
    :param windows: see :class:`Job`.
    """

    label: str
    module: str
    windows: int


CONTENDERS = {
    contender.label: contender
    for contender in (
        Contender("this engine", "engine", 0),
        Contender("this engine, 1 window", "engine", 1),
        Contender("bare loop", "bare", 1),
        Contender("bare loop, 8 threads", "bare", 8),
        Contender("dlt", "dlt_rest_api", 1),
        Contender("dlt, parallelized", "dlt_rest_api", 8),
        Contender("airbyte-cdk, 8 slices", "airbyte", 8),
        Contender("singer-sdk", "singer", 1),
    )
}
