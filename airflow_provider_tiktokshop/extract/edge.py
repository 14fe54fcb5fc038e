"""Which rows of a page are new, and whether its cursors are as they should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from airflow_provider_tiktokshop.extract.rows import Identity, Row

__all__ = ["Edge", "View", "view"]


@dataclass(slots=True)
class View:
    """What the keys and cursors of a page say.

    :param rows: the rows of the page.
    :param keys: their primary keys.
    :param clean: cursors ascend, all lie within what was asked for, and no row comes twice.
    :param ordered: the cursors that lie within ascend.
    :param first: the first cursor within, ``None`` if there is none.
    :param last: the last cursor within.
    """

    rows: list[Row]
    keys: list[Hashable]
    clean: bool
    ordered: bool
    first: int | None
    last: int | None


def view(rows: list[Row], identity: Identity, start: int | None, end: int | None) -> View:
    """Look at the page that came for [start, end)."""
    keys = [identity.key(row) for row in rows]
    distinct = len(set(keys)) == len(keys)
    if start is None or end is None:
        return View(rows, keys, distinct, ordered=False, first=None, last=None)
    known = [cursor for row in rows if (cursor := identity.cursor(row)) is not None]
    inside = [cursor for cursor in known if start <= cursor < end]
    ordered = inside == sorted(inside)
    return View(
        rows,
        keys,
        clean=distinct and ordered and len(inside) == len(known),
        ordered=ordered,
        first=inside[0] if inside else None,
        last=inside[-1] if inside else None,
    )


@dataclass(slots=True)
class Edge:
    """The rows that may come again, with the versions in which they came.

    :param identity: tells rows apart.
    :param cursor: the highest cursor value so far.
    :param here: rows at that value.
    :param moved: rows that have left what was asked for.
    :param mixed: ``here`` holds rows at other values too.
    """

    identity: Identity
    cursor: int
    here: dict[Hashable, int | None] = field(default_factory=dict)
    moved: dict[Hashable, int | None] = field(default_factory=dict)
    mixed: bool = False

    def fresh(self, page: View) -> list[Row]:
        """Return the rows of a page that have not come in this version, each once."""
        beyond = page.first is not None and page.first > self.cursor and not self.mixed
        if page.clean and not self.moved and (beyond or not self.here):
            return page.rows
        fresh: dict[Hashable, Row] = {}
        nothing = object()
        for key, row in zip(page.keys, page.rows, strict=True):
            version = self.identity.version(row)
            if version in (self.here.get(key, nothing), self.moved.get(key, nothing)):
                continue
            other = fresh.get(key)
            if other is None or (version or 0) >= (self.identity.version(other) or 0):
                fresh[key] = row
        return list(fresh.values())

    def advance(self, cursor: int, page: View | None = None) -> None:
        """Move on to ``cursor``, the last one of ``page``."""
        if cursor != self.cursor:
            self.here, self.mixed = {}, False
        self.cursor = cursor
        if page is None:
            return
        for key, row in zip(reversed(page.keys), reversed(page.rows), strict=True):
            at = self.identity.cursor(row)
            if at == cursor:
                self.here[key] = self.identity.version(row)
            elif page.clean:
                return  # they ascend: no more of them
            elif at is None or at > cursor:
                self.moved[key] = self.identity.version(row)

    def remember(self, rows: list[Row]) -> None:
        """Remember rows of a reading that does not move on: each may come again."""
        self.mixed = self.mixed or bool(rows)
        for row in rows:
            self.here[self.identity.key(row)] = self.identity.version(row)
