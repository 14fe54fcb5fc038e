"""What a creator sees of affiliate sales. Takes a creator's authorization."""

from __future__ import annotations

from types import MappingProxyType

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Stream

__all__ = ["STREAMS"]

affiliate_creator_orders = Stream(
    name="affiliate_creator_orders",
    family="affiliate_creator",
    doc="Search Creator Affiliate Orders",
    method="POST",
    path="/affiliate_creator/{version}/orders/search",
    version="202410",
    list_key="orders",
    primary_key=("id",),
    cursors=(Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="body"),),
    default_cursor="create_time",
    lookback=60 * DAY,
    window_cap=89 * DAY,
    needs_shop_cipher=False,
    user_type=1,
    scope="creator.affiliate_collaboration.read",
    note=(
        "Commission is settled weeks after the order, so the last 60 days are read again. The three months that a "
        "seller's window may have are assumed."
    ),
)

affiliate_creator_showcase_products = Stream(
    name="affiliate_creator_showcase_products",
    family="affiliate_creator",
    doc="Get Showcase Products",
    method="GET",
    path="/affiliate_creator/{version}/showcases/products",
    version="202405",
    list_key="products",
    primary_key=("id",),
    paging=Paging(size_max=20),
    params=MappingProxyType({"origin": "SHOWCASE"}),
    filters=(Filter(name="origin", where="query"),),
    needs_shop_cipher=False,
    user_type=1,
    scope="creator.showcase.read",
)

affiliate_creator_target_collaborations = Stream(
    name="affiliate_creator_target_collaborations",
    family="affiliate_creator",
    doc="Search Creator Target Collaborations",
    method="POST",
    path="/affiliate_creator/{version}/target_collaborations/search",
    version="202405",
    list_key="target_collaborations",
    primary_key=("id",),
    filters=(
        Filter(name="shop_id", where="body", required=True),
        Filter(name="keyword_type", where="body", known=("TARGET_COLLABORATIONS_ID", "TARGET_COLLABORATIONS_NAME")),
        Filter(name="keyword", where="body"),
    ),
    needs_shop_cipher=False,
    user_type=1,
    scope="creator.affiliate_collaboration.read",
)

affiliate_creator_sample_applications = Stream(
    name="affiliate_creator_sample_applications",
    family="affiliate_creator",
    doc="Search Creator Sample Applications",
    method="POST",
    path="/affiliate_creator/{version}/sample_applications/search",
    version="202412",
    list_key="sample_applications",
    primary_key=("id",),
    paging=Paging(size_max=50),
    filters=(Filter(name="application_statuses", where="body", kind="texts"),),
    needs_shop_cipher=False,
    user_type=1,
    scope="creator.affiliate_collaboration.read",
)

affiliate_creator_sample_fulfillments = Stream(
    name="affiliate_creator_sample_fulfillments",
    family="affiliate_creator",
    doc="Creator Search Sample Application Fulfillments",
    method="POST",
    path="/affiliate_creator/{version}/sample_applications/fulfillments/search",
    version="202409",
    list_key="fulfillments",
    primary_key=("id",),
    paging=Paging(token_in=None),
    body=MappingProxyType(
        {
            "fulfillment_statuses": [
                "PENDING",
                "ONGOING",
                "SUSPEND",
                "OVERDUE",
                "SUCCEED",
                "FAILED",
                "EXEMPTED",
                "CANCELLED",
            ]
        }
    ),
    filters=(
        Filter(
            name="fulfillment_statuses",
            where="body",
            kind="texts",
            known=("CANCELLED", "EXEMPTED", "FAILED", "ONGOING", "OVERDUE", "PENDING", "SUCCEED", "SUSPEND"),
        ),
    ),
    needs_shop_cipher=False,
    user_type=1,
    scope="creator.affiliate_collaboration.read",
    note="In whatever status.",
)

affiliate_creator_open_collaboration_products = Stream(
    name="affiliate_creator_open_collaboration_products",
    family="affiliate_creator",
    doc="Search Open Collaboration Products",
    method="POST",
    path="/affiliate_creator/{version}/open_collaborations/products/search",
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
    needs_shop_cipher=False,
    user_type=1,
    scope="creator.affiliate_collaboration.read",
)

affiliate_creator_shop_products = Stream(
    name="affiliate_creator_shop_products",
    family="affiliate_creator",
    doc="Get Shop Products",
    method="GET",
    path="/affiliate_creator/{version}/shop_products",
    version="202509",
    list_key="products",
    primary_key=("id",),
    paging=Paging(size_max=20),
    filters=(Filter(name="title_keyword", where="query"),),
    needs_shop_cipher=False,
    user_type=1,
)

affiliate_creator_profile = Stream(
    name="affiliate_creator_profile",
    family="affiliate_creator",
    doc="Get Creator Profile",
    method="GET",
    path="/affiliate_creator/{version}/profiles",
    version="202508",
    list_key=None,
    primary_key=("creator_user_open_id",),
    paging=Paging(token_in=None),
    needs_shop_cipher=False,
    user_type=1,
    scope="creator.affiliate.info",
    personal_fields=("username", "avatar"),
)

STREAMS = (
    affiliate_creator_orders,
    affiliate_creator_showcase_products,
    affiliate_creator_target_collaborations,
    affiliate_creator_sample_applications,
    affiliate_creator_sample_fulfillments,
    affiliate_creator_open_collaboration_products,
    affiliate_creator_shop_products,
    affiliate_creator_profile,
)
