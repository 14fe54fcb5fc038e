"""Reads the rows of a stream that is asked for by the ids of its parent's rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.api.exceptions import PagingError
from airflow_provider_tiktokshop.extract.rows import Row, dig
from airflow_provider_tiktokshop.streams.asking import complete, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.api.client import TikTokShopClient
    from airflow_provider_tiktokshop.extract.plan import Plan
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["Children"]


class Children:
    """Asks for the children of parent rows, as many parents at a time as the endpoint takes.

    :param plan: what is extracted.
    :param stream: the stream of the children.
    :param client: the client.
    """

    def __init__(self, plan: Plan, stream: Stream, client: TikTokShopClient) -> None:
        if stream.parent is None:
            raise ValueError(f"{stream.name} has no parent")
        self._plan, self._stream, self._client, self._parent = plan, stream, client, stream.parent
        self._path = plan.path_of(stream)
        # Only figures have both a parent and days, and their parents carry the day that they are about.
        self._day_field = streams.get(stream.parent.stream).cursors[0].into if stream.cursors else None

    def of(self, parents: list[Row]) -> list[Row]:
        """Return the rows that belong to ``parents``."""
        wanted: dict[str | None, dict[str, None]] = {}
        for parent in parents:
            value = dig(parent, self._parent.field)
            if value in {None, ""} or any(dig(parent, name) != must for name, must in self._parent.only):
                continue
            # Several parents may name one child; on another day it is another.
            wanted.setdefault(self._day(parent), {})[str(value)] = None
        rows: list[Row] = []
        for day, found in wanted.items():
            ids = list(found)
            for start in range(0, len(ids), self._parent.batch):
                rows += self._read(ids[start : start + self._parent.batch], day)
        return rows

    def _day(self, parent: Row) -> str | None:
        return str(parent[self._day_field]) if self._day_field else None

    def _read(self, ids: list[str], day: str | None) -> Iterator[Row]:
        stream, parent, plan = self._stream, self._parent, self._plan
        path, parts = self._path, plan.conditions(stream)
        if parent.where == "path":
            path = path.replace(f"{{{parent.param}}}", ids[0])
        else:
            put(parts[parent.where], parent.param, ids if parent.batch > 1 else ids[0])
        if day is not None:
            (cursor,) = stream.cursors
            edges = (day, (date.fromisoformat(day) + timedelta(days=1)).isoformat())
            parts["query"] |= dict(zip(cursor.params, edges, strict=True))
        used: set[str] = set()
        token: str | None = None
        while True:
            page = self._client.page(
                stream.method,
                path,
                list_key=stream.list_key,
                params=parts["query"],
                body=parts["body"] or None,
                page_size=stream.paging.size_max if stream.paging.token_in else None,
                page_token=token,
                token_in=stream.paging.token_in,
                shop=plan.shop if stream.needs_shop_cipher else None,
            )
            yield from complete(
                stream,
                page.rows,
                page.data,
                shop_id=plan.shop.id if plan.shop else None,
                parent_id=ids[0] if parent.batch == 1 else None,
                date=day,
            )
            token = page.next_page_token
            if token is None:
                return
            if token in used:
                raise PagingError(
                    "The service handed out a page token a second time.", endpoint=f"{stream.method} {path}"
                )
            used.add(token)
