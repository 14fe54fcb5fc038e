"""Reads one window completely, although rows change while it is being read.

The service's page tokens are opaque, and in the worst case they are offsets: when a row that has been read is updated it
leaves the window, the rows behind it move up by one, and the next page skips one of them. So:

- Pages are followed by token only while nothing has changed: the same ``total_count`` on every page, cursors that
  ascend and lie in the window, and at the end as many rows as were announced.
- At the first sign of a change the page is thrown away and reading goes on *by cursor value*: each request starts at the
  last value seen, so nothing before it can shift what comes after. Filters on fields that change, and services that
  announce no total, are read that way from the beginning.
- Within one second that fills whole pages only tokens can help: such a second is read again until one reading is
  consistent, or without a total until two have the same rows. So is every span of a stream that does not sort by its
  cursor; there a missing total has to be trusted.
- A window with more rows than can be paged through is split in two, as often as it takes.

A row that the service returns is never thrown away because its cursor has meanwhile left the window.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop.api.exceptions import (
    ApiError,
    InvalidRequest,
    PagingError,
    ResultWindowTooLarge,
    TikTokShopError,
)
from airflow_provider_tiktokshop.extract.edge import Edge, View, view
from airflow_provider_tiktokshop.extract.errors import UnstableWindowError
from airflow_provider_tiktokshop.extract.position import Batch, Fetch, Position, Trust

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator

    from airflow_provider_tiktokshop.api.client import Page
    from airflow_provider_tiktokshop.extract.rows import Identity

__all__ = ["TOKEN_REFUSED", "Sweep"]

# A page token that expired or was refused comes back as one of these; without a token they are the request's own fault.
TOKEN_REFUSED: Final = (InvalidRequest, ApiError, PagingError)
# Readings of the same rows before giving up. Each needs a change at the very moment of reading to fail.
_ATTEMPTS: Final = 10


class _Disturbed(Exception):
    """What has been read of a chain of tokens cannot be relied on.

    :param seen: the keys of a chain that did come to its end.
    """

    def __init__(self, seen: set[Hashable] | None = None) -> None:
        super().__init__()
        self.seen = seen


class _Crowded(Exception):
    """More rows match than can be paged through.

    :param total: how many, if the service said so.
    """

    def __init__(self, total: int | None = None) -> None:
        super().__init__()
        self.total = total


class Sweep:
    """Iterates over the rows of one window, in batches.

    :param start: start of the window, ``None`` for a stream without cursor.
    :param end: end of the window, excluded.
    :param fetch: asks for a page.
    :param identity: reads keys, cursors and versions.
    :param ordered: the endpoint sorts by the cursor.
    :param trust: shared with the run's other windows.
    :param position: where an earlier run stopped.
    :param edge: keys and versions of the rows that the earlier run kept at ``position.cursor``.
    :param result_cap: most rows that one query can be paged through.
    """

    def __init__(
        self,
        start: int | None,
        end: int | None,
        fetch: Fetch,
        identity: Identity,
        *,
        ordered: bool,
        trust: Trust,
        position: Position | None = None,
        edge: dict[Hashable, int | None] | None = None,
        result_cap: int | None = None,
    ) -> None:
        self._start, self._end = start, end
        self._fetch, self._identity = fetch, identity
        self._ordered, self._trust = ordered, trust
        self._position = replace(position) if position else Position(start or 0)
        self._edge = Edge(identity, self._position.cursor, dict(edge or {}))
        self._result_cap = result_cap

    def __iter__(self) -> Iterator[Batch]:
        """Yield the rows not given before, page by page.

        :raises UnstableWindowError: no reading was consistent.
        :raises ResultWindowTooLarge: what cannot be split further holds more rows than can be paged through.
        """
        position = self._position
        spans = [(position.cursor if self._start is not None else None, self._end)]
        while spans and not position.done:
            start, end = spans.pop()
            try:
                yield from self._span(start, end)
            except (_Crowded, ResultWindowTooLarge) as crowd:
                # In an ordered stream part of the span may have been read: what is left is split.
                start = position.cursor if self._start is not None else None
                if start is None or end is None or end - start < 2:
                    raise self._crowded(start, crowd) from None
                middle = (start + end) // 2
                spans += [(middle, end), (start, middle)]
                position.by_cursor, position.token = True, None
            else:
                if end is not None and not position.done:
                    self._advance(end)
        if not position.done:
            position.done, position.token = True, None
            yield Batch([], replace(position))

    def _span(self, start: int | None, end: int | None) -> Iterator[Batch]:
        if start is None or end is None or not self._ordered:
            yield from self._steadily(start, end)
            return
        position = self._position
        if not position.by_cursor and (position.token or (self._trust.tokens and start == self._start)):
            if (yield from self._by_token(end)):
                return
            position.by_cursor, position.token = True, None
        while position.cursor < end:
            if (yield from self._by_cursor(end)):
                return

    def _by_token(self, end: int) -> Generator[Batch, None, bool]:
        """Follow tokens from the window's start; return whether the end was reached undisturbed."""
        position = self._position
        used: set[str] = set()
        while True:
            token = position.token
            try:
                page = self._page(self._start, end, token)
            except TOKEN_REFUSED:
                if token is None:
                    raise
                return False
            seen = view(page.rows, self._identity, position.cursor, end)
            if token is None:
                position.total = page.total_count
            elif not seen.clean or _drifted(position.total, page):
                return False  # the page is thrown away: rows before it may have been skipped
            fresh = self._edge.fresh(seen)
            position.seen += len(fresh)
            following = page.next_page_token
            if not following and position.total is not None and position.seen < position.total:
                # Rows were skipped, or the total is no total. Either way the tokens of this run prove nothing.
                self._trust.tokens = False
                yield self._restart()
                return False
            if seen.last is not None and seen.ordered:
                self._advance(seen.last, seen)
            else:
                self._edge.remember(fresh)
            on = seen.clean and following not in used and (position.total is not None or not following)
            position.token = following if on else None
            position.done = not following
            yield Batch(fresh, replace(position, by_cursor=not on))
            if not following or not on:
                return not following
            used.add(following)

    def _by_cursor(self, end: int) -> Generator[Batch, None, bool]:
        """Read on from the last cursor value seen until it grows; return whether the end was reached."""
        start = self._position.cursor
        previous: set[Hashable] | None = None
        for _ in range(_ATTEMPTS):
            try:
                for page, seen in self._chain(start, end):
                    last = not page.next_page_token
                    fresh = self._edge.fresh(seen)
                    if seen.last is not None and seen.ordered and seen.last > start:
                        self._advance(seen.last, seen)
                        self._position.done = last and end == self._end
                        yield Batch(fresh, replace(self._position))
                        return last
                    # Nothing to go by: a second that fills the page, or rows that have all moved on.
                    self._edge.remember(fresh)
                    yield Batch(fresh, replace(self._position))
                    if seen.last == seen.first == start and not last:
                        # Its own window keeps changes elsewhere from disturbing the reading of that second.
                        yield from self._steadily(start, start + 1, twice=page.total_count is None)
                        self._advance(start + 1)
                        return start + 1 >= end
            except _Disturbed as disturbed:
                if disturbed.seen is None or disturbed.seen != previous:
                    previous = disturbed.seen
                    continue
            return True
        raise self._unstable()

    def _steadily(self, start: int | None, end: int | None, *, twice: bool = False) -> Iterator[Batch]:
        """Read a span by tokens again and again until one reading is consistent, giving each row once.

        :param twice: there is no total to tell that rows were skipped; two readings in a row must have the same rows.
        """
        previous: set[Hashable] | None = None
        for _ in range(_ATTEMPTS):
            try:
                for _, seen in self._chain(start, end, doubtful=twice):
                    fresh = self._edge.fresh(seen)
                    self._edge.remember(fresh)
                    yield Batch(fresh, replace(self._position))
            except _Disturbed as disturbed:
                if disturbed.seen is None or disturbed.seen != previous:
                    previous = disturbed.seen
                    continue
            return
        raise self._unstable()

    def _chain(self, start: int | None, end: int | None, *, doubtful: bool = False) -> Iterator[tuple[Page, View]]:
        """Follow tokens from ``start``; raise ``_Disturbed`` when what was read need not be complete.

        A total that stays above what two readings in a row found, the same rows each time, is a wrong total.
        """
        token: str | None = None
        total: int | None = None
        keys: set[Hashable] = set()
        used: set[str] = set()
        while True:
            try:
                page = self._page(start, end, token)
            except TOKEN_REFUSED:
                if token is None:
                    raise
                raise _Disturbed from None
            if token is None:
                total = page.total_count
            elif _drifted(total, page):
                raise _Disturbed
            seen = view(page.rows, self._identity, start, end)
            before = len(keys)
            keys.update(seen.keys)
            yield page, seen
            token = page.next_page_token
            if token is None:
                if doubtful or (total is not None and len(keys) < total):
                    raise _Disturbed(keys)
                return
            if token in used or len(keys) == before:
                raise _Disturbed
            used.add(token)

    def _page(self, start: int | None, end: int | None, token: str | None) -> Page:
        page = self._fetch(start, end, token)
        total = page.total_count
        if self._result_cap and start is not None and token is None and total is not None and total >= self._result_cap:
            raise _Crowded(total)
        return page

    def _advance(self, cursor: int, page: View | None = None) -> None:
        self._position.cursor = cursor
        self._edge.advance(cursor, page)

    def _restart(self) -> Batch:
        position = self._position
        position.cursor, position.token, position.total = self._start or 0, None, None
        position.seen, position.by_cursor = 0, True
        self._edge = Edge(self._identity, position.cursor)
        return Batch([], replace(position), restart=True)

    def _crowded(self, start: int | None, crowd: Exception) -> TikTokShopError:
        where = (
            "in all" if start is None else f"in the one second {datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ}"
        )
        cap = self._result_cap or "what can be paged through"
        return ResultWindowTooLarge(
            f"{getattr(crowd, 'total', None) or 'Too many'} rows match {where}: the service gives no more than {cap}.",
            code=getattr(crowd, "code", None),
            request_id=getattr(crowd, "request_id", None),
            endpoint=getattr(crowd, "endpoint", None),
            advice="Add filters, and extract each of their values by itself; or use another cursor_field.",
        )

    def _unstable(self) -> UnstableWindowError:
        return UnstableWindowError(
            f"{_ATTEMPTS} readings of the rows from cursor {self._position.cursor} on all disagreed with themselves.",
            advice="The shop is changing faster than it can be read: try again later, or narrow the filters.",
        )


def _drifted(total: int | None, page: Page) -> bool:
    return total is not None and page.total_count is not None and page.total_count != total
