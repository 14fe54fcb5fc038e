"""Rotate many authorizations in one task: the most urgent first, one alone at the start, stopping before harm spreads."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.auth.rotation import Outcome, RotationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_tiktokshop.auth.rotation import Rotator

__all__ = ["RotationReport", "rotate_all"]

STOP_AFTER_UNKNOWN = 3
# Fewer refusals than this say nothing about the app: two sellers can well have left on the same day.
SUSPICIOUS_REFUSALS = 3
# One seller first, then ramp up: a broken app or service meets one token, not fifty. Each success multiplies what is in
# flight, so that 1, then 4, then everything allowed is: with 2 in place of 4 a fleet would take half a second more to get going.
GROWTH = 4
# The service's own words for "this refresh token's time is over": never a sign that the app's credentials are wrong.
REFRESH_TOKEN_EXPIRED = 36004001


@dataclass(slots=True)
class RotationReport:
    """What one run did. Holds no secret.

    :param results: one for every authorization asked for, in the order given.
    :param stopped: why the run stopped early, or ``None``.
    """

    results: list[RotationResult] = field(default_factory=list)
    stopped: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many authorizations ended in which outcome."""
        return dict(Counter(str(result.outcome) for result in self.results))

    def public(self) -> dict[str, Any]:
        """Return the report as a JSON object: ``{"counts", "stopped", "authorizations": [...]}``."""
        return {"counts": self.counts, "stopped": self.stopped, "authorizations": [r.public() for r in self.results]}


class _Run:
    """The rules of a bulk run, fed with one result after the other."""

    def __init__(self, concurrency: int) -> None:
        self.limit = 1
        self.stopped: str | None = None
        self._concurrency = concurrency
        self._unknown_in_a_row = 0
        self._presented = 0
        self._refused = 0

    def heed(self, result: RotationResult) -> None:
        if result.presented and not result.again:
            self._presented += 1
        if result.outcome is Outcome.UNKNOWN and result.presented:
            self._unknown_in_a_row += 1
        elif result.presented:
            self._unknown_in_a_row = 0
        if (
            result.outcome is Outcome.REFUSED
            and result.presented
            and not result.again
            and (result.error or {}).get("code") != REFRESH_TOKEN_EXPIRED
        ):
            self._refused += 1
        if result.outcome in {Outcome.ROTATED, Outcome.NOT_DUE, Outcome.ADOPTED}:
            self.limit = min(self.limit * GROWTH, self._concurrency)
        if self.stopped is None:
            self.stopped = self._reason(result)

    @property
    def app_suspected(self) -> bool:
        """Whether so many were refused that the app, not the sellers, is the likely cause."""
        return self._refused >= SUSPICIOUS_REFUSALS and self._refused * 2 > self._presented

    def _reason(self, result: RotationResult) -> str | None:
        if result.outcome is Outcome.CONFIGURATION:
            text = (result.error or {}).get("text") or "the app's settings were refused"
            return f"{text}: this concerns every seller of the app, so the others were not tried"
        if self.app_suspected:
            return (
                f"{self._refused} of {self._presented} refresh tokens presented were refused: more likely the app's key or "
                "secret is wrong than that all these sellers left; nobody was marked"
            )
        if self._unknown_in_a_row >= STOP_AFTER_UNKNOWN:
            return f"{self._unknown_in_a_row} exchanges in a row ended with an unknown outcome; the rest was not tried"
        return None


def rotate_all(
    rotator: Rotator,
    ids: Sequence[str],
    *,
    replace_generations: Mapping[str, int] | None = None,
    bootstrap: bool = False,
    concurrency: int = 4,
    on_result: Callable[[RotationResult], None] | None = None,
) -> RotationReport:
    """Rotate what is due among ``ids``, in the order given.

    An interruption (a task killed, a timeout, Ctrl-C) lets the exchanges in flight finish and be stored before it is
    passed on: a reply that arrives late is still a pair.

    :param replace_generations: for each id to rotate although not due, the generation that is to be replaced.
    :param concurrency: exchanges at a time, one at the start, then four, then all of them, as long as they succeed.
    :param on_result: called in the calling thread after each authorization.
    """
    run, results, left = _Run(concurrency), dict[str, RotationResult](), deque(ids)
    landed: SimpleQueue[Future[RotationResult]] = SimpleQueue()
    flying: dict[Future[RotationResult], str] = {}
    forced = replace_generations or {}
    with ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="tiktokshop-rotate") as pool:
        try:
            while flying or (left and run.stopped is None):
                while left and run.stopped is None and len(flying) < run.limit:
                    id_ = left.popleft()
                    future = pool.submit(rotator.rotate, id_, replace_generation=forced.get(id_), bootstrap=bootstrap)
                    flying[future] = id_
                    future.add_done_callback(landed.put)
                landing = landed.get()
                result = results[flying.pop(landing)] = landing.result()
                run.heed(result)
                if on_result is not None:
                    on_result(result)
        except BaseException:
            rotator.interrupted.set()
            _outlast_interruptions(flying)
            raise
    accept = not run.app_suspected
    for result in results.values():
        rotator.settle(result, accept=accept)
    not_tried = (RotationResult(id_, Outcome.STOPPED) for id_ in left)
    results |= {result.id: result for result in not_tried}
    return RotationReport([results[id_] for id_ in ids if id_ in results], run.stopped)


def _outlast_interruptions(flying: Mapping[Future[RotationResult], str]) -> None:
    """Wait for the exchanges in flight, however often this thread is interrupted meanwhile."""
    over = threading.Event()

    def watch() -> None:
        wait(flying)
        over.set()

    threading.Thread(target=watch, daemon=True, name="tiktokshop-outlast").start()
    while not over.is_set():
        with contextlib.suppress(BaseException):
            over.wait()
