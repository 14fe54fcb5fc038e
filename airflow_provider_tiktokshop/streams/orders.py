"""Orders."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

_STATUSES = (
    "UNPAID",
    "ON_HOLD",
    "AWAITING_SHIPMENT",
    "PARTIALLY_SHIPPING",
    "AWAITING_COLLECTION",
    "IN_TRANSIT",
    "DELIVERED",
    "COMPLETED",
    "CANCELLED",
)

# The region stays (country and its code say nothing about a person); districts go down to a village.
_PERSONAL = (
    "user_id",
    "buyer_email",
    "buyer_message",
    "buyer_nickname",
    "buyer_avatar",
    "cpf",
    "cpf_name",
    "seller_note",
    "recipient_address.name",
    "recipient_address.first_name",
    "recipient_address.last_name",
    "recipient_address.first_name_local_script",
    "recipient_address.last_name_local_script",
    "recipient_address.phone_number",
    "recipient_address.full_address",
    "recipient_address.address_detail",
    "recipient_address.address_line1",
    "recipient_address.address_line2",
    "recipient_address.address_line3",
    "recipient_address.address_line4",
    "recipient_address.postal_code",
    "recipient_address.post_town",
    "recipient_address.district_info.address_name",
    "recipient_address.delivery_preferences.drop_off_location",
)

orders = Stream(
    name="orders",
    family="orders",
    doc="Get Order List",
    method="POST",
    path="/order/{version}/orders/search",
    version="202309",
    list_key="orders",
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(size_max=100),
    cursors=(
        Cursor(field="update_time", ge="update_time_ge", lt="update_time_lt", where="body", sort_field="update_time"),
        Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="body", sort_field="create_time"),
    ),
    default_cursor="update_time",
    filters=(
        Filter(name="order_status", where="body", known=_STATUSES),
        Filter(name="shipping_type", where="body", known=("TIKTOK", "SELLER", "TIKTOK_DIGITAL")),
        Filter(name="buyer_user_id", where="body"),
        Filter(name="is_buyer_request_cancel", where="body", kind="boolean"),
        Filter(name="warehouse_ids", where="body", kind="texts", most=100),
    ),
    scope="seller.order.info",
    personal_fields=_PERSONAL,
)

order_detail = Stream(
    name="order_detail",
    family="orders",
    doc="Get Order Detail",
    method="GET",
    path="/order/{version}/orders",
    version="202507",
    list_key="orders",
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(stream="orders", field="id", param="ids", where="query", batch=50),
    scope="seller.order.info",
    personal_fields=(*_PERSONAL, "payment_auth_code"),
)

order_price_detail = Stream(
    name="order_price_detail",
    family="orders",
    doc="Get Order Price Details",
    method="GET",
    path="/order/{version}/orders/{order_id}/price_detail",
    version="202407",
    list_key=None,
    primary_key=("order_id",),
    paging=Paging(token_in=None),
    parent=Parent(stream="orders", field="id", param="order_id", where="path", into="order_id"),
    scope="seller.order.info",
    note="One request an order.",
)

external_orders = Stream(
    name="external_orders",
    family="orders",
    doc="Get External Order References",
    method="GET",
    path="/order/{version}/orders/{order_id}/external_orders",
    version="202406",
    list_key="external_orders",
    primary_key=("order_id", "platform", "id"),
    paging=Paging(token_in=None),
    parent=Parent(stream="orders", field="id", param="order_id", where="path", into="order_id"),
    filters=(
        Filter(
            name="platform",
            where="query",
            known=(
                "AMAZON",
                "BIGCOMMERCE",
                "CHANNEL_ADVISOR",
                "ERP_SYSTEM",
                "MAGENTO",
                "ORDER_MANAGEMENT_SYSTEM",
                "SALESFORCE_COMMERCE_CLOUD",
                "SHOPIFY",
                "WAREHOUSE_MANAGEMENT_SYSTEM",
                "WOOCOMMERCE",
            ),
            required=True,
        ),
    ),
    scope="seller.order.ext_ref.read",
    note="One request an order: the references that one external system has to it.",
)


STREAMS = (orders, order_detail, order_price_detail, external_orders)
