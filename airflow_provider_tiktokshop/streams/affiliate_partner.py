"""Affiliate partners' campaigns and orders. Takes a partner's authorization and a category asset."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

_TIMES = (Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="body"),)

affiliate_partner_orders = Stream(
    name="affiliate_partner_orders",
    family="affiliate_partner",
    doc="Search TAP Affiliate Orders",
    method="POST",
    path="/affiliate_partner/{version}/orders/search",
    version="202603",
    list_key="sku_orders",
    primary_key=("id", "sku_id"),
    cursors=_TIMES,
    default_cursor="create_time",
    lookback=60 * DAY,
    window_cap=89 * DAY,
    filters=(Filter(name="campaign_id", where="body"),),
    needs_shop_cipher=False,
    needs_asset_cipher=True,
    user_type=3,
    scope="partner.tap_campaign.read",
    personal_fields=("creator_username",),
    note=(
        "Commission is settled weeks after the order, so the last 60 days are read again. A window may not be "
        "longer than three months."
    ),
)

affiliate_partner_cap_orders = Stream(
    name="affiliate_partner_cap_orders",
    family="affiliate_partner",
    doc="Search CAP Affiliate Orders",
    method="POST",
    path="/affiliate_partner/{version}/cap_order/search",
    version="202603",
    list_key="sku_orders",
    primary_key=("id", "sku_id"),
    paging=Paging(size_max=20),
    cursors=_TIMES,
    default_cursor="create_time",
    lookback=60 * DAY,
    window_cap=92 * DAY,
    filters=(
        Filter(name="order_id", where="body"),
        Filter(name="product_id", where="body"),
        Filter(name="settle_status", where="body", kind="integer"),
    ),
    needs_shop_cipher=False,
    needs_asset_cipher=True,
    user_type=3,
    personal_fields=("creator_username",),
    note=(
        "Commission is settled weeks after the order, so the last 60 days are read again. A window may not be "
        "longer than 92 days."
    ),
)

affiliate_partner_campaigns = Stream(
    name="affiliate_partner_campaigns",
    family="affiliate_partner",
    doc="Get Affiliate Partner Campaign List",
    method="GET",
    path="/affiliate_partner/{version}/campaigns",
    version="202405",
    list_key="campaigns",
    primary_key=("id",),
    filters=(
        Filter(name="status", where="query"),
        Filter(name="type", where="query"),
        Filter(name="query_type_filter", where="query"),
    ),
    needs_shop_cipher=False,
    needs_asset_cipher=True,
    user_type=3,
    scope="partner.tap_campaign.read",
)

affiliate_partner_campaign_detail = Stream(
    name="affiliate_partner_campaign_detail",
    family="affiliate_partner",
    doc="Get Affiliate Partner Campaign Detail",
    method="GET",
    path="/affiliate_partner/{version}/campaigns/{campaign_id}",
    version="202405",
    list_key=None,
    primary_key=("id",),
    paging=Paging(token_in=None),
    parent=Parent(stream="affiliate_partner_campaigns", field="id", param="campaign_id", where="path"),
    needs_shop_cipher=False,
    needs_asset_cipher=True,
    user_type=3,
    scope="partner.tap_campaign.read",
    personal_fields=("contact_info",),
    note="One request a campaign.",
)

affiliate_partner_campaign_products = Stream(
    name="affiliate_partner_campaign_products",
    family="affiliate_partner",
    doc="Get Affiliate Partner Campaign Product List",
    method="GET",
    path="/affiliate_partner/{version}/campaigns/{campaign_id}/products",
    version="202405",
    list_key="products",
    primary_key=("campaign_id", "id"),
    paging=Paging(size_max=20),
    parent=Parent(
        stream="affiliate_partner_campaigns", field="id", param="campaign_id", where="path", into="campaign_id"
    ),
    filters=(
        Filter(name="review_status", where="query"),
        Filter(name="product_name", where="query"),
        Filter(name="product_id", where="query"),
        Filter(name="shop_name", where="query"),
        Filter(name="category_id", where="query"),
    ),
    needs_shop_cipher=False,
    needs_asset_cipher=True,
    user_type=3,
    scope="partner.tap_campaign.read",
)

affiliate_partner_campaign_product_performance = Stream(
    name="affiliate_partner_campaign_product_performance",
    family="affiliate_partner",
    doc="Get Campaign Product Performance List",
    method="GET",
    path="/affiliate_partner/{version}/campaigns/{campaign_id}/products/performance",
    version="202501",
    list_key="campaign_product_statistics",
    primary_key=("campaign_id", "campaign_product_detail.product_id"),
    paging=Paging(size_max=50),
    parent=Parent(
        stream="affiliate_partner_campaigns", field="id", param="campaign_id", where="path", into="campaign_id"
    ),
    needs_shop_cipher=False,
    needs_asset_cipher=True,
    user_type=3,
    scope="partner.tap_campaign.read",
)

STREAMS = (
    affiliate_partner_orders,
    affiliate_partner_cap_orders,
    affiliate_partner_campaigns,
    affiliate_partner_campaign_detail,
    affiliate_partner_campaign_products,
    affiliate_partner_campaign_product_performance,
)
