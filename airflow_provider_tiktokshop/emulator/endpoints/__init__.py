"""What the endpoints answer: one module per API family. Importing this package registers all of them."""

from __future__ import annotations

from airflow_provider_tiktokshop.emulator.endpoints import (
    affiliate_creator,
    affiliate_market,
    affiliate_partner,
    affiliate_seller,
    analytics,
    analytics_content,
    analytics_market,
    authorization,
    customer_service,
    fbt,
    finance,
    fulfillment,
    order_parts,
    orders,
    product_catalogue,
    products,
    promotion,
    returns,
    seller,
)

__all__ = [
    "affiliate_creator",
    "affiliate_market",
    "affiliate_partner",
    "affiliate_seller",
    "analytics",
    "analytics_content",
    "analytics_market",
    "authorization",
    "customer_service",
    "fbt",
    "finance",
    "fulfillment",
    "order_parts",
    "orders",
    "product_catalogue",
    "products",
    "promotion",
    "returns",
    "seller",
]
