"""Warehouses, delivery options, carriers."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

warehouses = Stream(
    name="warehouses",
    family="logistics",
    doc="Get Warehouse List",
    method="GET",
    path="/logistics/{version}/warehouses",
    version="202309",
    list_key="warehouses",
    primary_key=("id",),
    paging=Paging(token_in=None),
    scope="seller.logistics",
    personal_fields=(
        "address.contact_person",
        "address.first_name",
        "address.last_name",
        "address.first_name_local_script",
        "address.last_name_local_script",
        "address.phone_number",
        "address.full_address",
        "address.address_line1",
        "address.address_line2",
        "address.address_line3",
        "address.address_line4",
        "address.postal_code",
    ),
)

delivery_options = Stream(
    name="delivery_options",
    family="logistics",
    doc="Get Warehouse Delivery Options",
    method="GET",
    path="/logistics/{version}/warehouses/{warehouse_id}/delivery_options",
    version="202309",
    list_key="delivery_options",
    primary_key=("warehouse_id", "id"),
    paging=Paging(token_in=None),
    parent=Parent(stream="warehouses", field="id", param="warehouse_id", where="path", into="warehouse_id"),
    filters=(Filter(name="scope", where="query"),),
    scope="seller.logistics",
)

shipping_providers = Stream(
    name="shipping_providers",
    family="logistics",
    doc="Get Shipping Providers",
    method="GET",
    path="/logistics/{version}/delivery_options/{delivery_option_id}/shipping_providers",
    version="202309",
    list_key="shipping_providers",
    primary_key=("delivery_option_id", "id"),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="delivery_options", field="id", param="delivery_option_id", where="path", into="delivery_option_id"
    ),
    filters=(Filter(name="warehouse_region", where="query"), Filter(name="buyer_region", where="query")),
    scope="seller.logistics",
)

global_warehouses = Stream(
    name="global_warehouses",
    family="logistics",
    doc="Get Global Seller Warehouses",
    method="GET",
    path="/logistics/{version}/global_warehouses",
    version="202309",
    list_key="global_warehouses",
    primary_key=("id",),
    paging=Paging(token_in=None),
    needs_shop_cipher=False,
    scope="seller.shop.info",
)

logistics_tracking = Stream(
    name="logistics_tracking",
    family="logistics",
    doc="Get Logistics Tracking",
    method="GET",
    path="/logistics/{version}/orders/{order_id}/tracking",
    version="202604",
    list_key="logistics_details",
    primary_key=("order_id", "newest_tracking_no"),
    paging=Paging(token_in=None),
    parent=Parent(stream="orders", field="id", param="order_id", where="path", into="order_id"),
    note="One request an order; see order_tracking.",
)

STREAMS = (warehouses, delivery_options, shipping_providers, global_warehouses, logistics_tracking)
