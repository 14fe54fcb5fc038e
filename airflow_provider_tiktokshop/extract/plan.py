"""What one extraction is going to do: the options, checked before anything is sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError
from airflow_provider_tiktokshop.extract.rows import Identity
from airflow_provider_tiktokshop.extract.sweep import Sweep
from airflow_provider_tiktokshop.extract.windows import (
    MOST_WINDOWS,
    Window,
    default_count,
    moment,
    seconds,
    split,
    stamp,
)
from airflow_provider_tiktokshop.streams.asking import put, sort_params, window_params

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.api.tokens import Shop
    from airflow_provider_tiktokshop.extract.position import Fetch, Position, Trust
    from airflow_provider_tiktokshop.streams.base import Cursor, Filter, Stream

__all__ = ["Plan", "iso", "make_plan"]

_TYPES: Final[dict[str, tuple[type, str]]] = {
    "text": (str, "a text"),
    "integer": (int, "an integer"),
    "boolean": (bool, "True or False"),
    "texts": (str, "a list of texts"),
    "integers": (int, "a list of integers"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Checked options. Times are Unix seconds.

    :param stream: what to extract.
    :param source: the stream whose pages are read: the parent of a stream that has one, else ``stream`` itself.
    :param cursor: the cursor of ``source``, ``None`` if it has none.
    """

    stream: Stream
    source: Stream
    cursor: Cursor | None
    shop: Shop | None
    start: int
    end: int
    lookback: int
    settle: int
    windows: int | None
    filters: Mapping[str, Any]
    version: str
    page_size: int | None

    @property
    def path(self) -> str:
        """Path of the stream's endpoint; a parent's placeholder stays."""
        return self.stream.path_of(self.version)

    @property
    def source_path(self) -> str:
        """Path of the endpoint whose pages are read."""
        return self.path if self.source is self.stream else self.source.path_of()

    @property
    def since(self) -> int:
        """Where reading begins."""
        return max(0, self.start - self.lookback)

    def place(self) -> tuple[str, ...]:
        """Return the directory of the interval below the output path."""
        shop = self.shop.id if self.shop else "none"
        return (self.stream.name, f"shop_id={shop}", f"start={stamp(self.start)}", f"end={stamp(self.end)}")

    def source_identity(self) -> Identity:
        """Return what tells the rows of the source apart."""
        field = self.cursor.field if self.cursor else None
        return Identity(self.source.primary_key, field, self.source.version_field)

    def identity(self) -> Identity:
        """Return what tells the rows of the stream apart."""
        if self.stream is self.source:
            return self.source_identity()
        return Identity(self.stream.primary_key, None, self.stream.version_field)

    def request(self, start: int | None, end: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return query and body that ask for the rows with a cursor in [start, end), ascending."""
        parts: dict[str, dict[str, Any]] = {
            "query": dict(self.source.params),
            "body": dict(self.source.body),
            "path": {},
        }
        places = {allowed.name: allowed.where for allowed in _allowed(self.source, self.cursor)}
        for name, value in self.filters.items():
            put(parts[places[name]], name, value)
        if self.cursor is not None and start is not None and end is not None:
            for name, value in window_params(self.cursor, start, end).items():
                put(parts[self.cursor.where], name, value)
            for name, value in sort_params(self.cursor).items():
                put(parts, name, value)
        return parts["query"], parts["body"]

    def split(self, until: int, count: int | None = None) -> tuple[Window | None, ...]:
        """Return the windows that are read, up to ``until``; a stream without cursor has one, without bounds."""
        if self.cursor is None:
            return (None,)
        count = count or self.windows or default_count(self.since, until)
        return split(self.since, until, count, self.source.window_cap)

    def bounds(self, until: int) -> tuple[int, int] | None:
        """Return the interval that is read, ``None`` for a stream without cursor."""
        return (self.since, until) if self.cursor else None

    def sweep(
        self,
        window: Window | None,
        fetch: Fetch,
        trust: Trust,
        position: Position | None = None,
        edge: dict[Any, int | None] | None = None,
    ) -> Sweep:
        """Return what reads one of the windows. See :class:`Sweep`."""
        return Sweep(
            window.start if window else None,
            window.end if window else None,
            fetch,
            self.source_identity(),
            ordered=self.cursor is not None and self.cursor.sort_field is not None,
            trust=trust,
            position=position,
            edge=edge,
            result_cap=self.source.result_cap,
        )

    def options(self, windows: int) -> dict[str, Any]:
        """Return the options as the manifest records them.

        :param windows: how many windows there came to be.
        """
        return {
            "cursor_field": self.cursor.field if self.cursor else None,
            "windows": windows,
            "filters": dict(self.filters),
            "lookback": self.lookback,
            "settle": self.settle,
            "version": self.version,
            "page_size": self.page_size,
        }

    def fingerprint(self, **more: Any) -> str:
        """Return a digest of all that decides which rows are read and how they are written."""
        facts = {
            **self.options(self.windows or 0),
            **more,
            "endpoints": [self.stream.method, self.path, self.source.method, self.source_path],
            "place": self.place(),
            "key": self.stream.primary_key,
            "version_field": self.stream.version_field,
        }
        return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def make_plan(
    stream: str | Stream,
    shop: Shop | None,
    start: Any,
    end: Any,
    *,
    cursor_field: str | None = None,
    windows: Any = None,
    filters: Mapping[str, Any] | None = None,
    lookback: Any = None,
    settle: Any = None,
    version: str | None = None,
    page_size: int | None = None,
) -> Plan:
    """Check the options of an extraction.

    :raises OptionError: one of them cannot work; the text says which, and what would.
    :raises UnknownStreamError: there is no such stream.
    """
    if isinstance(stream, str):
        stream = streams.get(stream)
    source = streams.get(stream.parent.stream) if stream.parent else stream
    if source.parent:
        raise OptionError(f"{stream.name}: its parent {source.name} has a parent itself.", advice="Extract that first.")
    if shop is None and (stream.needs_shop_cipher or source.needs_shop_cipher):
        raise OptionError(f"Stream {stream.name} belongs to a shop, and none was given.", advice="Hand in a shop.")
    try:
        cursor = source.cursor(cursor_field)
    except ValueError as failure:
        raise OptionError(f"{failure}.") from None
    first, last = moment(start, "start"), moment(end, "end")
    if first >= last:
        raise IntervalError(
            f"The interval is empty: start {iso(first)} is not before end {iso(last)}.",
            advice="An interval includes its start and excludes its end.",
        )
    return Plan(
        stream=stream,
        source=source,
        cursor=cursor,
        shop=shop,
        start=first,
        end=last,
        lookback=stream.lookback if lookback is None else seconds(lookback, "lookback"),
        settle=stream.settle if settle is None else seconds(settle, "settle"),
        windows=_count(windows),
        filters=_filters(source, cursor, filters or {}),
        version=str(version or stream.version),
        page_size=_size(source, page_size),
    )


def iso(moment: int) -> str:
    """Return Unix seconds as ISO 8601 in UTC: ``2025-11-03T00:00:00Z``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _count(windows: Any) -> int | None:
    if windows is None or windows == "":
        return None
    try:
        count = int(windows)
    except (TypeError, ValueError):
        count = 0
    if isinstance(windows, bool) or not 1 <= count <= MOST_WINDOWS:
        raise OptionError(f"windows is {windows!r}.", advice=f"It is a number from 1 to {MOST_WINDOWS}, or None.")
    return count


def _size(stream: Stream, page_size: int | None) -> int | None:
    paging = stream.paging
    if page_size is None:
        return paging.size_max if paging.token_in else None
    if not paging.token_in:
        raise OptionError(f"Stream {stream.name} does not page.", advice="Leave page_size out.")
    if paging.size_max is None:
        raise OptionError(f"Stream {stream.name} has pages of its own size.", advice="Leave page_size out.")
    if not paging.size_min <= page_size <= paging.size_max:
        raise OptionError(
            f"page_size is {page_size}.", advice=f"{stream.name} takes {paging.size_min} to {paging.size_max}."
        )
    return page_size


def _allowed(stream: Stream, cursor: Cursor | None) -> list[Filter]:
    from airflow_provider_tiktokshop.streams.base import Filter

    others = [
        Filter(name=name, where=other.where, kind="integer")
        for other in stream.cursors
        if other is not cursor and other.where != "path"
        for name in other.params
    ]
    return [*stream.filters, *others]


def _filters(stream: Stream, cursor: Cursor | None, given: Mapping[str, Any]) -> dict[str, Any]:
    allowed = {item.name: item for item in _allowed(stream, cursor)}
    checked: dict[str, Any] = {}
    for name, value in sorted(given.items()):
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            ours = cursor is not None and name in cursor.params
            why = f"start and end set {name}" if ours else f"stream {stream.name} has no filter {name!r}"
            raise OptionError(f"{why}.", advice=f"Its filters are: {known}.")
        wanted = allowed[name]
        kind, words = _TYPES[wanted.kind]
        several = wanted.kind in {"texts", "integers"}
        values = list(value) if several and isinstance(value, (list, tuple)) else [value]
        # A bool is an int to Python; to the service it is not.
        if any(not isinstance(item, kind) or (kind is int and isinstance(item, bool)) for item in values) or (
            several and not isinstance(value, (list, tuple))
        ):
            raise OptionError(f"Filter {name} of stream {stream.name} is {value!r}.", advice=f"It takes {words}.")
        if wanted.most and len(values) > wanted.most:
            raise OptionError(f"Filter {name} has {len(values)} values.", advice=f"It takes at most {wanted.most}.")
        checked[name] = values if several else value
    if missing := [item for item in allowed.values() if item.required and item.name not in checked]:
        raise OptionError(
            f"Stream {stream.name} needs the filter {missing[0].name}.",
            advice=f"It is {' or '.join(missing[0].known)}." if missing[0].known else "Add it to filters.",
        )
    return checked
