"""The SKUs of a shop, by number: orders and the catalogue describe the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.emulator.ids import mix, number

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Shop
    from airflow_provider_tiktokshop.emulator.regions import Region

__all__ = ["SKUS_PER_PRODUCT", "SOLD_SKUS", "SkuFacts", "sku_facts"]

# Orders draw from the first so many; further products exist only in the catalogue.
SOLD_SKUS = 40
COLOURS = ("Blue", "Black", "Rosé", "Green", "White")
SKUS_PER_PRODUCT = len(COLOURS)
_NAMES = ("T-Shirt", "Phone Case", "Lip Gloss", "Yoga Mat", "Water Bottle", "Desk Lamp", "Socks, 3 pairs", "Hair Clip")


@dataclass(frozen=True, slots=True)
class SkuFacts:
    """One SKU. Money is in minor units; ``off`` is the discount when there is one."""

    sku_id: str
    product_id: str
    product_name: str
    sku_name: str
    seller_sku: str
    image: str
    price: int
    off: int
    tax: int


def sku_facts(seed: int, shop: Shop, region: Region, place: int) -> SkuFacts:
    """Return SKU number ``place`` of a shop."""
    price = region.price(mix(mix(seed ^ shop.number) ^ place << 20))
    product, colour = place // SKUS_PER_PRODUCT, COLOURS[place % SKUS_PER_PRODUCT]
    return SkuFacts(
        sku_id=number(19, "1729", seed, "sku", shop.id, place),
        product_id=number(19, "1729", seed, "product", shop.id, product),
        product_name=f"Example {_NAMES[product % len(_NAMES)]}",
        sku_name=f"{colour}, M",
        seller_sku=f"EMU-{product:02d}-{colour[:3].upper()}",
        image=f"https://images.example.com/emulator/{shop.id}/{place}/1080x1080.jpeg",
        price=price,
        off=price // 10,
        tax=int(price * region.tax_rate) if region.tax_on_top else 0,
    )
