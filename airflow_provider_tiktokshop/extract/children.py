"""Reads the rows of a stream that is asked for by the ids of its parent's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.exceptions import PagingError
from airflow_provider_tiktokshop.extract.rows import Row, dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.api.client import TikTokShopClient
    from airflow_provider_tiktokshop.extract.plan import Plan

__all__ = ["Children"]


class Children:
    """Asks for the children of parent rows, as many parents at a time as the endpoint takes.

    :param plan: what is extracted; its stream has a parent.
    :param client: the client.
    """

    def __init__(self, plan: Plan, client: TikTokShopClient) -> None:
        if plan.stream.parent is None:
            raise ValueError(f"{plan.stream.name} has no parent")
        self._plan, self._client, self._parent = plan, client, plan.stream.parent

    def of(self, parents: list[Row]) -> list[Row]:
        """Return the rows that belong to ``parents``."""
        ids = [str(value) for row in parents if (value := dig(row, self._parent.field)) not in {None, ""}]
        rows: list[Row] = []
        for start in range(0, len(ids), self._parent.batch):
            batch = ids[start : start + self._parent.batch]
            for row in self._read(batch):
                if self._parent.into is not None:
                    row.setdefault(self._parent.into, batch[0])
                rows.append(row)
        return rows

    def _read(self, ids: list[str]) -> Iterator[Row]:
        stream, parent = self._plan.stream, self._parent
        path, params, body = self._plan.path, dict(stream.params), dict(stream.body)
        named: Any = ids if parent.batch > 1 else ids[0]
        if parent.where == "path":
            path = path.replace(f"{{{parent.param}}}", ids[0])
        else:
            (params if parent.where == "query" else body)[parent.param] = named
        used: set[str] = set()
        token: str | None = None
        while True:
            page = self._client.page(
                stream.method,
                path,
                list_key=stream.list_key,
                params=params,
                body=body or None,
                page_size=stream.paging.size_max if stream.paging.token_in else None,
                page_token=token,
                token_in=stream.paging.token_in,
                shop=self._plan.shop if stream.needs_shop_cipher else None,
            )
            yield from page.rows
            token = page.next_page_token
            if token is None:
                return
            if token in used:
                raise PagingError(
                    "The service handed out a page token a second time.", endpoint=f"{stream.method} {path}"
                )
            used.add(token)
