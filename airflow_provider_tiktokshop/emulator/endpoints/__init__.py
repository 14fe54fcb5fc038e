"""What the endpoints answer: one module per API family. Importing this package registers all of them."""

from __future__ import annotations

from airflow_provider_tiktokshop.emulator.endpoints import (
    authorization,
    finance,
    fulfillment,
    order_parts,
    orders,
    product_catalogue,
    products,
    returns,
)

__all__ = [
    "authorization",
    "finance",
    "fulfillment",
    "order_parts",
    "orders",
    "product_catalogue",
    "products",
    "returns",
]
