"""Reads a stream without cursor, whole.

If it changes while it is read, it is read again, giving each row once, until a reading finds nothing new, three times at
most: tokens may be offsets, but a row that was there all the while would have to be skipped every time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop.extract.edge import Edge, view
from airflow_provider_tiktokshop.extract.position import Batch, Fetch, Position
from airflow_provider_tiktokshop.extract.sweep import TOKEN_REFUSED

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator

    from airflow_provider_tiktokshop.extract.rows import Identity

__all__ = ["Snapshot"]

_READINGS: Final = 3


class Snapshot:
    """Iterates over all rows, in batches.

    :param fetch: asks for a page.
    :param identity: reads keys and versions.
    :param position: where an earlier run stopped. What it kept may come again.
    """

    def __init__(self, fetch: Fetch, identity: Identity, position: Position | None = None) -> None:
        self._fetch, self._identity = fetch, identity
        self._position = replace(position) if position else Position(0)
        self._edge = Edge(identity, 0)
        self._news = False

    def __iter__(self) -> Iterator[Batch]:
        """Yield the rows not given before, page by page."""
        position = self._position
        for reading in range(0 if position.done else _READINGS):
            self._news = False
            quiet = yield from self._reading(first=not reading)
            if quiet or (reading and not self._news):
                break
        if not position.done:
            position.done, position.token, position.total, position.seen = True, None, None, 0
            yield Batch([], replace(position))

    def _reading(self, *, first: bool) -> Generator[Batch, None, bool]:
        """Read to the end; return whether nothing can have been skipped.

        :param first: go on where an earlier run stopped, and record how far this one is.
        """
        position = self._position if first else Position(0)
        token, total, before = position.token, position.total, position.seen
        keys: set[Hashable] = set()
        used: set[str] = set()
        quiet = True
        while True:
            try:
                page = self._fetch(None, None, token)
            except TOKEN_REFUSED:
                if token is None:
                    raise
                position.token, position.total, position.seen = None, None, 0
                return False
            if token is None:
                total = page.total_count
            quiet = quiet and (total is None or page.total_count in {None, total})
            seen = view(page.rows, self._identity, None, None)
            known = len(keys)
            keys.update(seen.keys)
            fresh = self._edge.fresh(seen)
            self._edge.remember(fresh)
            self._news = self._news or bool(fresh)
            token = page.next_page_token
            if token is not None and (token in used or len(keys) == known):
                token, quiet = None, False
            if first:
                position.token, position.total = token, total
                position.seen = before + len(keys) if token else 0
            yield Batch(fresh, replace(self._position))
            if token is None:
                return quiet and (total is None or before + len(keys) >= total)
            used.add(token)
