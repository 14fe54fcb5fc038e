"""What one extraction is going to do: the options, checked before anything is sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError
from airflow_provider_tiktokshop.extract.manifest import owner_steps
from airflow_provider_tiktokshop.extract.options import (
    allowed_filters,
    checked_count,
    checked_size,
    checked_versions,
    merged_filters,
)
from airflow_provider_tiktokshop.extract.rows import Identity
from airflow_provider_tiktokshop.extract.snapshot import Snapshot
from airflow_provider_tiktokshop.extract.sweep import Sweep
from airflow_provider_tiktokshop.extract.windows import (
    Window,
    default_count,
    moment,
    seconds,
    split,
    stamp,
)
from airflow_provider_tiktokshop.streams.asking import put, sort_params, window_params
from airflow_provider_tiktokshop.streams.calendar import day, days, zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from airflow_provider_tiktokshop.api.tokens import CategoryAsset, Shop
    from airflow_provider_tiktokshop.extract.position import Fetch, Position, Trust
    from airflow_provider_tiktokshop.streams.base import Cursor, Stream

__all__ = ["Plan", "iso", "make_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Checked options. Times are Unix seconds.

    :param stream: what to extract.
    :param source: the stream whose pages are read: the first of its ancestors, ``stream`` itself if it has no parent.
    :param below: the streams from there down to ``stream``, each asked for by the ids of the one before.
    :param cursor: the cursor of ``source``, ``None`` if it has none.
    :param filters: conditions, each for every request that knows it.
    :param open_id: whose rows they are, for streams that belong to no shop.
    :param asset: an affiliate partner's market and category.
    :param versions: versions of endpoints, by stream, where they are not the newest known.
    """

    stream: Stream
    source: Stream
    below: tuple[Stream, ...]
    cursor: Cursor | None
    shop: Shop | None
    start: int
    end: int
    lookback: int
    settle: int
    windows: int | None
    filters: Mapping[str, Any]
    versions: Mapping[str, str]
    page_size: int | None
    open_id: str | None = None
    asset: CategoryAsset | None = None

    @property
    def version(self) -> str:
        """Version of the stream's endpoint."""
        return self.versions.get(self.stream.name, self.stream.version)

    @property
    def path(self) -> str:
        """Path of the stream's endpoint; a parent's placeholder stays."""
        return self.path_of(self.stream)

    def path_of(self, stream: Stream) -> str:
        """Return the path of an endpoint in the version that this extraction uses."""
        return stream.path_of(self.versions.get(stream.name))

    @property
    def zone(self) -> tzinfo:
        """The shop's time zone: analytics are asked for by its dates."""
        return zone_of(self.shop.region) if self.shop else UTC

    @property
    def since(self) -> int:
        """Where reading begins."""
        return max(0, self.start - self.lookback)

    def place(self) -> tuple[str, ...]:
        """Return the directory of the interval below the output path."""
        owner = owner_steps(self.shop.id if self.shop else None, self.open_id, self.asset.id if self.asset else None)
        return (self.stream.name, *owner, f"start={stamp(self.start)}", f"end={stamp(self.end)}")

    def source_identity(self) -> Identity:
        """Return what tells the rows of the source apart."""
        field = self.cursor.field if self.cursor else None
        dates = self.zone if self.cursor and self.cursor.kind == "date" else None
        return Identity(self.source.primary_key, field, self.source.version_field, dates)

    def identity(self) -> Identity:
        """Return what tells the rows of the stream apart."""
        if self.stream is self.source:
            return self.source_identity()
        return Identity(self.stream.primary_key, None, self.stream.version_field)

    def request(self, start: int | None, end: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return query and body that ask for the rows with a cursor in [start, end), ascending."""
        parts = self.conditions(self.source, self.cursor)
        if self.cursor is not None and start is not None and end is not None:
            if self.cursor.where != "path":
                for name, value in window_params(self.cursor, start, end, self.zone).items():
                    put(parts[self.cursor.where], name, value)
            for name, value in sort_params(self.cursor).items():
                put(parts, name, value)
        return parts["query"], parts["body"]

    def request_for(
        self, stream: Stream, ids: tuple[str, ...], day: int | None
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Return path, query and body that ask for the children of some parents.

        :param stream: the stream of the children.
        :param ids: their parents.
        :param day: start of the day that they are about, Unix seconds, for figures.
        """
        parent, path, parts = stream.parent, self.path_of(stream), self.conditions(stream, stream.cursor())
        if parent is not None and parent.where == "path":
            path = path.replace(f"{{{parent.param}}}", ids[0])
        elif parent is not None:
            put(parts[parent.where], parent.param, list(ids) if parent.batch > 1 else ids[0])
        cursor = stream.cursor()
        if cursor is not None and cursor.where != "path" and day is not None:
            ((start, end),) = days(day, day + 30 * 3600, self.zone)[:1]
            for name, value in window_params(cursor, start, end, self.zone).items():
                put(parts[cursor.where], name, value)
        return path, parts["query"], parts["body"]

    def request_path(self, start: int | None) -> str:
        """Return the path that asks for the rows of a window; few endpoints have the day in it."""
        path = self.path_of(self.source)
        if self.cursor is not None and self.cursor.where == "path":
            path = path.replace(f"{{{self.cursor.ge}}}", self.date(start) or "")
        return path

    def date(self, start: int | None) -> str | None:
        """Return the shop's date that a window is about, ``None`` where windows are not days."""
        if self.cursor is None or self.cursor.kind != "date" or start is None:
            return None
        return day(start, self.zone).isoformat()

    def conditions(self, stream: Stream, cursor: Cursor | None = None) -> dict[str, dict[str, Any]]:
        """Return ``query`` and ``body`` of a stream's requests, as far as they are always the same."""
        parts: dict[str, dict[str, Any]] = {"query": dict(stream.params), "body": dict(stream.body)}
        for allowed in allowed_filters(stream, cursor):
            if allowed.name in self.filters:
                put(parts[allowed.where], allowed.name, self.filters[allowed.name])
        return parts

    def split(self, until: int, count: int | None = None) -> tuple[Window | None, ...]:
        """Return the windows that are read, up to ``until``; a stream without cursor has one, without bounds."""
        if self.cursor is None:
            return (None,)
        if self.cursor.kind == "date":
            # Day by day, also where a request could ask for more: how many it may ask for is not documented.
            return tuple(Window(*edges) for edges in days(self.since, until, self.zone))
        count = count or self.windows or default_count(self.since, until)
        return split(self.since, until, count, self.source.window_cap)

    @property
    def page_rows(self) -> int:
        """Rows of a full page."""
        return self.page_size or self.source.paging.size_max or 20

    @property
    def may_level(self) -> bool:
        """Whether windows may be cut where many rows are: not where the user says how many, nor where they are days."""
        return self.windows is None and self.cursor is not None and self.cursor.kind != "date"

    def bounds(self, until: int) -> tuple[int, int] | None:
        """Return the interval that is read, ``None`` for a stream without cursor."""
        if self.cursor is None:
            return None
        windows = [window for window in self.split(until) if window] if self.cursor.kind == "date" else []
        return (windows[0].start, windows[-1].end) if windows else (self.since, until)

    def sweep(
        self,
        window: Window | None,
        fetch: Fetch,
        trust: Trust,
        position: Position | None = None,
        edge: dict[Any, int | None] | None = None,
    ) -> Sweep | Snapshot:
        """Return what reads one of the windows. See :class:`Sweep`."""
        if self.cursor is None:
            return Snapshot(fetch, self.source_identity(), position)
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
            "endpoints": [[stream.method, self.path_of(stream)] for stream in (self.source, *self.below)],
            "zone": str(self.zone) if self.cursor and self.cursor.kind == "date" else None,
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
    version: str | Mapping[str, str] | None = None,
    page_size: int | None = None,
    open_id: str | None = None,
    category_asset: CategoryAsset | None = None,
) -> Plan:
    """Check the options of an extraction.

    :raises OptionError: one of them cannot work; the text says which, and what would.
    :raises UnknownStreamError: there is no such stream.
    """
    if isinstance(stream, str):
        stream = streams.get(stream)
    source: Stream = stream
    below: tuple[Stream, ...] = ()
    while source.parent is not None:
        source, below = streams.get(source.parent.stream), (source, *below)
    if shop is None and any(one.needs_shop_cipher for one in (source, *below)):
        raise OptionError(f"Stream {stream.name} belongs to a shop, and none was given.", advice="Hand in a shop.")
    if category_asset is None and any(one.needs_asset_cipher for one in (source, *below)):
        raise OptionError(
            f"Stream {stream.name} belongs to a partner's category asset, and none was given.",
            advice="Hand in one of those that GET /authorization/202405/category_assets lists.",
        )
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
        below=below,
        cursor=cursor,
        # What belongs to no shop is the same for all of the seller's shops.
        shop=shop if open_id is None or any(one.needs_shop_cipher for one in (source, *below)) else None,
        start=first,
        end=last,
        lookback=stream.lookback if lookback is None else seconds(lookback, "lookback"),
        settle=stream.settle if settle is None else seconds(settle, "settle"),
        windows=checked_count(windows),
        filters=merged_filters(source, below, cursor, filters or {}),
        versions=checked_versions(version, stream, {one.name for one in (source, *below)}),
        page_size=checked_size(source, page_size),
        open_id=open_id,
        asset=category_asset,
    )


def iso(moment: int) -> str:
    """Return Unix seconds as ISO 8601 in UTC: ``2025-11-03T00:00:00Z``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
