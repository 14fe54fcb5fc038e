"""Products, their stock, and advice about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import catalogue
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Between, Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

# Both ends belong to these ranges.
RANGES = tuple(
    Between(f"{name}_time", f"{name}_time_ge", f"{name}_time_le", inclusive=True) for name in ("create", "update")
)
_PRODUCT = Parent("products", "id", "product_id")
_PRODUCTS = Parent("products", "id", "product_ids")


def _inventory(scope: Scope) -> Table:
    records, skus = scope.records, set(scope.params.get("sku_ids", ()))
    if skus:
        # Where both are given the SKUs count.
        every = range(catalogue.product_count(records))
        found = [place for place in every if skus & {sku.sku_id for sku in catalogue.product_skus(records, place)}]
        rows = [catalogue.stock(records, place) for place in found]
        return table_of([row | {"skus": [sku for sku in row["skus"] if sku["id"] in skus]} for row in rows])
    wanted = scope.params.get("product_ids", ())
    if not wanted:
        raise refuse(36009004, "Missing 'product_ids'")
    return table_of([catalogue.stock(records, catalogue.find_product(records, one)) for one in wanted])


def _advice(make: Callable[[str], dict[str, Any]]) -> Callable[[Scope], Table]:
    def table(scope: Scope) -> Table:
        for wanted in scope.params["product_ids"]:
            catalogue.find_product(scope.records, wanted)
        return table_of([{"id": wanted, **make(wanted)} for wanted in scope.params["product_ids"]])

    return table


def _replicated(scope: Scope) -> Table:
    """A cross-border seller's product is in each of the other shops too."""
    records = scope.records
    place = catalogue.find_product(records, scope.text("product_id"))
    others = [shop for shop in scope.shops if shop is not scope.shop and place < catalogue.SOLD_PRODUCTS]
    return table_of(
        [
            {
                "region": shop.region,
                "shop_id": shop.id,
                "product_id": catalogue.product_id(scope.world.records(shop), place),
                "product_status": "ACTIVATE",
            }
            for shop in others
        ]
    )


def _programs(records: ShopRecords) -> Table:
    def entry(place: int) -> Entry:
        own = catalogue.product_id(records, place)
        row = {
            "product_id": own,
            "title": catalogue.product_skus(records, place)[0].product_name,
            "skpp_status": "ACTIVE",
        }
        return Entry(lambda: row | {"rewards": []}, {}, {"product_id": own, "status": "ACTIVE"})

    table = Table({place: entry(place) for place in range(catalogue.SOLD_PRODUCTS)}, {"update_time": records.now})
    return records.made("programs", lambda: table)


def _program(scope: Scope) -> dict[str, Any]:
    catalogue.find_product(scope.records, scope.text("product_id"))
    return {"product_id": scope.text("product_id"), "skpp_status": "ACTIVE", "update_time": scope.records.now}


offer(
    Listing(
        name="products",
        method="POST",
        template="/product/*/products/search",
        list_key="products",
        table=lambda scope: catalogue.products(scope.records),
        ranges=RANGES,
        choices=(
            ("status", "status"),
            ("seller_skus", "seller_sku"),
            ("sku_ids", "sku_id"),
            ("listing_quality_tiers", "quality"),
            ("audit_status", "audit"),
        ),
        result_cap=True,
    ),
    Detail(
        name="product_detail",
        method="GET",
        template="/product/*/products/{product_id}",
        make=lambda scope: catalogue.product_detail(
            scope.records, catalogue.find_product(scope.records, scope.text("product_id"))
        ),
        parent=_PRODUCT,
    ),
    Listing(
        name="inventory",
        method="POST",
        template="/product/*/inventory/search",
        list_key="inventory",
        table=_inventory,
        key=("product_id",),
        token_in=None,
        parent=_PRODUCTS,
    ),
    Listing(
        name="product_diagnoses",
        method="GET",
        template="/product/*/products/diagnoses",
        list_key="products",
        table=_advice(
            lambda _: {"listing_quality": {"current_tier": "GOOD", "remaining_recommendations": 0}, "diagnoses": []}
        ),
        token_in=None,
        parent=_PRODUCTS,
    ),
    Listing(
        name="product_suggestions",
        method="GET",
        template="/product/*/products/suggestions",
        list_key="products",
        table=_advice(lambda _: {"suggestions": [{"field": "TITLE", "items": [{"text": "Example title"}]}]}),
        token_in=None,
        parent=_PRODUCTS,
    ),
    Listing(
        name="product_seo_words",
        method="GET",
        template="/product/*/products/seo_words",
        list_key="products",
        table=_advice(lambda _: {"seo_words": [{"text": "example"}]}),
        token_in=None,
        parent=_PRODUCTS,
    ),
    Listing(
        name="replicated_products",
        method="GET",
        template="/product/*/products/{product_id}/replicated_products",
        list_key="replicated_products",
        table=_replicated,
        key=("shop_id", "product_id"),
        token_in=None,
        parent=Parent("products", "id", "product_id", into="source_product_id"),
    ),
    Listing(
        name="product_key_programs",
        method="POST",
        template="/product/*/skpps/search",
        list_key="products",
        table=lambda scope: _programs(scope.records),
        key=("product_id",),
        choices=(("product_ids", "product_id"), ("skpp_status", "status")),
        token_in="page_no",  # noqa: S106 - a place, not a secret
        page_size=50,
    ),
    Detail(
        name="product_key_program_detail",
        method="GET",
        template="/product/*/skpps/{product_id}",
        make=_program,
        key=("product_id",),
        parent=Parent("product_key_programs", "product_id", "product_id"),
    ),
    Detail(
        name="product_key_program_summary",
        method="GET",
        template="/product/*/skpps/sum",
        make=lambda _scope: {"shop_summary": {"eligible_products_count": catalogue.SOLD_PRODUCTS}},
        key=(),
    ),
)
