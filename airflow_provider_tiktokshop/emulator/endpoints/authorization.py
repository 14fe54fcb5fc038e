"""Shops and assets behind a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from airflow_provider_tiktokshop.emulator.registry import serves

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.call import Call
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["active_shops", "authorized_shops", "category_assets", "permissions"]


@serves("GET", "/authorization/*/shops")
def authorized_shops(_world: World, call: Call) -> bytes:
    """Get Authorized Shops: only those that were ticked at consent."""
    return orjson.dumps({"shops": [shop.public() for shop in call.shops]})


@serves("GET", "/authorization/*/category_assets")
def category_assets(_world: World, call: Call) -> bytes:
    """Get Authorized Category Assets."""
    return orjson.dumps({"category_assets": [asset.public() for asset in call.account.assets]})


@serves("GET", "/seller/*/shops")
def active_shops(_world: World, call: Call) -> bytes:
    """Get Active Shops."""
    return orjson.dumps({"shops": [{"id": shop.id, "region": shop.region} for shop in call.shops if shop.active]})


@serves("GET", "/seller/*/permissions")
def permissions(_world: World, call: Call) -> bytes:
    """Get Seller Permissions: cross-border sellers manage global products."""
    cross_border = any(shop.seller_type == "CROSS_BORDER" for shop in call.shops)
    return orjson.dumps({"permissions": ["MANAGE_GLOBAL_PRODUCT"] if cross_border else []})
