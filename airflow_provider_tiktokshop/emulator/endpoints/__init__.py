"""What the endpoints answer: one module per API family. Importing this package registers all of them."""

from __future__ import annotations

from airflow_provider_tiktokshop.emulator.endpoints import (
    analytics,
    analytics_content,
    analytics_market,
    authorization,
    customer_service,
    finance,
    fulfillment,
    order_parts,
    orders,
    product_catalogue,
    products,
    promotion,
    returns,
)

__all__ = [
    "analytics",
    "analytics_content",
    "analytics_market",
    "authorization",
    "customer_service",
    "finance",
    "fulfillment",
    "order_parts",
    "orders",
    "product_catalogue",
    "products",
    "promotion",
    "returns",
]
