"""How the service pages its lists: where the token goes, where the next one comes from ("Pagination" in the docs)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.api.signing import QueryValue

__all__ = ["Page", "TokenPlace", "next_request", "read_page"]

TokenPlace = Literal["query", "body", "body.pagination", "page_no"] | None
"""Where an endpoint takes page size and page token. ``page_no``: the body counts pages from 1."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    :param rows: the rows as parsed; ids and amounts as they were sent.
    :param next_page_token: asks for the next page; ``None`` on the last.
    :param total_count: how many rows match in all, where the service counts them. It drifts while paging.
    :param request_id: the service's id of the request.
    :param data: the whole ``data`` of the envelope.
    """

    rows: list[dict[str, Any]]
    next_page_token: str | None
    total_count: int | None
    request_id: str | None
    data: dict[str, Any]


def next_request(
    params: Mapping[str, QueryValue] | None,
    body: Mapping[str, Any] | None,
    page_size: int | None,
    page_token: str | None,
    place: TokenPlace,
) -> tuple[Mapping[str, QueryValue] | None, Mapping[str, Any] | None]:
    """Return query parameters and body with page size and page token where the endpoint takes them."""
    if place is None:
        return params, body
    paging: dict[str, Any] = {}
    if page_size is not None:
        paging["page_size"] = page_size
    if place == "page_no":
        return params, {**(body or {}), **paging, "page_no": int(page_token or 1)}
    if page_token:
        paging["page_token"] = page_token
    if not paging:
        return params, body
    if place == "query":
        return {**(params or {}), **paging}, body
    if place == "body":
        return params, {**(body or {}), **paging}
    return params, {**(body or {}), "pagination": paging}


def read_page(
    envelope: Mapping[str, Any],
    list_key: str | None,
    page_size: int | None,
    page_token: str | None,
    place: TokenPlace,
) -> Page:
    """Read a page out of an envelope. A list that is absent is empty."""
    data = envelope.get("data")
    if not isinstance(data, dict):
        data = {}
    found: Any = data
    holder = data
    for key in list_key.split(".") if list_key else ():
        holder = found
        found = found.get(key) if isinstance(found, dict) else None
    rows = found if isinstance(found, list) else [found] if found else []
    total = data.get("total_count")
    request_id = envelope.get("request_id")
    return Page(
        rows=rows,
        next_page_token=_next_token(data, holder, rows, page_size, page_token, place),
        total_count=total if isinstance(total, int) else None,
        request_id=request_id if isinstance(request_id, str) else None,
        data=data,
    )


def _next_token(
    data: Mapping[str, Any],
    holder: Any,
    rows: list[Any],
    page_size: int | None,
    page_token: str | None,
    place: TokenPlace,
) -> str | None:
    if place is None:
        return None
    if place == "page_no":
        # Such an endpoint names no next page: a page that is not full was the last.
        return str(int(page_token or 1) + 1) if rows and len(rows) >= (page_size or 1) else None
    # A few endpoints nest the list one level deeper, and the token with it.
    token = data.get("next_page_token") or (holder.get("next_page_token") if isinstance(holder, dict) else None)
    return str(token) if token else None
