"""Turns a declaration into what a request holds, and an answer into whole rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.streams.calendar import day

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from airflow_provider_tiktokshop.streams.base import Cursor, Stream

__all__ = ["complete", "put", "sort_params", "window_params"]


def put(target: dict[str, Any], name: str, value: Any) -> None:
    """Set a parameter; dots in its name lead into objects, which are copied or made."""
    *steps, last = name.split(".")
    for step in steps:
        inner = target[step] = dict(target.get(step) or {})
        target = inner
    target[last] = value


def window_params(cursor: Cursor, start: int, end: int, zone: tzinfo = UTC) -> dict[str, int | str]:
    """Return the parameters that ask for the rows of [start, end), as the endpoint writes times.

    :param cursor: the cursor.
    :param start: Unix seconds.
    :param end: Unix seconds. For a ``date`` cursor both should be midnights of the shop; a day that ends in between is
        asked for.
    :param zone: the shop's time zone, for dates.
    """
    if cursor.kind == "date":
        edges: tuple[int | str, ...] = (day(start, zone).isoformat(), day(end, zone).isoformat())
    elif cursor.kind == "datetime":
        edges = tuple(datetime.fromtimestamp(edge, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for edge in (start, end))
    else:
        edges = (start, end - 1 if cursor.inclusive_end else end)
    return dict(zip(cursor.params, edges, strict=False))


def sort_params(cursor: Cursor) -> dict[str, str]:
    """Return the parameters that give rows in the cursor's order, named from ``query`` or ``body`` on."""
    if cursor.sort_field is None:
        return {}
    return {f"{cursor.sort_in}.sort_field": cursor.sort_field, f"{cursor.sort_in}.sort_order": "ASC"}


def complete(
    stream: Stream,
    rows: Iterable[Any],
    data: Mapping[str, Any],
    *,
    shop_id: str | None = None,
    parent_id: str | None = None,
    date: str | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of an answer with what the stream says belongs to them from around the list.

    What the service sent in a row is never replaced.

    :param stream: the stream.
    :param rows: the list as it came.
    :param data: ``data`` of the envelope.
    :param shop_id: the shop that was asked for.
    :param parent_id: the parent that was asked for, if it was one.
    :param date: the day that was asked for, if it was one.
    """
    around = {name: data[name] for name in stream.carry if name in data}
    if stream.shop_field and shop_id is not None:
        around[stream.shop_field] = shop_id
    if stream.parent and stream.parent.into and parent_id is not None:
        around[stream.parent.into] = parent_id
    if date is not None:
        around |= {cursor.into: date for cursor in stream.cursors if cursor.into}
    found = [{stream.scalar: row} for row in rows] if stream.scalar else list(rows)
    for row in found if around else ():
        for name, value in around.items():
            row.setdefault(name, value)
    return found
