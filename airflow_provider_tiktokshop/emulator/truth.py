"""What there is, by primary key and time, without pages, tokens or limits: what a test compares an extraction with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.tables import INDEX_MASK, Entry, Table
from airflow_provider_tiktokshop.emulator.listing import RESOURCES, Detail, Listing
from airflow_provider_tiktokshop.emulator.scope import Scope, dig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["truth"]

_FAR = 1 << 38
_OWN = ("shop_id", "open_id", "category_asset_cipher", "cursor", "ge", "lt")


def truth(world: World, name: str, query: dict[str, str]) -> list[dict[str, Any]]:
    """Return the primary key and the times of every row of a resource.

    :param query: ``shop_id``, or ``open_id`` (and ``category_asset_cipher``) for what belongs to a user; ``cursor``,
        ``ge`` and ``lt`` for a half-open range; anything else is a parameter of the request that the rows answer. For a
        resource with parents and no times of its own, the range is one of its parents.
    :raises LookupError: no such resource, shop or user.
    """
    scope = _scope(world, query)
    cursor, ge, lt = query.get("cursor", ""), int(query.get("ge", 0)), int(query.get("lt", _FAR))
    return [row for row, _made in _rows(scope, name, (cursor, ge, lt))]


def _scope(world: World, query: dict[str, str]) -> Scope:
    params = {field: value for field, value in query.items() if field not in _OWN}
    if "open_id" in query:
        # A creator's own endpoints take a shop's id as a parameter.
        params |= {field: query[field] for field in ("shop_id",) if field in query}
    elif "shop_id" in query:
        shop = world.shops.get(query["shop_id"])
        account = next((one for one in world.accounts.values() if shop in one.shops), None)
        if shop is None or account is None:
            raise LookupError(f"no shop {query['shop_id']!r}")
        return Scope(world, account, account.shops, shop, None, params)
    account = world.accounts.get(query.get("open_id", ""))
    if account is None:
        raise LookupError("name a shop_id or an open_id")
    asset = next((one for one in account.assets if one.cipher == query.get("category_asset_cipher", one.cipher)), None)
    return Scope(world, account, account.shops, None, asset, params)


def _rows(scope: Scope, name: str, span: tuple[str, int, int]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    if name in {"orders", "order_detail"}:
        for order in scope.records.orders.truth(span[0] or "create_time", span[1], span[2]):
            yield order, order
        return
    if name in {"authorized_shops", "active_shops"}:
        yield from ((shop.public(), {}) for shop in scope.shops if shop.active or name == "authorized_shops")
        return
    resource = RESOURCES.get(name)
    if resource is None:
        raise LookupError(f"no rows are called {name!r}; there are: orders, {', '.join(sorted(RESOURCES))}")
    own_times = isinstance(resource, Listing) and resource.ranges
    for inner, parent in _parents(scope, resource, ("", 0, _FAR) if own_times else span):
        table = resource.table(inner) if isinstance(resource, Listing) else _single(resource, inner)
        cursor, ge, lt = span if own_times or resource.parent is None else ("", 0, _FAR)
        for key in table.matching(cursor, ((cursor, ge, lt),) if cursor else ()):
            entry = table.entries[key & INDEX_MASK]
            made = entry.make()
            known = parent | {field: dig(made, field) for field in resource.key}
            yield known | entry.times, made


def _parents(
    scope: Scope, resource: Listing | Detail, span: tuple[str, int, int]
) -> Iterator[tuple[Scope, dict[str, Any]]]:
    """Yield the scope of each request that the resource needs, and the parent's id that it is about."""
    parent = resource.parent
    if parent is None or parent.param in scope.params:
        yield scope, {}
        return
    for _key, made in _rows(scope, parent.name, span):
        value = dig(made, parent.field)
        # One id at a time, also where a request takes several.
        many = parent.param.endswith("_ids")
        params = scope.params | {parent.param: [str(value)] if many else value}
        inner = Scope(scope.world, scope.account, scope.shops, scope.shop, scope.asset, params)
        yield inner, {parent.into or parent.param: value}


def _single(detail: Detail, scope: Scope) -> Table:
    made = detail.make(scope)
    return Table({0: Entry(lambda: made)})
