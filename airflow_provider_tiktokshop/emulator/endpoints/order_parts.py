"""What belongs to single orders: their price in detail, and their names on other platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import sales
from airflow_provider_tiktokshop.emulator.data.tables import Table, table_of
from airflow_provider_tiktokshop.emulator.listing import Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_ORDER = Parent("orders", "id", "order_id")


def _external(records: ShopRecords, index: int, name: str, platform: str) -> dict[str, Any]:
    items = [{"id": f"{name}-{place + 1}", "origin_id": item["id"]} for place, item in _items(records, index)]
    return {"id": name, "platform": platform, "line_items": items}


def _items(records: ShopRecords, index: int) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(records.order(index)["line_items"]))


def _external_orders(scope: Scope) -> Table:
    index = sales.find_order(scope.records, scope.text("order_id"))
    platform = scope.text("platform")
    name = sales.external_id(scope.records, index, platform)
    return table_of([_external(scope.records, index, name, platform)] if name else [])


def _by_external_id(scope: Scope) -> Table:
    records, platform, wanted = scope.records, scope.text("platform"), scope.text("external_order_id")
    for index in range(len(records.orders)):
        if sales.external_id(records, index, platform) == wanted:
            row = {"id": str(records.orders.order_id(index))}
            return table_of([row | {"external_order": _external(records, index, wanted, platform)}])
    return table_of([])


offer(
    Detail(
        name="order_price_detail",
        method="GET",
        template="/order/*/orders/{order_id}/price_detail",
        make=lambda scope: sales.price_detail(scope.records, scope.text("order_id")),
        key=(),
        parent=_ORDER,
    ),
    Listing(
        name="external_orders",
        method="GET",
        template="/order/*/orders/{order_id}/external_orders",
        list_key="external_orders",
        table=_external_orders,
        key=("platform", "id"),
        token_in=None,
        parent=_ORDER,
    ),
    Listing(
        name="external_order_search",
        method="POST",
        template="/order/*/orders/external_order_search",
        list_key="orders",
        table=_by_external_id,
        token_in=None,
    ),
)
