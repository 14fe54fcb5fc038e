"""Goods that TikTok stores and ships for the shop: three of its products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.catalogue import product_skus
from airflow_provider_tiktokshop.emulator.data.filling import ABSENT
from airflow_provider_tiktokshop.emulator.data.records import DAY, ShopRecords
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.listing import Between, Listing, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_PRODUCTS = 3
_WAREHOUSES = 2
_INBOUNDS = 6


def _goods(records: ShopRecords) -> list[dict[str, Any]]:
    skus = [sku for product in range(_PRODUCTS) for sku in product_skus(records, product)]
    return [
        {
            "id": records.id("7421", 131, place),
            "name": f"{sku.product_name} {sku.sku_name}",
            "reference_code": sku.seller_sku,
            "sku": sku,
        }
        for place, sku in enumerate(skus)
    ]


def _warehouse(records: ShopRecords, place: int) -> str:
    return records.id("7422", 132, place)


def _tags(records: ShopRecords, goods: dict[str, Any], place: int) -> dict[str, Any]:
    return {
        "goods": goods["id"],
        "warehouse": _warehouse(records, place),
        "sku": goods["sku"].sku_id,
        "product": goods["sku"].product_id,
        "reference": goods["reference_code"],
    }


def _stock(records: ShopRecords, goods: int, place: int) -> dict[str, int]:
    available, reserved = records.bits(133, goods, place) % 90, records.bits(134, goods, place) % 9
    return {"total_quantity": available + reserved, "available_quantity": available, "reserved_quantity": reserved}


def _inventory(scope: Scope) -> Table:
    records, entries = scope.records, {}
    for number, goods in enumerate(_goods(records)):
        for place in range(_WAREHOUSES):
            held = _stock(records, number, place)
            about = {name: goods[name] for name in ("id", "name", "reference_code")}
            row = {
                "goods": about | {"skus": [{"id": goods["sku"].sku_id, "on_hand_detail": held}]},
                "fbt_warehouse_id": _warehouse(records, place),
                "on_hand_detail": held | {"unfulfillable_quantity": 0},
            }
            entries[number * _WAREHOUSES + place] = _entry(row, {}, _tags(records, goods, place))
    return Table(entries)


def _entry(row: dict[str, Any], times: dict[str, int], tags: dict[str, Any]) -> Entry:
    return Entry(lambda: row, times, tags)


def _movements(scope: Scope) -> Table:
    """Goods come in every four days, ten at a time."""
    records, entries = scope.records, {}
    for number, goods in enumerate(_goods(records)):
        place = number % _WAREHOUSES
        last = _stock(records, number, place)["total_quantity"]
        for back in range(_INBOUNDS):
            moment = records.world.clock.anchor - back * 4 * DAY - number * 600
            after = max(0, last - back * 10)
            before = max(0, after - 10)
            row = {
                "goods": {name: goods[name] for name in ("id", "name", "reference_code")},
                "fbt_warehouse_id": _warehouse(records, place),
                "order": {"id": _inbound_id(records, back), "type": "INBOUND"},
                "create_time": moment,
                "inventory_goods_type": "NORMAL",
                "initial_on_hand_quantity": before,
                "final_on_hand_quantity": after,
                "changed_quantity": after - before,
            }
            tags = _tags(records, goods, place)
            entries[number * _INBOUNDS + back] = _entry(row, {"create_time": moment}, tags)
    return Table(entries)


def _inbound_id(records: ShopRecords, back: int) -> str:
    return records.id("7423", 135, back)


def _goods_rows(scope: Scope) -> Table:
    records, entries = scope.records, {}
    for number, goods in enumerate(_goods(records)):
        sku = goods["sku"]
        product = {"id": sku.product_id, "name": sku.product_name, "image_url": sku.image}
        sold = {"id": sku.sku_id, "name": sku.sku_name, "image_url": sku.image, "product": product}
        row = {name: goods[name] for name in ("id", "name", "reference_code")} | {
            "image_url": sku.image,
            "barcodes": [],
            "skus": [sold | {"regions": [records.region.code], "matched": True}],
            "lot_expiration_info": ABSENT,
            "hazmat_info": ABSENT,
        }
        entries[number] = _entry(row, {}, _tags(records, goods, 0))
    return Table(entries)


def _warehouses(scope: Scope) -> Table:
    records = scope.records
    rows = [
        {"fbt_warehouse_id": _warehouse(records, place), "name": f"Example FBT {place + 1}", "warehouse_ids": []}
        for place in range(_WAREHOUSES)
    ]
    return table_of(rows)


def _inbounds(scope: Scope) -> Table:
    records = scope.records
    known = {_inbound_id(records, back): back for back in range(_INBOUNDS)}
    rows: list[dict[str, Any]] = []
    for wanted in scope.params.get("order_ids") or scope.params.get("ids", ()):
        if wanted not in known:
            continue
        start = records.world.clock.anchor - known[wanted] * 4 * DAY - 3 * DAY
        own = {"id": wanted, "order_id": wanted, "order_id_string": wanted, "create_time": start}
        rows.append(own | {"ship_time": start + DAY, "carton_details": [], "planned_goods": []})
    return table_of(rows)


_CHOICES = (("goods_ids", "goods"), ("fbt_warehouse_ids", "warehouse"), ("sku_ids", "sku"))

offer(
    Listing(
        name="fbt_inventory",
        method="POST",
        template="/fbt/*/inventory/search",
        list_key="inventory",
        table=_inventory,
        key=("goods.id", "fbt_warehouse_id"),
        choices=_CHOICES,
    ),
    Listing(
        name="fbt_inventory_records",
        method="POST",
        template="/fbt/*/inventory_records/search",
        list_key="inventory_records",
        table=_movements,
        key=("goods.id", "fbt_warehouse_id", "order.id", "create_time", "inventory_goods_type"),
        ranges=(Between("create_time", "create_time_ge", "create_time_le", inclusive=True),),
        choices=_CHOICES,
        sort="create_time",
        descending=True,
    ),
    Listing(
        name="fbt_goods",
        method="POST",
        template="/fbt/*/goods/search",
        list_key="goods",
        table=_goods_rows,
        choices=(*_CHOICES, ("product_ids", "product"), ("reference_codes", "reference")),
    ),
    Listing(
        name="fbt_warehouses",
        method="GET",
        template="/fbt/*/warehouses",
        list_key="warehouses",
        table=_warehouses,
        key=("fbt_warehouse_id",),
        token_in=None,
    ),
    Listing(
        name="fbt_inbound_orders",
        method="GET",
        template="/fbt/*/inbound_orders",
        list_key="inbound_orders",
        table=_inbounds,
        key=("order_id",),
        token_in=None,
    ),
    Listing(
        name="fbt_onboarded_regions",
        method="GET",
        template="/fbt/*/merchants/onboarded_regions",
        list_key="onboarded_regions",
        table=lambda scope: table_of([{"region_code": scope.records.region.code}]),
        key=("region_code",),
        token_in=None,
    ),
)
