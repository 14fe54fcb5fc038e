"""Intervals and the half-open windows they are read in, in whole Unix seconds."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError

__all__ = ["Interval", "Moment", "Window", "default_count", "moment", "seconds", "settled", "split", "stamp"]

Moment = datetime | str | int | float

MOST_WINDOWS: Final = 1000
# More threads than this gain nothing under the service's limits, and each costs a page of memory.
PARALLEL: Final = 8
# A schedule that fires a moment early, or a clock a little off, must not turn a whole interval into a clipped one.
_EARLY: Final = 30
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open part [start, end) of an interval that one thread reads."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Interval:
    """What was asked for and what of it is read: rows with a cursor in [since, until).

    :param start: as asked for, included.
    :param end: as asked for, excluded.
    :param since: where reading begins: ``start`` less the look-back.
    :param until: where reading ends: ``end``, or less when the end is not settled yet.
    """

    start: int
    end: int
    since: int
    until: int

    @property
    def complete(self) -> bool:
        """Whether everything up to the end that was asked for is read."""
        return self.until == self.end


def moment(value: object, name: str) -> int:
    """Return a point in time as whole Unix seconds, rounded up: no whole second lies between the two.

    :param value: an aware ``datetime`` (pendulum's too), ISO 8601 text with a zone, or Unix seconds.
    :param name: what to call it in an error.
    :raises IntervalError: it is missing, has no time zone, or is no time.
    """
    if isinstance(value, str):
        text = value.strip()
        if text in {"", "None"}:
            raise IntervalError(
                f"{name} is missing.",
                advice="Name it, or use a schedule with a data interval: CronDataIntervalTimetable. In Airflow 3 a plain "
                "cron string or an asset gives a run no data interval.",
            )
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise IntervalError(
                f"{name} is {text[:60]!r}, which is no ISO 8601 time.", advice="Write it as 2025-11-03T00:00:00Z."
            ) from None
    if isinstance(value, datetime):
        if value.tzinfo is None or value.utcoffset() is None:
            raise IntervalError(
                f"{name} is {value.isoformat()}, without a time zone.",
                advice="Say which: add Z for UTC or an offset to a text, tzinfo=UTC to a datetime.",
            )
        return math.ceil(value.timestamp())
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return math.ceil(value)
    if value is None:
        return moment("", name)
    raise IntervalError(
        f"{name} is a {type(value).__name__}.", advice="Hand in a datetime, ISO 8601 text or Unix seconds."
    )


def seconds(value: object, name: str) -> int:
    """Return a length of time as whole seconds, rounded up.

    :param value: seconds (also as text, as templates render them) or a ``timedelta``.
    :raises OptionError: it is neither, or negative.
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    try:
        length = math.ceil(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise OptionError(f"{name} is {value!r}.", advice="Hand in seconds or a timedelta.") from None
    if length < 0:
        raise OptionError(f"{name} is {value!r}: it cannot be negative.")
    return length


def stamp(moment: int) -> str:
    """Return Unix seconds as they stand in paths: ``20251103T000000Z``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%SZ")


def settled(start: int, end: int, settle: int, now: float) -> tuple[int, float]:
    """Decide how an interval whose end is not ``settle`` seconds in the past yet is to be read.

    An interval that has just ended, as a scheduled one has, is waited for: it must come out whole. One that ends in the
    future can only be read up to ``now - settle``, and its manifest has to say so.

    :param start: start of the interval, Unix seconds.
    :param end: end of the interval, Unix seconds.
    :param settle: seconds that the end must lie in the past.
    :param now: Unix seconds.
    :returns: where to stop reading (Unix seconds) and how long to wait first (seconds).
    :raises IntervalError: no part of the interval is settled.
    """
    missing = end + settle - now
    if missing <= 0:
        return end, 0.0
    if end - now <= _EARLY:
        return end, missing
    until = math.floor(now) - settle
    if until <= start:
        raise IntervalError(
            f"The interval starts at {stamp(start)}, and now is {stamp(math.floor(now))}: nothing of it can be read yet.",
            advice="Run it once the interval has begun.",
        )
    return until, 0.0


def default_count(since: int, until: int) -> int:
    """Return how many windows an interval is split into unless the user says: one an hour, at most eight.

    It depends on nothing but the interval, because the files are the same only if the windows are.
    """
    return max(1, min(PARALLEL, (until - since) // _HOUR))


def split(since: int, until: int, count: int, cap: int | None = None) -> tuple[Window, ...]:
    """Split [since, until) into ``count`` half-open windows of nearly equal length, without gap or overlap.

    :param count: how many; fewer if the interval has fewer seconds, more if ``cap`` demands it.
    :param cap: longest window that the endpoint accepts, seconds.
    """
    length = until - since
    if cap:
        count = max(count, -(-length // cap))
    count = max(1, min(count, length))
    edges = [since + length * i // count for i in range(count + 1)]
    return tuple(Window(start, end) for start, end in itertools.pairwise(edges))
