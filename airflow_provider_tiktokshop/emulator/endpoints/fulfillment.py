"""Packages, their tracking, and who carries them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import sales
from airflow_provider_tiktokshop.emulator.data.logistics import (
    delivery_options,
    find_option,
    find_warehouse,
    warehouses,
)
from airflow_provider_tiktokshop.emulator.data.tables import Table, table_of
from airflow_provider_tiktokshop.emulator.listing import Between, Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_ORDER = Parent("orders", "id", "order_id")


def _tracking(scope: Scope) -> Table:
    return table_of(sales.tracking(scope.records, scope.text("order_id")))


def _logistics_tracking(scope: Scope) -> Table:
    order_id = scope.text("order_id")
    events = sales.tracking(scope.records, order_id)
    number = events[0]["tracking_no"] if events else ""
    row = {"newest_tracking_no": number, "carrier_name": scope.records.region.carrier, "track_list": events}
    return table_of([row] if events else [], {"order_id": order_id})


def _combinable(scope: Scope) -> Table:
    """Packages of one buyer that wait for collection could travel together."""
    by_buyer: dict[tuple[int, int], list[str]] = {}
    for history in scope.records.histories():
        if history.status == "AWAITING_SHIPMENT":
            by_buyer.setdefault((history.life.buyer, history.life.warehouse), []).append(str(history.order_id))
    groups = [ids for ids in by_buyer.values() if len(ids) > 1]
    rows = [{"id": scope.records.id("1153", 27, int(ids[0]) % 2**60), "order_ids": ids} for ids in groups]
    return table_of(rows)


def _split(scope: Scope) -> Table:
    def row(order_id: str) -> dict[str, Any]:
        order = scope.records.order(sales.find_order(scope.records, order_id))
        can = len(order["line_items"]) > 1 and order["status"] == "AWAITING_SHIPMENT"
        return {
            "order_id": order_id,
            "can_split": can,
            "reason": "" if can else "The order cannot be split",
            "must_split": False,
            "must_split_reasons": [],
        }

    return table_of([row(order_id) for order_id in scope.params["order_ids"]])


def _options(scope: Scope) -> Table:
    find_warehouse(scope.records, scope.text("warehouse_id"))
    return delivery_options(scope.records)


def _providers(scope: Scope) -> Table:
    find_option(scope.records, scope.text("delivery_option_id"))
    return sales.provider_of(scope.records)


def _global_warehouses(scope: Scope) -> Table:
    rows = [
        {
            "id": scope.records.id("72", 28, place),
            "name": f"Example Global Warehouse {place + 1}",
            "ownership": "SELLER",
        }
        for place in range(2)
    ]
    return table_of(rows)


offer(
    Listing(
        name="packages",
        method="POST",
        template="/fulfillment/*/packages/search",
        list_key="packages",
        table=lambda scope: sales.packages(scope.records),
        ranges=tuple(Between(f"{name}_time", f"{name}_time_ge", f"{name}_time_lt") for name in ("create", "update")),
        choices=(("package_status", "status"),),
        sort="create_time",
        descending=True,
    ),
    Detail(
        name="package_detail",
        method="GET",
        template="/fulfillment/*/packages/{package_id}",
        make=lambda scope: sales.package_detail(scope.records, scope.text("package_id")),
        key=("package_id",),
        parent=Parent("packages", "id", "package_id"),
    ),
    Listing(
        name="order_tracking",
        method="GET",
        template="/fulfillment/*/orders/{order_id}/tracking",
        list_key="tracking",
        table=_tracking,
        key=("update_time_millis", "action_code"),
        token_in=None,
        parent=_ORDER,
    ),
    Listing(
        name="logistics_tracking",
        method="GET",
        template="/logistics/*/orders/{order_id}/tracking",
        list_key="logistics_details",
        table=_logistics_tracking,
        key=("newest_tracking_no",),
        token_in=None,
        parent=_ORDER,
    ),
    Listing(
        name="combinable_packages",
        method="GET",
        template="/fulfillment/*/combinable_packages/search",
        list_key="combinable_packages",
        table=_combinable,
    ),
    Listing(
        name="order_split_attributes",
        method="GET",
        template="/fulfillment/*/orders/split_attributes",
        list_key="split_attributes",
        table=_split,
        key=("order_id",),
        token_in=None,
        parent=Parent("orders", "id", "order_ids"),
    ),
    Listing(
        name="warehouses",
        method="GET",
        template="/logistics/*/warehouses",
        list_key="warehouses",
        table=lambda scope: warehouses(scope.records),
        token_in=None,
    ),
    Listing(
        name="delivery_options",
        method="GET",
        template="/logistics/*/warehouses/{warehouse_id}/delivery_options",
        list_key="delivery_options",
        table=_options,
        token_in=None,
        parent=Parent("warehouses", "id", "warehouse_id"),
    ),
    Listing(
        name="shipping_providers",
        method="GET",
        template="/logistics/*/delivery_options/{delivery_option_id}/shipping_providers",
        list_key="shipping_providers",
        table=_providers,
        token_in=None,
        parent=Parent("delivery_options", "id", "delivery_option_id"),
    ),
    Listing(
        name="global_warehouses",
        method="GET",
        template="/logistics/*/global_warehouses",
        list_key="global_warehouses",
        table=_global_warehouses,
        token_in=None,
    ),
)
