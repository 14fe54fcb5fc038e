"""How the demo talks: what happens, as it happens, and tables that need no explanation."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

HEARTBEAT = 5.0


class Narrator:
    """Prints lines with the seconds since the start, and shows that waiting is not hanging.

    :param out: where to
    """

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._start = time.monotonic()
        self._last = ("", 0.0)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self._last = (text, time.monotonic())
        first, *rest = text.splitlines()
        self._print(f"{self.seconds:6.1f} s  {first}")
        for line in rest:
            self._print(f"          {line}")

    def waiting(self, text: str) -> None:
        """Print a state that is asked for often: when it is new, and every few seconds while it lasts."""
        said, when = self._last
        if text != said or time.monotonic() - when > HEARTBEAT:
            self.say(text)

    def plain(self, text: str = "") -> None:
        """Print without the time."""
        self._print(text)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print a table; numbers are aligned to the right."""
        cells = [list(header), *([_cell(value) for value in row] for row in rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
        numeric = [all(isinstance(row[column], int | float) for row in rows) for column in range(len(header))]

        def line(values: Sequence[str]) -> str:
            aligned = (
                value.rjust(width) if number else value.ljust(width)
                for value, width, number in zip(values, widths, numeric, strict=True)
            )
            return "  " + "  ".join(aligned).rstrip()

        self._print(line(cells[0]))
        self._print("  " + "  ".join("-" * width for width in widths))
        for row in cells[1:]:
            self._print(line(row))

    def task_progress(self, what: str) -> Callable[[list[dict[str, object]]], None]:
        """Return what to call with a run's task instances at every look."""

        def progress(tasks: list[dict[str, object]]) -> None:
            said = []
            for task_id in dict.fromkeys(str(task["task_id"]) for task in tasks):
                states = [str(task["state"] or "waiting") for task in tasks if task["task_id"] == task_id]
                others = ", ".join(f"{states.count(s)} {s}" for s in sorted({*states} - {"success"}))
                done = f"{states.count('success')}/{len(states)} done"
                said.append(f"{task_id} {done}" + (f" ({others})" if others else ""))
            self.waiting(f"{what}: {'; '.join(said) or 'starting'}")

        return progress

    def _print(self, text: str) -> None:
        print(text.rstrip(), file=self._out, flush=True)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
