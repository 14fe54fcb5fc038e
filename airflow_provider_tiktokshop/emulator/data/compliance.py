"""What products refer to: brands, size charts, who made them and who answers for them; and products of all markets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.catalogue import product_id, product_skus, products, status_of
from airflow_provider_tiktokshop.emulator.data.filling import ABSENT
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table
from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__ = ["brands", "global_detail", "global_products", "manufacturers", "responsible_persons", "size_charts"]

_GLOBAL_PRODUCTS = 8


def _numbered(
    records: ShopRecords, name: str, first: str, count: int, make: Callable[[int, str], dict[str, Any]]
) -> Table:
    def entry(place: int) -> Entry:
        own = records.id(first, 85, len(name), place)
        return Entry(lambda: make(place, own), {}, {"id": own})

    return records.fixed(name, lambda: Table({place: entry(place) for place in range(count)}))


def brands(records: ShopRecords) -> Table:
    """Return the brands that the shop may use; the first five are its own."""

    def entry(place: int) -> Entry:
        authorized, name = place < 5, f"Example Brand {place + 1}"
        row = {
            "id": records.id("7082", 86, place),
            "name": name,
            "authorized_status": "AUTHORIZED" if authorized else "UNAUTHORIZED",
            "is_t1_brand": False,
            "brand_status": "ONLINE",
        }
        return Entry(lambda: row, {}, {"authorized": authorized, "name": name})

    return records.fixed("brands", lambda: Table({place: entry(place) for place in range(45)}))


def size_charts(records: ShopRecords) -> Table:
    """Return the seller's size chart templates."""
    return _numbered(
        records,
        "size charts",
        "7267",
        23,
        lambda place, own: {
            "template_id": own,
            "template_name": f"Example sizes {place + 1}",
            "images": [],
            "related_category_ids": ["601226"],
            "size_chart_datas": [],
            "size_chart_mode": "TEMPLATE",
        },
    )


def manufacturers(records: ShopRecords) -> Table:
    """Return who makes the seller's products."""
    return _numbered(records, "manufacturers", "7401", 21, lambda place, own: _profile(own, "Maker", place))


def responsible_persons(records: ShopRecords) -> Table:
    """Return who answers for the seller's products in the EU."""
    return _numbered(records, "responsible persons", "7402", 21, lambda place, own: _profile(own, "Person", place))


def _profile(own: str, role: str, place: int) -> dict[str, Any]:
    profile: dict[str, Any] = {
        "locale": "en",
        "name": f"Example {role} {place + 1}",
        "email": f"{role.lower()}{place + 1}@example.com",
    }
    if role == "Maker":
        return {"id": own, "regional_profiles": [profile | {"address": f"{place + 1} Example Street"}]}
    return {
        "id": own,
        "regional_profiles": [profile | {"address": {"street_address_line1": f"{place + 1} Example Street"}}],
    }


def global_products(scope: Scope) -> Table:
    """Return the products that a cross-border seller lists in several markets; a local seller has none."""
    records = scope.records
    if records.shop.seller_type != "CROSS_BORDER":
        return Table({})

    def entry(place: int) -> Entry:
        listed = products(records).entries[place]
        tags = {"status": (status_of(records, place), "ALL"), "seller_sku": listed.tags["seller_sku"]}
        return Entry(lambda: _global_row(records, place), listed.times, tags)

    return records.fixed("global products", lambda: Table({place: entry(place) for place in range(_GLOBAL_PRODUCTS)}))


def _global_id(records: ShopRecords, place: int) -> str:
    return records.id("1730", 87, place)


def _global_row(records: ShopRecords, place: int) -> dict[str, Any]:
    listed = products(records).entries[place]
    return {
        "id": _global_id(records, place),
        "title": product_skus(records, place)[0].product_name,
        "status": "PUBLISHED",
        "skus": [
            {"id": records.id("1730", 88, place, number), "seller_sku": sku.seller_sku}
            for number, sku in enumerate(product_skus(records, place))
        ],
        **listed.times,
    }


def global_detail(scope: Scope) -> dict[str, Any]:
    """Return one of these products, with its listing in each of the seller's shops.

    :raises Refusal: 12052901 when the seller has none of that id.
    """
    table, wanted = global_products(scope), scope.text("global_product_id")
    place = next((place for place in table.entries if _global_id(scope.records, place) == wanted), None)
    if place is None:
        raise refuse(12052901, "Global product not found")
    row = table.entries[place].make()
    listings = [
        {"region": shop.region, "id": product_id(scope.world.records(shop), place), "sku_mappings": []}
        for shop in scope.shops
    ]
    return {name: value for name, value in row.items() if name != "status"} | {
        "products": listings,
        "main_images": [],
        "certifications": [],
        "product_attributes": [],
        "video": ABSENT,
        "size_chart": ABSENT,
    }
