"""What the log of a rotation says while it runs."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.auth.rotation import RotationResult

__all__ = ["Progress"]

EVERY = 10.0  # seconds
STEP = 0.05
# Twentieths of a short run follow each other too fast to be read.
AT_LEAST = 2.0  # seconds


class Progress:
    """Logs how each authorization ended, and now and then how far the run is and how long it will take.

    :param log: the task's logger.
    :param now: seconds of any steady clock.
    """

    def __init__(self, log: Any, now: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._now = now
        self._total = 0
        self._counts: Counter[str] = Counter()
        self._started = self._last_at = now()
        self._last_done = 0

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self._now() - self._started

    def start(self, total: int) -> None:
        """Take note of how many authorizations there are."""
        self._total = total
        self._last_at = self._now()

    def note(self, result: RotationResult) -> None:
        """Log one result, and a line of progress where one is due."""
        self._log_result(result)
        self._counts[str(result.outcome)] += 1
        done, since = self._counts.total(), self._now() - self._last_at
        if done >= self._total:
            # The summary follows.
            return
        if since >= EVERY or (since >= AT_LEAST and done - self._last_done >= STEP * self._total):
            self._last_at, self._last_done = self._now(), done
            self._log.info("%s", self.line())

    def line(self) -> str:
        """Return how far the run is: ``50 of 200 done (48 rotated, 2 transient); about 1 min 30 s left``."""
        done = self._counts.total()
        counts = ", ".join(f"{number} {outcome}" for outcome, number in self._counts.most_common())
        left = round(self.seconds / done * (self._total - done)) if done else 0
        minutes, seconds = divmod(left, 60)
        time_left = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        return f"{done} of {self._total} done ({counts}); about {time_left} left"

    def _log_result(self, result: RotationResult) -> None:
        from airflow_provider_tiktokshop.hooks.wording import because

        log = self._log.info if result.outcome.good else self._log.warning
        why = "" if result.outcome.good else because(result.error)
        recovered = "; it has recovered, earlier runs had failed" if result.recovered else ""
        log(
            "%s: %s, epoch %d, generation %d%s",
            result.id,
            result.outcome,
            result.epoch,
            result.generation,
            recovered or why,
        )
