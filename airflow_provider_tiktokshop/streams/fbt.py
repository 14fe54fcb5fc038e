"""Fulfilled by TikTok: goods, stock, inbound orders."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Cursor, Filter, Paging, Stream

__all__ = ["STREAMS"]

fbt_inventory = Stream(
    name="fbt_inventory",
    family="fbt",
    doc="Search FBT Inventory",
    method="POST",
    path="/fbt/{version}/inventory/search",
    version="202408",
    list_key="inventory",
    primary_key=("goods.id", "fbt_warehouse_id"),
    filters=(
        Filter(name="goods_ids", where="body", kind="texts", most=100),
        Filter(name="fbt_warehouse_ids", where="body", kind="texts"),
        Filter(name="sku_ids", where="body", kind="texts", most=100),
    ),
    scope="seller.fbt.info",
)

fbt_inventory_records = Stream(
    name="fbt_inventory_records",
    family="fbt",
    doc="Search FBT Inventory Record",
    method="POST",
    path="/fbt/{version}/inventory_records/search",
    version="202410",
    list_key="inventory_records",
    primary_key=("goods.id", "fbt_warehouse_id", "order.id", "create_time", "inventory_goods_type"),
    cursors=(Cursor(field="create_time", ge="create_time_ge", lt="create_time_le", where="body", inclusive_end=True),),
    default_cursor="create_time",
    filters=(
        Filter(name="goods_ids", where="body", kind="texts", most=100),
        Filter(name="fbt_warehouse_ids", where="body", kind="texts"),
    ),
    scope="seller.fbt.info",
)

fbt_warehouses = Stream(
    name="fbt_warehouses",
    family="fbt",
    doc="Get FBT Warehouse List",
    method="GET",
    path="/fbt/{version}/warehouses",
    version="202408",
    list_key="warehouses",
    primary_key=("fbt_warehouse_id",),
    paging=Paging(token_in=None),
    scope="seller.fbt.info",
)

fbt_goods = Stream(
    name="fbt_goods",
    family="fbt",
    doc="Search Goods Info",
    method="POST",
    path="/fbt/{version}/goods/search",
    version="202607",
    list_key="goods",
    primary_key=("id",),
    filters=(
        Filter(name="goods_ids", where="body", kind="texts", most=100),
        Filter(name="product_ids", where="body", kind="texts", most=100),
        Filter(name="reference_codes", where="body", kind="texts", most=100),
        Filter(name="sku_ids", where="body", kind="texts", most=100),
    ),
    scope="seller.fbt.info",
)

fbt_inbound_orders = Stream(
    name="fbt_inbound_orders",
    family="fbt",
    doc="Get FBT Inbound Order Details",
    method="GET",
    path="/fbt/{version}/inbound_orders",
    version="202602",
    list_key="inbound_orders",
    primary_key=("order_id",),
    paging=Paging(token_in=None),
    filters=(
        Filter(name="order_ids", where="query", kind="texts", required=True),
        Filter(name="include_carton_details", where="query", kind="boolean"),
    ),
    scope="seller.fbt.info",
    personal_fields=("status_logs.operator",),
    note="Nothing lists the orders: their ids come from webhook 21 and from fbt_inventory_records.",
)

fbt_onboarded_regions = Stream(
    name="fbt_onboarded_regions",
    family="fbt",
    doc="Get FBT Merchant Onboarded Regions",
    method="GET",
    path="/fbt/{version}/merchants/onboarded_regions",
    version="202409",
    list_key="onboarded_regions",
    primary_key=("region_code",),
    paging=Paging(token_in=None),
    scope="seller.fbt.info",
)

STREAMS = (fbt_inventory, fbt_inventory_records, fbt_warehouses, fbt_goods, fbt_inbound_orders, fbt_onboarded_regions)
