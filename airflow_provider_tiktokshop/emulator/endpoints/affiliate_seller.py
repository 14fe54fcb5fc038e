"""Affiliate marketing as the seller sees it: orders, collaborations, samples, creators, and talk with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import affiliates, affiliation
from airflow_provider_tiktokshop.emulator.data.catalogue import SOLD_PRODUCTS, find_product, product_id, product_skus
from airflow_provider_tiktokshop.emulator.data.records import DAY, ShopRecords
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Between, Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__ = ["CREATED", "at_most_months", "creator", "sold"]

CREATED = (Between("create_time", "create_time_ge", "create_time_lt"),)
_MONTHS = 92 * DAY
_TARGETS, _SAMPLES = 25, 31


def at_most_months(scope: Scope) -> None:
    """Refuse a search over more than three months.

    :raises Refusal: 36009004 for a longer range.
    """
    ge, lt = scope.params.get("create_time_ge"), scope.params.get("create_time_lt")
    if ge is not None and (lt if lt is not None else scope.world.clock.now()) - ge > _MONTHS:
        raise refuse(36009004, "Invalid 'create_time_ge': at most 3 months before 'create_time_lt'")


def sold(records: ShopRecords, product: int) -> dict[str, Any]:
    """Return a product as affiliate endpoints show it."""
    sku = product_skus(records, product)[0]
    amounts = {
        "currency": records.region.currency,
        "minimum_amount": records.money(sku.price - sku.off),
        "maximum_amount": records.money(sku.price),
    }
    return {
        "id": sku.product_id,
        "title": sku.product_name,
        "main_image_url": sku.image,
        "status": "LIVE",
        "original_price": amounts,
        "sales_price": amounts,
        "commission": {
            "rate": affiliation.PERCENT * 100,
            "currency": records.region.currency,
            "amount": records.money(sku.price * affiliation.PERCENT // 100),
        },
    }


def creator(records: ShopRecords, number: int) -> dict[str, Any]:
    """Return a creator as the marketplace shows one."""
    name = affiliation.creator_name(number)
    return {
        "creator_open_id": affiliation.creator_open_id(records.world.options.seed, number),
        "username": name,
        "nickname": name,
        "selection_region": records.region.code,
        "follower_count": records.bits(112, number) % 90_000 + 1000,
        "category_ids": ["600001"],
    }


def _open_collaborations(scope: Scope) -> Table:
    records = scope.records
    rows = []
    for product in range(SOLD_PRODUCTS):
        about = {
            name: value for name, value in sold(records, product).items() if name not in {"sales_price", "commission"}
        }
        own = affiliates.collaboration_id(records, product)
        rows.append({"id": own, "status": "ONGOING", "product": about})
    return table_of(rows)


def _collaboration_products(scope: Scope) -> Table:
    rows = [sold(scope.records, product) for product in range(SOLD_PRODUCTS)]
    return table_of([{name: value for name, value in row.items() if name != "status"} for row in rows])


def _target(records: ShopRecords, place: int) -> dict[str, Any]:
    begin = records.world.clock.anchor - place * 3 * DAY
    return {
        "id": records.id("7413", 113, place),
        "name": f"Example collaboration {place + 1}",
        "message": "Example message",
        "create_time": begin - DAY,
        "update_time": begin,
        "start_time": begin,
        "end_time": begin + 30 * DAY,
        "creator_inivited_count": 1,
        "creator_invited_count": 1,
        "product_count": 1,
        "type": "NORMAL",
    }


def _targets(scope: Scope) -> Table:
    return table_of([_target(scope.records, place) for place in range(_TARGETS)])


def _target_detail(scope: Scope) -> dict[str, Any]:
    records, wanted = scope.records, scope.text("target_collaboration_id")
    for place in range(_TARGETS):
        row = _target(records, place)
        if row["id"] == wanted:
            people = [creator(records, place % affiliation.CREATORS)]
            product = {
                name: value for name, value in sold(records, place % SOLD_PRODUCTS).items() if name != "sales_price"
            }
            return {"target_collaboration": row | {"products": [product], "creators": people}}
    raise refuse(36009004, "Invalid 'target_collaboration_id'")


def _samples(scope: Scope) -> Table:
    records = scope.records

    def entry(place: int) -> Entry:
        sku = product_skus(records, place % SOLD_PRODUCTS)[0]
        person = creator(records, place % affiliation.CREATORS)
        row: dict[str, Any] = {
            "id": records.id("7414", 114, place),
            "commission_rate": str(affiliation.PERCENT * 100),
            "status": "COMPLETED" if place % 3 else "PENDING",
            "order_id": "",
            "tracking_number": "",
            "disapprovable_reasons": [],
            "creator": {name: person[name] for name in ("creator_open_id", "username", "nickname", "follower_count")},
            "product": {
                "id": sku.product_id,
                "title": sku.product_name,
                "sku_id": sku.sku_id,
                "sku_image_url": sku.image,
                "sku_name": sku.sku_name,
            },
        }
        tags = {
            "product_id": sku.product_id,
            "status": row["status"],
            "username": person["username"],
            "creator": person["creator_open_id"],
        }
        return Entry(lambda: row, {}, tags)

    return records.fixed("samples", lambda: Table({place: entry(place) for place in range(_SAMPLES)}))


def _contents(scope: Scope) -> Table:
    records = scope.records
    place = find_product(records, scope.text("product_id"))
    names = ("username", "nickname", "follower_count", "creator_open_id")
    rows = []
    for number in range(place % 3, affiliation.CREATORS, 3):
        person = creator(records, number)
        rows.append({"creator_profile": {name: person[name] for name in names}, "promotion_status": "ONGOING"})
    return table_of(rows, {"product": {"id": product_id(records, place)}})


def _rules(scope: Scope) -> Table:
    for wanted in scope.params["product_ids"]:
        find_product(scope.records, wanted)
    return table_of([{"product_id": wanted, "status": "ONGOING"} for wanted in scope.params["product_ids"]])


def _fulfillments(scope: Scope) -> Table:
    """Nobody has posted anything about most samples."""
    records, wanted = scope.records, scope.text("application_id")
    place = next((place for place in range(_SAMPLES) if records.id("7414", 114, place) == wanted), None)
    if place is None:
        raise refuse(36009004, "Invalid 'application_id'")
    content = {"id": affiliation.video_id(records, place % affiliation.VIDEOS), "format": "VIDEO"}
    row = {"product": {"id": product_id(records, place % SOLD_PRODUCTS)}, "content": content}
    return table_of([row] if place % 3 else [])


offer(
    Listing(
        name="affiliate_seller_orders",
        method="POST",
        template="/affiliate_seller/*/orders/search",
        list_key="orders",
        table=affiliates.affiliate_orders,
        ranges=CREATED,
        sort="create_time",
        descending=True,
        check=at_most_months,
    ),
    Listing(
        name="affiliate_seller_open_collaborations",
        method="POST",
        template="/affiliate_seller/*/open_collaborations/search",
        list_key="open_collaborations",
        table=_open_collaborations,
    ),
    Listing(
        name="affiliate_seller_open_collaboration_products",
        method="POST",
        template="/affiliate_seller/*/open_collaborations/products/search",
        list_key="products",
        table=_collaboration_products,
    ),
    Listing(
        name="affiliate_seller_creator_content",
        method="GET",
        template="/affiliate_seller/*/open_collaborations/creator_content_details",
        list_key="creator_content_details",
        table=_contents,
        key=("creator_profile.creator_open_id",),
        parent=Parent("affiliate_seller_open_collaborations", "product.id", "product_id"),
    ),
    Listing(
        name="affiliate_seller_sample_rules",
        method="GET",
        template="/affiliate_seller/*/open_collaborations/sample_rules",
        list_key="sample_rules",
        table=_rules,
        key=("product_id",),
        token_in=None,
        parent=Parent("affiliate_seller_open_collaborations", "product.id", "product_ids"),
    ),
    Listing(
        name="affiliate_seller_target_collaborations",
        method="POST",
        template="/affiliate_seller/*/target_collaborations/search",
        list_key="target_collaborations",
        table=_targets,
    ),
    Detail(
        name="affiliate_seller_target_collaboration_detail",
        method="GET",
        template="/affiliate_seller/*/target_collaborations/{target_collaboration_id}",
        make=_target_detail,
        key=("target_collaboration.id",),
        parent=Parent("affiliate_seller_target_collaborations", "id", "target_collaboration_id"),
    ),
    Listing(
        name="affiliate_seller_sample_applications",
        method="POST",
        template="/affiliate_seller/*/sample_applications/search",
        list_key="sample_applications",
        table=_samples,
        choices=(
            ("product_id", "product_id"),
            ("status", "status"),
            ("username", "username"),
            ("creator_user_oepn_id", "creator"),
        ),
    ),
    Listing(
        name="affiliate_seller_sample_fulfillments",
        method="POST",
        template="/affiliate_seller/*/sample_applications/{application_id}/fulfillments/search",
        list_key="fulfillments",
        table=_fulfillments,
        key=("product.id", "content.id"),
        token_in=None,
        parent=Parent("affiliate_seller_sample_applications", "id", "application_id"),
    ),
)
