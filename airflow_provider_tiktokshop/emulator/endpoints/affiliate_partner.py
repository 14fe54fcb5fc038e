"""Affiliate marketing as a partner sees it: campaigns for a market, and what creators sold in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import affiliates
from airflow_provider_tiktokshop.emulator.data.affiliation import PERCENT
from airflow_provider_tiktokshop.emulator.data.catalogue import SOLD_PRODUCTS, product_skus
from airflow_provider_tiktokshop.emulator.data.records import DAY
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.endpoints.affiliate_seller import CREATED, at_most_months
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_CAMPAIGN = Parent("affiliate_partner_campaigns", "id", "campaign_id")


def _campaign(scope: Scope, place: int) -> dict[str, Any]:
    begin = scope.world.clock.anchor - place * 10 * DAY
    return {
        "id": affiliates.campaign_id(place),
        "name": f"Example campaign {place + 1}",
        "status": "ONGOING" if place < 3 else "ENDED",
        "registration_start_time": begin - 20 * DAY,
        "registration_end_time": begin - DAY,
        "campaign_start_time": begin,
        "campaign_end_time": begin + 30 * DAY,
    }


def _campaigns(scope: Scope) -> Table:
    def entry(row: dict[str, Any]) -> Entry:
        return Entry(lambda: row, {}, {"status": row["status"]})

    return Table({place: entry(_campaign(scope, place)) for place in range(affiliates.CAMPAIGNS)})


def _find(scope: Scope) -> int:
    for place in range(affiliates.CAMPAIGNS):
        if affiliates.campaign_id(place) == scope.text("campaign_id"):
            return place
    raise refuse(36009004, "Invalid 'campaign_id'")


def _detail(scope: Scope) -> dict[str, Any]:
    market = scope.asset.target_market if scope.asset else ""
    own = {"description": "Example", "region": market, "commission_rate": PERCENT * 100}
    return _campaign(scope, _find(scope)) | own | {"target_shops": [], "target_seller_types": []}


def _products(scope: Scope) -> Table:
    _find(scope)
    market = scope.asset.target_market if scope.asset else ""
    rows: list[dict[str, Any]] = []
    for shop in scope.world.shops.values():
        if shop.region == market:
            records = scope.world.records(shop)
            for product in range(SOLD_PRODUCTS):
                sku = product_skus(records, product)[0]
                row = {"id": sku.product_id, "name": sku.product_name, "shop_name": shop.name}
                rows.append(row | {"creator_commission_rate": PERCENT * 100, "sku_information_list": []})
    return table_of(rows)


def _performance(scope: Scope) -> Table:
    products = [entry.make() for entry in _products(scope).entries.values()]
    return table_of(
        [
            {"campaign_product_detail": {"product_id": row["id"], "product_name": row["name"], "product_thumbnail": {}}}
            for row in products
        ]
    )


offer(
    Listing(
        name="affiliate_partner_campaigns",
        method="GET",
        template="/affiliate_partner/*/campaigns",
        list_key="campaigns",
        table=_campaigns,
        choices=(("status", "status"),),
        page_size=10,
    ),
    Detail(
        name="affiliate_partner_campaign_detail",
        method="GET",
        template="/affiliate_partner/*/campaigns/{campaign_id}",
        make=_detail,
        parent=_CAMPAIGN,
    ),
    Listing(
        name="affiliate_partner_campaign_products",
        method="GET",
        template="/affiliate_partner/*/campaigns/{campaign_id}/products",
        list_key="products",
        table=_products,
        parent=_CAMPAIGN,
    ),
    Listing(
        name="affiliate_partner_campaign_product_performance",
        method="GET",
        template="/affiliate_partner/*/campaigns/{campaign_id}/products/performance",
        list_key="campaign_product_statistics",
        table=_performance,
        key=("campaign_product_detail.product_id",),
        parent=_CAMPAIGN,
    ),
    *(
        Listing(
            name=name,
            method="POST",
            template=f"/affiliate_partner/*/{path}/search",
            list_key="sku_orders|orders",
            table=affiliates.partner_orders,
            key=("id", "sku_id"),
            ranges=CREATED,
            choices=(
                ("campaign_id", "campaign"),
                ("order_id", "order_id"),
                ("product_id", "product_id"),
                ("settle_status", "settle_status"),
            ),
            sort="create_time",
            descending=True,
            check=at_most_months,
        )
        for name, path in (("affiliate_partner_orders", "orders"), ("affiliate_partner_cap_orders", "cap_order"))
    ),
)
