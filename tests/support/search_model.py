"""A search endpoint in memory, with each of the ways in which page tokens may work, and rows that change in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_tiktokshop.api.client import Page
from airflow_provider_tiktokshop.api.errors import InvalidRequest

TOKENS = ("offset", "offset_cached_total", "keyset", "snapshot")


@dataclass
class SearchModel:
    """Rows sorted by ``cursor`` and then by id; ``between`` is called before every page but the first.

    :param rows: the rows; tests change them in place.
    :param cursor: the field that windows select and sort by.
    :param tokens: how page tokens work: a live offset, an offset that remembers the first total, a position in the sort
        order, or a list of ids made at the first page whose rows are then given as they are now.
    :param total: what ``total_count`` says: the truth, nothing, or more than there is.
    :param keep: a filter on fields that may change.
    :param expire_after: tokens older than so many requests are refused.
    :param duplicate: chance that a row of a page comes twice in it.
    """

    rows: list[dict[str, Any]]
    cursor: str = "update_time"
    page_size: int = 5
    tokens: str = "offset"
    total: str = "true"
    keep: Callable[[dict[str, Any]], bool] = lambda row: True
    between: Callable[[], None] = lambda: None
    expire_after: int | None = None
    duplicate: float = 0.0
    ordered: bool = True
    requests: list[tuple[int | None, int | None, str | None]] = field(default_factory=list)
    random: random.Random = field(default_factory=lambda: random.Random(1))
    _snapshots: list[list[str]] = field(default_factory=list)

    def __call__(self, start: int | None, end: int | None, token: str | None) -> Page:
        if self.requests:
            self.between()
        self.requests.append((start, end, token))
        matching = [row for row in self.rows if self._inside(row, start, end) and self.keep(row)]
        if self.ordered:
            matching.sort(key=lambda row: (row[self.cursor], row["id"]))
        if token is None:
            mode, offset, place, total, born = self.tokens, 0, "", len(matching), len(self.requests)
        else:
            mode, offset_text, place, total_text, born_text = token.split("|")
            offset, total, born = int(offset_text), int(total_text), int(born_text)
        if self.expire_after is not None and len(self.requests) - born > self.expire_after:
            raise InvalidRequest("the page token has expired")
        if mode == "snapshot":
            if token is None:
                self._snapshots.append([row["id"] for row in matching])
                place = str(len(self._snapshots) - 1)
            by_id = {row["id"]: row for row in self.rows}
            matching = [by_id[key] for key in self._snapshots[int(place)]]
        elif mode == "keyset" and place:
            at, key = place.split("/")
            matching = [row for row in matching if (row[self.cursor], row["id"]) > (int(at), key)]
            offset = 0
        live = (
            len(matching)
            if mode != "keyset"
            else len([r for r in self.rows if self._inside(r, start, end) and self.keep(r)])
        )
        rows = matching[offset : offset + self.page_size]
        more = len(matching) > offset + len(rows)
        if mode == "keyset" and rows:
            place = f"{rows[-1][self.cursor]}/{rows[-1]['id']}"
        following = f"{mode}|{offset + len(rows)}|{place}|{total}|{len(self.requests)}" if more else None
        told = {"true": total if mode in {"offset_cached_total", "snapshot"} else live, "none": None, "wrong": live + 7}
        given = [dict(row) for row in rows]
        if given and self.random.random() < self.duplicate:
            given.append(dict(given[-1]))
        return Page(given, following, told[self.total], "R", {})

    def _inside(self, row: dict[str, Any], start: int | None, end: int | None) -> bool:
        return start is None or end is None or start <= row[self.cursor] < end


def make_rows(cursors: list[int], field: str = "update_time") -> list[dict[str, Any]]:
    """Return a row for every cursor value, with ids that do not follow the cursor."""
    return [
        {"id": f"{(n * 7919) % 10_007:05d}", field: cursor, "version": 1, "status": "A"}
        for n, cursor in enumerate(cursors)
    ]
