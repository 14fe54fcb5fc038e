"""Deals a long period out to mapped extraction tasks: one shop and one part of the period each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError
from airflow_provider_tiktokshop.extract.options import merged_filters
from airflow_provider_tiktokshop.extract.plan import iso
from airflow_provider_tiktokshop.extract.windows import moment, seconds
from airflow_provider_tiktokshop.hooks.subject import line_of, targets_of
from airflow_provider_tiktokshop.streams.base import DAY, EVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
    from airflow_provider_tiktokshop.streams.base import Cursor, Stream

__all__ = ["backfill_of"]

# The time at which a row was made: it never changes, so that a row is in one part whenever it is read.
_MADE = "create_time"

log = logging.getLogger(__name__)


def backfill_of(
    hook: TikTokShopHook,
    stream: Stream,
    start: Any,
    end: Any,
    *,
    chunk: Any,
    cursor_field: str | None,
    filters: Mapping[str, Any],
    only: Sequence[str],
    now: float,
    limit: int,
) -> list[dict[str, Any]]:
    """Return what to map the extraction over. See :meth:`TikTokShopHook.backfill`.

    :param now: the present, Unix seconds.
    :param limit: most tasks that Airflow maps.
    """
    source, *below = reversed(line_of(stream))
    if not source.cursors or stream.lookback >= EVER:
        raise OptionError(
            f"Stream {stream.name} only tells its present state, so there is no past to fill in.",
            advice="Extract it day by day from now on.",
        )
    cursor = _cursor(source, cursor_field)
    first, last = _period(source, moment(start, "start"), moment(end, "end"), now)
    length = seconds(chunk, "chunk")
    if length < 1:
        raise OptionError("A chunk is empty.", advice="Make it a day or longer.")
    more: dict[str, Any] = {"cursor_field": cursor.field}
    if asked := merged_filters(source, tuple(below), cursor, filters):
        more["filters"] = asked
    targets = _chosen(targets_of(hook, stream), only, stream)
    starts = range(first, last, length)
    if len(starts) * len(targets) > limit:
        days = _enough(first, last, limit // len(targets)) if len(targets) <= limit else None
        raise OptionError(
            f"{len(starts)} chunks for {len(targets)} shops are {len(starts) * len(targets)} tasks, "
            f"and Airflow maps at most {limit} ([core] max_map_length).",
            advice=f"Make a chunk at least {days} {'days' if days > 1 else 'day'} long, or name fewer shops."
            if days
            else "Name fewer shops.",
        )
    log.info("%d chunks for %d shops, by %s", len(starts), len(targets), cursor.field)
    # Neighbours are of different shops: tasks that run at the same time seldom share a shop's rate limit.
    return [
        {**target, "start": iso(begin), "end": iso(min(begin + length, last)), **more}
        for begin in starts
        for target in targets
    ]


def _cursor(source: Stream, field: str | None) -> Cursor:
    wanted = field or (_MADE if any(cursor.field == _MADE for cursor in source.cursors) else None)
    try:
        cursor = source.cursor(wanted)
    except ValueError as failure:
        raise OptionError(f"{failure}.") from None
    assert cursor is not None  # noqa: S101 - it was seen that the stream has some
    return cursor


def _period(source: Stream, first: int, last: int, now: float) -> tuple[int, int]:
    if first >= last:
        raise IntervalError(
            f"The period is empty: start {iso(first)} is not before end {iso(last)}.",
            advice="A period includes its start and excludes its end.",
        )
    if last > now:
        raise IntervalError(
            f"The period ends at {iso(last)}, and now is {iso(int(now))}.",
            advice="End it now at the latest; what comes then is the scheduled extraction's.",
        )
    if source.history is not None and first < now - source.history:
        raise IntervalError(
            f"{source.name} looks back {source.history // DAY} days, and the period starts at {iso(first)}.",
            advice=f"Start it after {iso(int(now) - source.history)}.",
        )
    return first, last


def _chosen(targets: list[dict[str, str]], only: Sequence[str], stream: Stream) -> list[dict[str, str]]:
    """Return those of the targets that are named: by shop, by user, by category asset."""
    known = {name for target in targets for name in target.values()}
    if strange := [name for name in only if name not in known]:
        raise OptionError(
            f"Nobody whose {stream.name} could be read is called {', '.join(strange)}.",
            advice=f"There are: {', '.join(sorted(known)) or 'none'}. Who must authorize again is not among them.",
        )
    chosen = [target for target in targets if not only or not set(only).isdisjoint(target.values())]
    if not chosen:
        raise OptionError(
            f"Nobody has authorized the app whose {stream.name} could be read.",
            advice="`airflow tiktokshop status` lists who has.",
        )
    return chosen


def _enough(first: int, last: int, count: int) -> int:
    """Return how many whole days a chunk must have for there to be no more than ``count``."""
    return -(-(last - first) // (count * DAY))
