"""Packages and where they are."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

packages = Stream(
    name="packages",
    family="fulfillment",
    doc="Search Package",
    method="POST",
    path="/fulfillment/{version}/packages/search",
    version="202309",
    list_key="packages",
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(size_max=50),
    cursors=(
        Cursor(field="update_time", ge="update_time_ge", lt="update_time_lt", where="body", sort_field="update_time"),
        Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="body", sort_field="create_time"),
    ),
    default_cursor="update_time",
    filters=(
        Filter(
            name="package_status",
            where="body",
            known=("CANCELLED", "COMPLETED", "FULFILLING", "PROCESSING", "TO_FULFILL"),
        ),
    ),
    scope="seller.fulfillment.basic",
)

package_detail = Stream(
    name="package_detail",
    family="fulfillment",
    doc="Get Package Detail",
    method="GET",
    path="/fulfillment/{version}/packages/{package_id}",
    version="202309",
    list_key=None,
    primary_key=("package_id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(stream="packages", field="id", param="package_id", where="path"),
    scope="seller.fulfillment.basic",
    personal_fields=(
        "recipient_address.name",
        "recipient_address.phone_number",
        "recipient_address.full_address",
        "recipient_address.address_detail",
        "recipient_address.address_line1",
        "recipient_address.address_line2",
        "recipient_address.address_line3",
        "recipient_address.address_line4",
        "recipient_address.postal_code",
        "sender_address.name",
        "sender_address.phone_number",
        "sender_address.full_address",
        "sender_address.address_detail",
        "sender_address.address_line1",
        "sender_address.address_line2",
        "sender_address.address_line3",
        "sender_address.address_line4",
        "sender_address.postal_code",
    ),
    note="One request a package.",
)

order_tracking = Stream(
    name="order_tracking",
    family="fulfillment",
    doc="Get Order Tracking",
    method="GET",
    path="/fulfillment/{version}/orders/{order_id}/tracking",
    version="202309",
    list_key="tracking",
    primary_key=("order_id", "update_time_millis", "action_code"),
    paging=Paging(token_in=None),
    parent=Parent(stream="orders", field="id", param="order_id", where="path", into="order_id"),
    scope="seller.logistics",
    note=(
        "One request an order. A parcel on its way does not touch its order; the events of the way come when the "
        "order changes next, at the latest on delivery."
    ),
)

combinable_packages = Stream(
    name="combinable_packages",
    family="fulfillment",
    doc="Search Combinable Packages",
    method="GET",
    path="/fulfillment/{version}/combinable_packages/search",
    version="202309",
    list_key="combinable_packages",
    primary_key=("id",),
    paging=Paging(size_max=50),
    scope="seller.fulfillment.package.write",
)

order_split_attributes = Stream(
    name="order_split_attributes",
    family="fulfillment",
    doc="Get Order Split Attributes",
    method="GET",
    path="/fulfillment/{version}/orders/split_attributes",
    version="202309",
    list_key="split_attributes",
    primary_key=("order_id",),
    paging=Paging(token_in=None),
    parent=Parent(stream="orders", field="id", param="order_ids", where="query", batch=20),
    scope="seller.fulfillment.package.write",
    note="How many orders a request takes is not documented.",
)

STREAMS = (packages, package_detail, order_tracking, combinable_packages, order_split_attributes)
