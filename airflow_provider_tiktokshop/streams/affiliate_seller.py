"""A seller's affiliate orders, collaborations and samples."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

affiliate_seller_orders = Stream(
    name="affiliate_seller_orders",
    family="affiliate_seller",
    doc="Search Seller Affiliate Orders",
    method="POST",
    path="/affiliate_seller/{version}/orders/search",
    version="202410",
    list_key="orders",
    primary_key=("id",),
    cursors=(Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="body"),),
    default_cursor="create_time",
    lookback=60 * DAY,
    window_cap=89 * DAY,
    filters=(Filter(name="program_id", where="body"),),
    scope="seller.affiliate_collaboration.read",
    personal_fields=("skus.creator_username",),
    note=(
        "Commission is settled weeks after the order, so the last 60 days are read again. A window may not be "
        "longer than three months."
    ),
)

affiliate_seller_open_collaborations = Stream(
    name="affiliate_seller_open_collaborations",
    family="affiliate_seller",
    doc="Search Open Collaborations",
    method="POST",
    path="/affiliate_seller/{version}/open_collaborations/search",
    version="202412",
    list_key="open_collaborations",
    primary_key=("id",),
    filters=(
        Filter(name="keyword_type", where="body", known=("PRODUCT_ID", "PRODUCT_NAME")),
        Filter(name="keyword", where="body"),
        Filter(name="top_level_category_id", where="body"),
    ),
    scope="seller.affiliate_collaboration.read",
)

affiliate_seller_target_collaborations = Stream(
    name="affiliate_seller_target_collaborations",
    family="affiliate_seller",
    doc="Search Target Collaborations",
    method="POST",
    path="/affiliate_seller/{version}/target_collaborations/search",
    version="202508",
    list_key="target_collaborations",
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(size_min=20),
    filters=(
        Filter(name="collaboration_status", where="body", required=True),
        Filter(name="creator_accept_status", where="body", known=("ACCEPT", "ALL")),
        Filter(name="free_sample_setting", where="body"),
        Filter(
            name="search_param.keyword_type",
            where="body",
            known=("PRODUCT_ID", "PRODUCT_NAME", "TARGET_COLLABORATION_ID", "TARGET_COLLABORATION_NAME"),
        ),
        Filter(name="search_param.keyword", where="body"),
        Filter(name="creator_user_open_id", where="body"),
    ),
    scope="seller.affiliate_collaboration.read",
    personal_fields=("message",),
    note="A page holds 20, 50 or 100.",
)

affiliate_seller_target_collaboration_detail = Stream(
    name="affiliate_seller_target_collaboration_detail",
    family="affiliate_seller",
    doc="Query Target Collaboration Detail",
    method="GET",
    path="/affiliate_seller/{version}/target_collaborations/{target_collaboration_id}",
    version="202508",
    list_key="target_collaboration",
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(
        stream="affiliate_seller_target_collaborations", field="id", param="target_collaboration_id", where="path"
    ),
    scope="seller.affiliate_collaboration.read",
    personal_fields=("message", "seller_contact_info", "creators.username", "creators.nickname", "creators.avatar"),
    note="One request a collaboration.",
)

affiliate_seller_sample_applications = Stream(
    name="affiliate_seller_sample_applications",
    family="affiliate_seller",
    doc="Search Sample Applications",
    method="POST",
    path="/affiliate_seller/{version}/sample_applications/search",
    version="202508",
    list_key="sample_applications",
    primary_key=("id",),
    paging=Paging(size_max=50),
    filters=(
        Filter(name="product_id", where="body"),
        Filter(name="title", where="body"),
        Filter(name="creator_user_oepn_id", where="body"),
        Filter(name="username", where="body"),
        Filter(name="target_collabration_id", where="body"),
        Filter(name="order_id", where="body"),
        Filter(
            name="status",
            where="body",
            known=(
                "AWAITING_SHIPMENT",
                "COMPLETED",
                "CONTENT_PENDING",
                "DEL_OPEN_COLLAB",
                "OPS_CANCELLED",
                "OPS_COMPLETED",
                "OPS_FAILED",
                "OVERDUE_CANCELLED",
                "PENDING",
                "REJECT_CANCELLED",
                "SELLER_NOT_SHIP_CANCELLED",
                "SHIPPED",
                "UNFULFILLABLE_CANCELLED",
                "UNFULFILL_CANCELLED",
                "WITHDRAW_CANCELLED",
            ),
        ),
    ),
    scope="seller.affiliate_collaboration.read",
    personal_fields=("creator.username", "creator.nickname", "creator.avatar_url"),
)

affiliate_seller_sample_fulfillments = Stream(
    name="affiliate_seller_sample_fulfillments",
    family="affiliate_seller",
    doc="Search Sample Application Fulfillments",
    method="POST",
    path="/affiliate_seller/{version}/sample_applications/{application_id}/fulfillments/search",
    version="202409",
    list_key="fulfillments",
    primary_key=("application_id", "product.id", "content.id"),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="affiliate_seller_sample_applications",
        field="id",
        param="application_id",
        where="path",
        into="application_id",
    ),
    filters=(Filter(name="content_format", where="body", known=("LIVE", "VIDEO")),),
    scope="seller.affiliate_collaboration.read",
    note="One request an application.",
)

affiliate_seller_sample_rules = Stream(
    name="affiliate_seller_sample_rules",
    family="affiliate_seller",
    doc="Get Open Collaboration Sample Rules",
    method="GET",
    path="/affiliate_seller/{version}/open_collaborations/sample_rules",
    version="202410",
    list_key="sample_rules",
    primary_key=("product_id",),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="affiliate_seller_open_collaborations", field="product.id", param="product_ids", where="query", batch=20
    ),
    scope="seller.affiliate_collaboration.read",
    note="How many products a request takes is not documented.",
)

affiliate_seller_creator_content = Stream(
    name="affiliate_seller_creator_content",
    family="affiliate_seller",
    doc="Get Open Collaboration Creator Content Details",
    method="GET",
    path="/affiliate_seller/{version}/open_collaborations/creator_content_details",
    version="202508",
    list_key="creator_content_details",
    primary_key=("product_id", "creator_profile.creator_open_id"),
    parent=Parent(
        stream="affiliate_seller_open_collaborations",
        field="product.id",
        param="product_id",
        where="query",
        into="product_id",
    ),
    scope="seller.affiliate_collaboration.read",
    personal_fields=("creator_profile.username", "creator_profile.nickname", "creator_profile.avatar"),
    note="One request a product in open collaboration.",
)

affiliate_seller_open_collaboration_products = Stream(
    name="affiliate_seller_open_collaboration_products",
    family="affiliate_seller",
    doc="Seller Search Open Collaboration Products",
    method="POST",
    path="/affiliate_seller/{version}/open_collaborations/products/search",
    version="202405",
    list_key="products",
    primary_key=("id",),
    paging=Paging(size_max=20),
    filters=(
        Filter(name="title_keywords", where="body", kind="texts"),
        Filter(name="sales_price_range.amount_ge", where="body"),
        Filter(name="sales_price_range.amount_lt", where="body"),
        Filter(name="category.id", where="body"),
        Filter(name="commission_rate_range.rate_ge", where="body", kind="integer"),
        Filter(name="commission_rate_range.rate_lt", where="body", kind="integer"),
    ),
    scope="seller.affiliate_collaboration.read",
)

STREAMS = (
    affiliate_seller_orders,
    affiliate_seller_open_collaborations,
    affiliate_seller_target_collaborations,
    affiliate_seller_target_collaboration_detail,
    affiliate_seller_sample_applications,
    affiliate_seller_sample_fulfillments,
    affiliate_seller_sample_rules,
    affiliate_seller_creator_content,
    affiliate_seller_open_collaboration_products,
)
