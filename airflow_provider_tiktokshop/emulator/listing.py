"""Answers list, search and detail endpoints from a declaration of each: what it filters, sorts and pages by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from airflow_provider_tiktokshop.emulator.data.filling import Filler, hash_of
from airflow_provider_tiktokshop.emulator.data.tables import INDEX_MASK, Range, Table
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.ids import mix
from airflow_provider_tiktokshop.emulator.paging import begin_page, take_page
from airflow_provider_tiktokshop.emulator.regions import region_of
from airflow_provider_tiktokshop.emulator.registry import serves
from airflow_provider_tiktokshop.emulator.scope import Scope, dig
from airflow_provider_tiktokshop.emulator.shapes import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.emulator.call import Call
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["RESOURCES", "Between", "Detail", "Listing", "Parent", "offer", "row_filler"]

_FAR = 1 << 38


@dataclass(frozen=True, slots=True)
class Between:
    """A documented range: rows with ``ge <= field < end``, or ``<= end`` where ``inclusive``."""

    field: str
    ge: str
    end: str
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """The resource whose rows' ``field`` a request is about, as its parameter ``param``.

    :param into: what the truth endpoint calls that id, where the rows have a field of the parameter's name already.
    """

    name: str
    field: str
    param: str
    into: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list or search endpoint, in all of its versions.

    :param name: what the truth endpoint calls it.
    :param key: field or fields that name a row.
    :param choices: parameters and the tags that must be one of their values.
    :param sort: default sort field; "" keeps the order in which rows were made. ``by`` replaces it when ``sort_field`` of
        the request names another one.
    :param token_in: where ``page_size`` and ``page_token`` are; None when one answer holds everything.
    :param check: refuses a request before it is answered.
    """

    name: str
    method: str
    template: str
    list_key: str
    table: Callable[[Scope], Table]
    key: tuple[str, ...] = ("id",)
    ranges: tuple[Between, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    sort: str = ""
    descending: bool = False
    sort_in: str = ""
    token_in: Literal["query", "body", "pagination", "page_no"] | None = "query"  # noqa: S105 - a place
    page_size: int = 20
    result_cap: bool = False
    parent: Parent | None = None
    check: Callable[[Scope], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """An endpoint whose ``data`` is one object, in all of its versions."""

    name: str
    method: str
    template: str
    make: Callable[[Scope], dict[str, Any]]
    key: tuple[str, ...] = ("id",)
    parent: Parent | None = None


RESOURCES: dict[str, Listing | Detail] = {}


def offer(*resources: Listing | Detail) -> None:
    """Serve these endpoints."""
    for resource in resources:
        RESOURCES[resource.name] = resource
        if isinstance(resource, Listing):
            serves(resource.method, resource.template)(_list_handler(resource))
        else:
            serves(resource.method, resource.template)(_detail_handler(resource))


def row_filler(scope: Scope, salt: int = 0) -> Filler:
    """Return what completes the rows of this scope."""
    shop = scope.shop or next(iter(scope.shops), None)
    code = shop.region if shop else scope.asset.target_market if scope.asset else scope.account.region
    return Filler(region_of(code), scope.world.clock.anchor, salt)


def _detail_handler(detail: Detail) -> Callable[[World, Call], bytes]:
    def answer(world: World, call: Call) -> bytes:
        scope = Scope.of(world, call)
        shape = shape_of(call.endpoint.method, call.endpoint.path)
        salt = hash_of("/".join(call.path_params.values()))
        row = row_filler(scope, salt).fill(shape, detail.make(scope))
        world.stats.rows_served += 1
        return orjson.dumps(row)

    return answer


def _list_handler(listing: Listing) -> Callable[[World, Call], bytes]:
    def answer(world: World, call: Call) -> bytes:
        return _answer(world, call, listing)

    return answer


def _answer(world: World, call: Call, listing: Listing) -> bytes:
    scope = Scope.of(world, call)
    if listing.check:
        listing.check(scope)
    size, token = _page_of(listing, scope)
    order = dig(call.body, listing.sort_in) if listing.sort_in else call.query
    order = order if isinstance(order, dict) else {}
    sort = str(order.get("sort_field", listing.sort)).lower()
    ascending = str(order.get("sort_order", "DESC" if listing.descending else "ASC")).upper() == "ASC"
    request = begin_page(world, call, size, token, ascending=ascending)
    ranges = _ranges(listing, scope, request.position.as_of)
    chosen = tuple((tag, _wanted(dig(scope.params, param))) for param, tag in listing.choices)
    choices = tuple((tag, wanted) for tag, wanted in chosen if wanted)
    table = listing.table(scope)
    keys = table.matching(sort, ranges, choices)
    if listing.result_cap and request.position.served >= world.settings.result_cap:
        raise refuse(12052180)
    if listing.token_in == "page_no":  # noqa: S105 - a place
        start = (max(int(scope.params.get("page_no", 1)), 1) - 1) * size
        page, following = keys[start : start + size], ""
    else:
        page, following = take_page(world, request, request.kept or (keys, 0, len(keys)))
    shape = shape_of(call.endpoint.method, call.endpoint.path)
    # A few endpoints renamed their list from one version to the next.
    list_key = next(name for name in listing.list_key.split("|") if name.partition(".")[0] in shape)
    rows = [_render(call, scope, table, _row_shape(shape, list_key), key) for key in page]
    world.stats.rows_served += len(rows)
    return orjson.dumps(_data(world, scope, call, list_key, table, rows, following, len(keys)))


def _page_of(listing: Listing, scope: Scope) -> tuple[int, str]:
    if listing.token_in is None:
        return 1 << 30, ""
    where = scope.params.get("pagination", {}) if listing.token_in == "pagination" else scope.params  # noqa: S105 - a place
    size = int(where.get("page_size") or listing.page_size)
    if not 0 < size <= 1000:
        raise refuse(36009004, "Invalid 'page_size'")
    return size, str(where.get("page_token", ""))


def _ranges(listing: Listing, scope: Scope, as_of: int) -> tuple[Range, ...]:
    found: list[Range] = []
    for between in listing.ranges:
        ge, end = dig(scope.params, between.ge), dig(scope.params, between.end)
        if ge is None and end is None:
            continue
        start, stop = int(ge or 0), int(end) if end is not None else as_of
        if start < 0 or (end is not None and stop < start):
            raise refuse(36009004, f"Invalid '{between.end}': the range ends before it starts")
        found.append((between.field, start, stop + 1 if between.inclusive and end is not None else stop))
    return tuple(found)


def _wanted(value: Any) -> tuple[Any, ...]:
    if value is None or value == "" or value == []:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _row_shape(shape: dict[str, Any], list_key: str) -> Any:
    value: Any = shape
    for name in list_key.split("."):
        value = value[name]
    return value[0] if isinstance(value, list) else value


def _render(call: Call, scope: Scope, table: Table, shape: Any, key: int) -> bytes:
    index = key & INDEX_MASK
    row = table.rendered.get((call.endpoint.path, index))
    if row is None:
        made = table.entries[index].make()
        if isinstance(shape, dict):
            made = row_filler(scope, mix(index)).fill(shape, made)
            row = orjson.dumps(made)
        else:
            row = orjson.dumps(made["value"])
        table.rendered[call.endpoint.path, index] = row
    return row


def _data(
    world: World, scope: Scope, call: Call, list_key: str, table: Table, rows: list[bytes], token: str, total: int
) -> dict[str, Any]:
    """Return ``data`` with what its version documents: the list, the next page's token, the count, and the extras."""
    shape = shape_of(call.endpoint.method, call.endpoint.path)
    known = {"total_count": total, "next_page_token": token, "has_more": bool(token), **table.extra}
    filler = row_filler(scope)
    # The list may lie one level down, next to some of the extras.
    head, _, last = list_key.rpartition(".")
    levels = [(shape, head or last), (shape[head], last)] if head else [(shape, last)]
    made: list[dict[str, Any]] = []
    for level, key in levels:
        plain = {name: kind for name, kind in level.items() if name != key}
        made.append(filler.fill(plain, {name: value for name, value in known.items() if name in plain}))
        if made[-1].get("next_page_token") == "" and world.settings.last_page == "no_token":
            del made[-1]["next_page_token"]
    if isinstance(levels[-1][0][last], dict):
        # A few answers hold one object where others have a list.
        made[-1][last] = orjson.Fragment(rows[0]) if rows else {}
    elif rows or world.settings.empty_list == "array":
        made[-1][last] = [orjson.Fragment(row) for row in rows]
    return made[0] | {head: made[1]} if head else made[0]
