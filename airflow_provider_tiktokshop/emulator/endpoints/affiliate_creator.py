"""Affiliate marketing as the creator sees it. There is no shop cipher: a creator works with many shops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import affiliates, affiliation
from airflow_provider_tiktokshop.emulator.data.catalogue import SOLD_PRODUCTS, product_skus
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.endpoints.affiliate_seller import CREATED, sold
from airflow_provider_tiktokshop.emulator.listing import Detail, Listing, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_SAMPLES = 23


def _shops(scope: Scope) -> list[ShopRecords]:
    return [scope.world.records(shop) for shop in scope.world.shops.values()]


def _offers(scope: Scope) -> Table:
    """Every sold product of every shop may be promoted."""
    rows = []
    for records in _shops(scope):
        for product in range(SOLD_PRODUCTS):
            row = {name: value for name, value in sold(records, product).items() if name != "status"}
            rows.append(row | {"shop": {"name": records.shop.name}, "sale_region": records.region.code})
    return table_of(rows)


def _showcase(scope: Scope) -> Table:
    rows = []
    for records in _shops(scope):
        for product in range(0, SOLD_PRODUCTS, 2):
            sku = product_skus(records, product)[0]
            row = {"id": sku.product_id, "title": sku.product_name, "sale_regions": [records.region.code]}
            rows.append(row | {"shop": {"name": records.shop.name}, "source": "AFFILIATE", "main_images": []})
    return table_of(rows)


def _own_products(scope: Scope) -> Table:
    rows = []
    for records in _shops(scope):
        for product in range(SOLD_PRODUCTS):
            sku = product_skus(records, product)[0]
            price = {"amount": records.money(sku.price), "currency": records.region.currency}
            rows.append({"id": sku.product_id, "title": sku.product_name, "price": price, "images": []})
    return table_of(rows)


def _number(scope: Scope) -> int:
    return [one.open_id for one in scope.world.accounts.values() if one.user_type == 1].index(scope.account.open_id)


def _application(scope: Scope, place: int) -> dict[str, Any]:
    records = _shops(scope)[place % len(_shops(scope))]
    sku = product_skus(records, place % SOLD_PRODUCTS)[0]
    about = {"id": sku.product_id, "sku_id": sku.sku_id, "sku_sale_property_value_names": [sku.sku_name]}
    promise = {"id": records.id("7419", 119, _number(scope), place), "status": "SUCCEED" if place % 3 else "ONGOING"}
    return {
        "id": records.id("7414", 120, _number(scope), place),
        "sample_product": about,
        "main_order_id": "",
        "status": "COMPLETED" if place % 3 else "PENDING",
        "creator_fulfillment": promise,
    }


def _applications(scope: Scope) -> Table:
    def entry(row: dict[str, Any]) -> Entry:
        return Entry(lambda: row, {}, {"status": row["status"]})

    return Table({place: entry(_application(scope, place)) for place in range(_SAMPLES)})


def _promises(scope: Scope) -> Table:
    def entry(place: int) -> Entry:
        application = _application(scope, place)
        shop = list(scope.world.shops.values())[place % len(scope.world.shops)]
        row = {
            **application["creator_fulfillment"],
            "shop_id": shop.id,
            "application_id": application["id"],
            "product_id": application["sample_product"]["id"],
        }
        return Entry(lambda: row, {"create_time": place}, {"status": row["status"]})

    return Table({place: entry(place) for place in range(_SAMPLES)})


def _targets(scope: Scope) -> Table:
    rows = []
    for records in _shops(scope):
        if records.shop.id == scope.text("shop_id"):
            row = sold(records, _number(scope) % SOLD_PRODUCTS)
            about = {name: row[name] for name in ("id", "title", "main_image_url", "commission")}
            own = records.id("7413", 121, _number(scope))
            rows.append({"id": own, "name": "Example collaboration", "status": "ONGOING", "products": [about]})
    return table_of(rows)


def _profile(scope: Scope) -> dict[str, Any]:
    region = scope.account.region
    return {
        "creator_user_open_id": scope.account.open_id,
        "username": affiliation.creator_name(_number(scope)),
        "selection_region": region,
        "register_region": region,
        "permissions": [],
    }


offer(
    Listing(
        name="affiliate_creator_orders",
        method="POST",
        template="/affiliate_creator/*/orders/search",
        list_key="orders",
        table=affiliates.creator_orders,
        ranges=CREATED,
        sort="create_time",
        descending=True,
    ),
    Listing(
        name="affiliate_creator_open_collaboration_products",
        method="POST",
        template="/affiliate_creator/*/open_collaborations/products/search",
        list_key="products",
        table=_offers,
    ),
    Listing(
        name="affiliate_creator_showcase_products",
        method="GET",
        template="/affiliate_creator/*/showcases/products",
        list_key="products",
        table=_showcase,
    ),
    Listing(
        name="affiliate_creator_shop_products",
        method="GET",
        template="/affiliate_creator/*/shop_products",
        list_key="products",
        table=_own_products,
    ),
    Listing(
        name="affiliate_creator_target_collaborations",
        method="POST",
        template="/affiliate_creator/*/target_collaborations/search",
        list_key="target_collaborations",
        table=_targets,
    ),
    Listing(
        name="affiliate_creator_sample_applications",
        method="POST",
        template="/affiliate_creator/*/sample_applications/search",
        list_key="sample_applications",
        table=_applications,
        choices=(("application_statuses", "status"),),
    ),
    Listing(
        name="affiliate_creator_sample_fulfillments",
        method="POST",
        template="/affiliate_creator/*/sample_applications/fulfillments/search",
        list_key="fulfillments",
        table=_promises,
        choices=(("fulfillment_statuses", "status"),),
        token_in=None,
    ),
    Detail(
        name="affiliate_creator_profile",
        method="GET",
        template="/affiliate_creator/*/profiles",
        make=_profile,
        key=("creator_user_open_id",),
    ),
)
