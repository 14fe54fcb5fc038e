"""The shop's products and their stock: the first ones are those that its orders are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.filling import ABSENT
from airflow_provider_tiktokshop.emulator.data.records import DAY
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.skus import SKUS_PER_PRODUCT, SOLD_SKUS, SkuFacts, sku_facts

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords

__all__ = [
    "CATEGORIES",
    "SOLD_PRODUCTS",
    "find_product",
    "product_count",
    "product_detail",
    "product_id",
    "product_skus",
    "products",
    "stock",
]

SOLD_PRODUCTS = SOLD_SKUS // SKUS_PER_PRODUCT
_OLDEST = 400 * DAY
# Every so many products one shares its times with the one before it.
_TIE_EVERY = 7
# id, parent, name, leaf
CATEGORIES = (
    ("600001", "0", "Menswear & Underwear", False),
    ("601226", "600001", "T-shirts", True),
    ("601227", "600001", "Socks", True),
    ("601450", "0", "Beauty & Personal Care", False),
    ("601534", "601450", "Lip Gloss", True),
    ("600154", "0", "Phones & Electronics", False),
    ("909064", "600154", "Phone Cases", True),
)
_LEAVES = tuple(category for category in CATEGORIES if category[3])
_STATUSES = ("ACTIVATE",) * 6 + ("SELLER_DEACTIVATED", "DRAFT", "PENDING", "PLATFORM_DEACTIVATED")


def product_count(records: ShopRecords) -> int:
    """Return how many products the shop has: at least those that its orders need."""
    return max(SOLD_PRODUCTS, records.world.settings.products)


def product_skus(records: ShopRecords, product: int) -> list[SkuFacts]:
    """Return the SKUs of product number ``product``."""
    first, seed = product * SKUS_PER_PRODUCT, records.world.options.seed
    return records.fixed(
        ("skus", product),
        lambda: [
            sku_facts(seed, records.shop, records.region, place) for place in range(first, first + SKUS_PER_PRODUCT)
        ],
    )


def product_id(records: ShopRecords, product: int) -> str:
    """Return the id of product number ``product``."""
    return product_skus(records, product)[0].product_id


def _times(records: ShopRecords, product: int) -> tuple[int, int]:
    """Return when a product was created and last updated; what is sold was there before the first order."""
    if product % _TIE_EVERY == _TIE_EVERY - 1:
        product -= 1
    bits, anchor = records.bits(81, product), records.world.clock.anchor
    newest = anchor - (records.world.options.days + 1) * DAY if product < SOLD_PRODUCTS else anchor
    created = newest - bits % _OLDEST
    return created, created + (bits >> 24) % (anchor - created + 1)


def status_of(records: ShopRecords, product: int) -> str:
    """Return a product's status; what is sold is on sale."""
    return "ACTIVATE" if product < SOLD_PRODUCTS else _STATUSES[records.bits(82, product) % len(_STATUSES)]


def products(records: ShopRecords) -> Table:
    """Return the shop's products."""

    def entry(product: int) -> Entry:
        created, updated = _times(records, product)
        tags = {
            # A search for ALL is one for every status.
            "status": (status_of(records, product), "ALL"),
            "seller_sku": tuple(sku.seller_sku for sku in product_skus(records, product)),
            "sku_id": tuple(sku.sku_id for sku in product_skus(records, product)),
            "quality": "GOOD",
            "audit": "APPROVED",
        }
        return Entry(lambda: _product(records, product), {"create_time": created, "update_time": updated}, tags)

    count = product_count(records)
    return records.fixed(("products", count), lambda: Table({place: entry(place) for place in range(count)}))


def find_product(records: ShopRecords, wanted: str) -> int:
    """Return the number of a product of this shop.

    :raises Refusal: 12052901 when it has none of that id.
    """
    count = product_count(records)
    known = records.fixed(("product ids", count), lambda: {product_id(records, place): place for place in range(count)})
    if wanted not in known:
        raise refuse(12052901, "Product not found")
    return known[wanted]


def quantities(records: ShopRecords, sku_id: str) -> list[tuple[str, int, int]]:
    """Return what each warehouse has of a SKU: its id, available, and committed to orders."""
    number = int(sku_id) & (1 << 60) - 1
    return [
        (warehouse, records.bits(83, number, place) % 90 + 10, records.bits(84, number, place) % 5)
        for place, warehouse in enumerate(records.orders.writer.warehouses)
    ]


