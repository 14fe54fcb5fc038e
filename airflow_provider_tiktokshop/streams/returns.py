"""Returns, refunds and cancellations."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

_TIMES = (
    Cursor(field="update_time", ge="update_time_ge", lt="update_time_lt", where="body", sort_field="update_time"),
    Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="body", sort_field="create_time"),
)
_FILTERED_TIMES = (
    Cursor(
        field="update_time",
        ge="filters.time.update_time.min_unix_time_inclusive",
        lt="filters.time.update_time.max_unix_time_exclusive",
        where="body",
        sort_field="UPDATE_TIME",
        sort_in="body.sort",
    ),
    Cursor(
        field="create_time",
        ge="filters.time.create_time.min_unix_time_inclusive",
        lt="filters.time.create_time.max_unix_time_exclusive",
        where="body",
        sort_field="CREATE_TIME",
        sort_in="body.sort",
    ),
)

returns = Stream(
    name="returns",
    family="returns",
    doc="Search Returns",
    method="POST",
    path="/return_refund/{version}/returns/search",
    version="202602",
    list_key="return_orders",
    primary_key=("return_id",),
    version_field="update_time",
    paging=Paging(size_max=50, size_min=10),
    cursors=_TIMES,
    default_cursor="update_time",
    filters=(
        Filter(name="return_ids", where="body", kind="texts"),
        Filter(name="order_ids", where="body", kind="texts"),
        Filter(name="buyer_user_ids", where="body", kind="texts"),
        Filter(
            name="return_types",
            where="body",
            kind="texts",
            known=("EXCHANGE", "REFUND", "REPLACEMENT", "RETURN_AND_REFUND"),
        ),
        Filter(
            name="return_status",
            where="body",
            kind="texts",
            known=(
                "AWAITING_BUYER_RESPONSE",
                "AWAITING_BUYER_SHIP",
                "BUYER_SHIPPED_ITEM",
                "EXCHANGE_REQUEST_CANCEL",
                "EXCHANGE_REQUEST_COMPLETE",
                "EXCHANGE_REQUEST_PENDING",
                "EXCHANGE_REQUEST_REFUND_SUCCESS",
                "REFUND_OR_RETURN_REQUEST_REJECT",
                "REJECT_RECEIVE_PACKAGE",
                "REPLACEMENT_REQUEST_CANCEL",
                "REPLACEMENT_REQUEST_COMPLETE",
                "REPLACEMENT_REQUEST_PENDING",
                "REPLACEMENT_REQUEST_REFUND_SUCCESS",
                "REPLACEMENT_REQUEST_REJECT",
                "RETURN_OR_REFUND_REQUEST_CANCEL",
                "RETURN_OR_REFUND_REQUEST_COMPLETE",
                "RETURN_OR_REFUND_REQUEST_PENDING",
                "RETURN_OR_REFUND_REQUEST_SUCCESS",
            ),
        ),
        Filter(name="seller_proposed_return_type", where="body", kind="texts"),
        Filter(
            name="arbitration_status",
            where="body",
            kind="texts",
            known=("CLOSED", "IN_PROGRESS", "SUPPORT_BUYER", "SUPPORT_SELLER"),
        ),
        Filter(name="locale", where="body"),
    ),
    scope="seller.return_refund.basic",
    personal_fields=("return_warehouse_address.full_address",),
)

cancellations = Stream(
    name="cancellations",
    family="returns",
    doc="Search Cancellations",
    method="POST",
    path="/return_refund/{version}/cancellations/search",
    version="202602",
    list_key="cancellations",
    primary_key=("cancel_id",),
    version_field="update_time",
    paging=Paging(size_max=50),
    cursors=_TIMES,
    default_cursor="update_time",
    filters=(
        Filter(name="cancel_ids", where="body", kind="texts"),
        Filter(name="order_ids", where="body", kind="texts"),
        Filter(name="buyer_user_ids", where="body", kind="texts"),
        Filter(name="cancel_types", where="body", kind="texts", known=("BUYER_CANCEL", "CANCEL")),
        Filter(
            name="cancel_status",
            where="body",
            kind="texts",
            known=(
                "CANCELLATION_REQUEST_CANCEL",
                "CANCELLATION_REQUEST_COMPLETE",
                "CANCELLATION_REQUEST_PENDING",
                "CANCELLATION_REQUEST_SUCCESS",
            ),
        ),
        Filter(name="locale", where="body"),
    ),
    scope="seller.return_refund.basic",
)

return_records = Stream(
    name="return_records",
    family="returns",
    doc="Get Return Records",
    method="GET",
    path="/return_refund/{version}/returns/{return_id}/records",
    version="202309",
    list_key="records",
    primary_key=("return_id", "create_time", "event"),
    paging=Paging(token_in=None),
    parent=Parent(stream="returns", field="return_id", param="return_id", where="path", into="return_id"),
    filters=(Filter(name="locale", where="query"),),
    scope="seller.return_refund.basic",
    personal_fields=("note", "images", "videos"),
    note="One request a return.",
)

reject_reasons = Stream(
    name="reject_reasons",
    family="returns",
    doc="Get Reject Reasons",
    method="GET",
    path="/return_refund/{version}/reject_reasons",
    version="202309",
    list_key="reasons",
    primary_key=("return_id", "name"),
    paging=Paging(token_in=None),
    parent=Parent(stream="returns", field="return_id", param="return_or_cancel_id", where="query", into="return_id"),
    filters=(Filter(name="locale", where="query"),),
    scope="seller.return_refund.basic",
    note="One request a return: for which reasons it could be refused now.",
)

aftersale_eligibility = Stream(
    name="aftersale_eligibility",
    family="returns",
    doc="Get Aftersale Eligibility",
    method="GET",
    path="/return_refund/{version}/orders/{order_id}/aftersale_eligibility",
    version="202602",
    list_key="sku_eligibility",
    primary_key=("order_id", "sku_id"),
    paging=Paging(token_in=None),
    parent=Parent(stream="orders", field="id", param="order_id", where="path", into="order_id"),
    filters=(
        Filter(name="initiate_aftersale_user", where="query", known=("BUYER", "SELLER")),
        Filter(name="request_types", where="query", kind="texts", known=("CANCEL", "REFUND", "RETURN_AND_REFUND")),
    ),
    scope="seller.return_refund.basic",
    note="One request an order: what could be asked for now.",
)

aftersales_requests = Stream(
    name="aftersales_requests",
    family="returns",
    doc="Search Aftersales Requests",
    method="POST",
    path="/return_refund/{version}/aftersales/search",
    version="202603",
    list_key="aftersales_requests",
    primary_key=("id",),
    paging=Paging(token_in="body.pagination"),  # noqa: S106 - a place, not a secret
    cursors=_FILTERED_TIMES,
    default_cursor="update_time",
    filters=(
        Filter(name="locale", where="query"),
        Filter(
            name="whitelisted_data_fields",
            where="body",
            kind="texts",
            known=("LINE_ITEMS", "RETURN_MERCHANDISE_AUTHORIZATIONS", "SKU_RETURN_REQUESTS"),
        ),
        Filter(name="filters.aftersales_request_ids", where="body", kind="texts"),
        Filter(
            name="filters.aftersales_request_statuses",
            where="body",
            kind="texts",
            known=("INIT", "PENDING_REQUEST_REVIEW", "REQUEST_REVIEW_COMPLETED"),
        ),
        Filter(
            name="filters.return_types",
            where="body",
            kind="texts",
            known=("EXCHANGE", "REFUND", "REPLACEMENT", "RETURN_AND_REFUND"),
        ),
        Filter(name="filters.main_order_ids", where="body", kind="texts"),
        Filter(name="filters.buyer_ids", where="body", kind="texts"),
    ),
    personal_fields=("sku_return_requests.return_warehouse_address.full_address",),
    note="Rows come without the times that they are selected by.",
)

return_merchandise_authorizations = Stream(
    name="return_merchandise_authorizations",
    family="returns",
    doc="Search Return Merchandise Authorizations",
    method="POST",
    path="/return_refund/{version}/rma/search",
    version="202604",
    list_key="return_merchandise_authorizations",
    primary_key=("id",),
    paging=Paging(token_in="body.pagination"),  # noqa: S106 - a place, not a secret
    cursors=_FILTERED_TIMES,
    default_cursor="update_time",
    filters=(
        Filter(name="locale", where="query"),
        Filter(name="whitelisted_data_fields", where="body", kind="texts", known=("LINE_ITEMS", "SKU_RETURN_REQUESTS")),
        Filter(name="filters.rma_ids", where="body", kind="texts"),
        Filter(name="filters.package_ids", where="body", kind="texts"),
        Filter(
            name="filters.statuses",
            where="body",
            kind="texts",
            known=(
                "AWAITING_BUYER_RETURN",
                "INIT",
                "PACKAGE_REVIEW_COMPLETED",
                "PENDING_PACKAGE_REVIEW",
                "RETURN_IN_TRANSIT",
            ),
        ),
        Filter(name="filters.aftersales_request_ids", where="body", kind="texts"),
        Filter(name="filters.main_order_ids", where="body", kind="texts"),
    ),
    personal_fields=("sku_return_requests.return_warehouse_address.full_address",),
    note="Rows come without the times that they are selected by.",
)

STREAMS = (
    returns,
    cancellations,
    return_records,
    reject_reasons,
    aftersale_eligibility,
    aftersales_requests,
    return_merchandise_authorizations,
)
