"""Categories, brands, compliance records, and products of all markets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import compliance
from airflow_provider_tiktokshop.emulator.data.catalogue import CATEGORIES, product_id, product_skus
from airflow_provider_tiktokshop.emulator.data.records import DAY
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.endpoints.products import RANGES
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Between, Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []


def _categories(_scope: Scope) -> Table:
    return table_of(
        [
            {
                "id": own,
                "parent_id": parent,
                "local_name": name,
                "is_leaf": leaf,
                "permission_statuses": ["AVAILABLE"],
            }
            for own, parent, name, leaf in CATEGORIES
        ]
    )


def _leaf(scope: Scope) -> str:
    wanted = scope.text("category_id")
    if wanted not in {category[0] for category in CATEGORIES}:
        raise refuse(12052217, "Category not found")
    return wanted


def _attributes(scope: Scope) -> Table:
    _leaf(scope)
    rows: list[dict[str, Any]] = [
        {
            "id": own,
            "name": name,
            "type": kind,
            "is_requried": name == "Material",
            "values": [{"id": f"{own}1", "name": "Cotton"}, {"id": f"{own}2", "name": "Other"}],
            "requirement_conditions": [],
            "metric_standards": [],
        }
        for own, name, kind in (("100000", "Colour", "SALES_PROPERTY"), ("100392", "Material", "PRODUCT_PROPERTY"))
    ]
    return table_of(rows)


def _rules(scope: Scope) -> dict[str, Any]:
    _leaf(scope)
    return {"product_certifications": []}


def _opportunities(records: ShopRecords) -> Table:
    """What the shop offered in answer to gaps in the market."""

    def entry(place: int) -> Entry:
        submitted = records.world.clock.anchor - place * 5 * DAY
        own, about = records.id("7501", 91, place), records.id("7502", 92, place // 2)
        product = product_id(records, place % 8)
        row = {
            "id": own,
            "opportunity_id": about,
            "opportunity_title": f"Example opportunity {place // 2 + 1}",
            "status": "APPROVED",
            "product_id": product,
            "product_name": product_skus(records, place % 8)[0].product_name,
            "submit_time": submitted,
            "review_time": submitted + DAY,
            "rejection_reason": "",
        }
        tags = {"status": "APPROVED", "opportunity_id": about, "product_id": product}
        return Entry(lambda: row, {"submit_time": submitted}, tags)

    return records.fixed("opportunities", lambda: Table({place: entry(place) for place in range(25)}))


offer(
    *(
        Listing(
            name=name,
            method="GET",
            template=f"/product/*/{name}",
            list_key="categories",
            table=_categories,
            token_in=None,
        )
        for name in ("categories", "global_categories")
    ),
    *(
        Listing(
            name=f"{prefix}category_attributes",
            method="GET",
            template=f"/product/*/categories/{{category_id}}/{prefix}attributes",
            list_key="attributes",
            table=_attributes,
            token_in=None,
            parent=Parent(f"{prefix}categories", "id", "category_id"),
        )
        for prefix in ("", "global_")
    ),
    *(
        Detail(
            name=f"{prefix}category_rules",
            method="GET",
            template=f"/product/*/categories/{{category_id}}/{prefix}rules",
            make=_rules,
            key=(),
            parent=Parent(f"{prefix}categories", "id", "category_id"),
        )
        for prefix in ("", "global_")
    ),
    Listing(
        name="brands",
        method="GET",
        template="/product/*/brands",
        list_key="brands",
        table=lambda scope: compliance.brands(scope.records),
        choices=(("is_authorized", "authorized"), ("brand_name", "name")),
    ),
    Listing(
        name="global_products",
        method="POST",
        template="/product/*/global_products/search",
        list_key="global_products",
        table=compliance.global_products,
        ranges=RANGES,
        choices=(("status", "status"), ("seller_skus", "seller_sku")),
    ),
    Detail(
        name="global_product_detail",
        method="GET",
        template="/product/*/global_products/{global_product_id}",
        make=compliance.global_detail,
        parent=Parent("global_products", "id", "global_product_id"),
    ),
    Listing(
        name="size_charts",
        method="POST",
        template="/product/*/sizecharts/search",
        list_key="size_chart",
        table=lambda scope: compliance.size_charts(scope.records),
        key=("template_id",),
        choices=(("ids", "id"),),
    ),
    Listing(
        name="manufacturers",
        method="POST",
        template="/product/*/compliance/manufacturers/search",
        list_key="manufacturers",
        table=lambda scope: compliance.manufacturers(scope.records),
        choices=(("manufacturer_ids", "id"),),
    ),
    Listing(
        name="responsible_persons",
        method="POST",
        template="/product/*/compliance/responsible_persons/search",
        list_key="responsible_persons",
        table=lambda scope: compliance.responsible_persons(scope.records),
        choices=(("responsible_person_ids", "id"),),
    ),
    Listing(
        name="listing_prerequisites",
        method="GET",
        template="/product/*/prerequisites",
        list_key="check_results",
        table=lambda _scope: table_of([{"check_item": "SHOP_STATUS", "is_failed": False, "fail_reasons": []}]),
        key=("check_item",),
        token_in=None,
    ),
    Listing(
        name="opportunity_submissions",
        method="GET",
        template="/product/*/opportunities/submissions",
        list_key="data.submissions",
        table=lambda scope: _opportunities(scope.records),
        ranges=(Between("submit_time", "submit_time_ge", "submit_time_lt"),),
        choices=(("status", "status"), ("opportunity_id", "opportunity_id"), ("product_id", "product_id")),
        sort="submit_time",
        descending=True,
    ),
    Detail(
        name="opportunity_detail",
        method="GET",
        template="/product/*/opportunities/{opportunity_id}",
        make=lambda scope: {"opportunity": {"id": scope.text("opportunity_id")}},
        key=("opportunity.id",),
        parent=Parent("opportunity_submissions", "opportunity_id", "opportunity_id"),
    ),
)