def _sku(records: ShopRecords, sku: SkuFacts) -> dict[str, Any]:
    money, region = records.money, records.region
    net = sku.price if region.tax_on_top else round(sku.price / (1 + region.tax_rate))
    return {
        "id": sku.sku_id,
        "seller_sku": sku.seller_sku,
        "price": {
            "currency": region.currency,
            "sale_price": money(sku.price),
            "tax_exclusive_price": money(net),
            "starting_bid_price": ABSENT,
        },
        "inventory": [
            {"warehouse_id": warehouse, "quantity": available, "backorder_quantity": 0, "handling_time": 0}
            for warehouse, available, _committed in quantities(records, sku.sku_id)
        ],
        "list_price": {"amount": money(sku.price), "currency": region.currency},
        "external_list_prices": [],
        "pre_sale": ABSENT,
        "status_info": {"status": "NORMAL", "deactivation_source": ""},
        "fees": [],
        "sales_attributes": [
            {
                "id": "100000",
                "name": "Colour",
                "value_id": records.id("71", int(sku.sku_id) & 0xFFFFFFFF),
                "value_name": sku.sku_name.partition(",")[0],
                "sku_img": {"uri": sku.image, "urls": [sku.image], "thumb_urls": [sku.image]},
                "supplementary_sku_images": [],
            }
        ],
        "combined_skus": [],
        "external_sku_id": "",
        "external_urls": [],
        "extra_identifier_codes": [],
        "identifier_code": {"code": "", "type": ""},
        "global_listing_policy": ABSENT,
        "sku_unit_count": "1.00",
    }


def _product(records: ShopRecords, product: int) -> dict[str, Any]:
    skus = product_skus(records, product)
    created, updated = _times(records, product)
    leaf = _LEAVES[product % len(_LEAVES)]
    return {
        "id": skus[0].product_id,
        "title": skus[0].product_name,
        "status": status_of(records, product),
        "skus": [_sku(records, sku) for sku in skus],
        "sales_regions": [records.region.code],
        "create_time": created,
        "update_time": updated,
        "product_sync_fail_reasons": [],
        "is_not_for_sale": False,
        "recommended_categories": [{"id": leaf[0], "local_name": leaf[2]}],
        "listing_quality_tier": "GOOD",
        "integrated_platform_statuses": [],
        "audit": {"status": "APPROVED", "pre_approved_reasons": [], "not_submitted_reasons": []},
        "product_families": [],
        "has_draft": False,
        "scheduled_sale": ABSENT,
        "product_tags": [],
        "selling_format": "FIXED_PRICE",
    }


def product_detail(records: ShopRecords, product: int) -> dict[str, Any]:
    """Return a product with what only its detail has."""
    row, leaf = _product(records, product), _LEAVES[product % len(_LEAVES)]
    parent = next(category for category in CATEGORIES if category[0] == leaf[1])
    image = row["skus"][0]["sales_attributes"][0]["sku_img"]
    writer = records.orders.writer
    # What search alone shows.
    alone = ("sales_regions", "product_sync_fail_reasons", "selling_format")
    return {name: value for name, value in row.items() if name not in alone} | {
        "product_status": row["status"],
        "description": "<p>An example.</p>",
        "category_chains": [
            {"id": one[0], "parent_id": one[1], "local_name": one[2], "is_leaf": one[3]} for one in (parent, leaf)
        ],
        "brand": {"id": records.id("7082", 86, product % 5), "name": f"Example Brand {product % 5 + 1}"},
        "main_images": [image],
        "delivery_options": [{"id": writer.delivery_option, "name": "Standard Shipping", "is_available": True}],
        "certifications": [],
        "audit_failed_reasons": [],
        "pod_info": ABSENT,
        "global_product_association": ABSENT,
        "product_attributes": [],
        "key_product_features": [],
        "manufacturer_ids": [],
        "responsible_person_ids": [],
        "search_terms": [],
        "product_types": [],
        "video": ABSENT,
        "size_chart": ABSENT,
        "package_weight": {"value": "0.35", "unit": "KILOGRAM"},
        "package_dimensions": {"length": "20", "width": "15", "height": "5", "unit": "CENTIMETER"},
    }


def stock(records: ShopRecords, product: int) -> dict[str, Any]:
    """Return what the shop has of a product, by SKU and warehouse; it agrees with the product's ``inventory``."""
    skus = []
    for sku in product_skus(records, product):
        held = quantities(records, sku.sku_id)
        available = sum(quantity for _, quantity, _ in held)
        skus.append(
            {
                "id": sku.sku_id,
                "seller_sku": sku.seller_sku,
                "total_available_quantity": available,
                "total_committed_quantity": sum(committed for _, _, committed in held),
                "warehouse_inventory": [
                    {"warehouse_id": warehouse, "available_quantity": quantity, "committed_quantity": committed}
                    for warehouse, quantity, committed in held
                ],
                "total_available_inventory_distribution": {
                    "campaign_inventory": [],
                    "creator_inventory": [],
                    "in_shop_inventory": {"quantity": available},
                },
            }
        )
    return {"product_id": product_id(records, product), "skus": skus}
