"""Figures by day, added up from the orders placed on it, so that products and contents add up to the shop."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.affiliation import content_of
from airflow_provider_tiktokshop.emulator.data.calendar import day_of, latest_available, midnight

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords

__all__ = ["Figures", "cancelled", "figures", "interval", "latest", "orders_of"]


@dataclass(slots=True)
class Figures:
    """What was sold. Money is in minor units; a product's orders are counted once per order."""

    gmv: int = 0
    orders: int = 0
    units: int = 0
    buyers: set[int] = field(default_factory=set)

    def add(self, gmv: int, units: int, buyer: int) -> None:
        """Count one order, or the part of it that is about a product."""
        self.gmv += gmv
        self.orders += 1
        self.units += units
        self.buyers.add(buyer)


@dataclass(slots=True)
class _Day:
    total: Figures = field(default_factory=Figures)
    products: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    skus: dict[tuple[str, str], Figures] = field(default_factory=lambda: defaultdict(Figures))
    contents: dict[tuple[str, int], Figures] = field(default_factory=lambda: defaultdict(Figures))
    content_products: dict[tuple[str, int, str], Figures] = field(default_factory=lambda: defaultdict(Figures))
    hours: dict[int, Figures] = field(default_factory=lambda: defaultdict(Figures))
    cancelled: int = 0


def orders_of(records: ShopRecords) -> dict[date, list[int]]:
    """Return the indexes of the orders placed on each of the shop's days."""

    def make() -> dict[date, list[int]]:
        days: dict[date, list[int]] = defaultdict(list)
        for history in records.histories():
            days[day_of(records, history.created)].append(history.index)
        return days

    return records.made("orders by day", make)


def _day(records: ShopRecords, day: date) -> _Day:
    return records.made(("figures", day), lambda: _count(records, day))


def _count(records: ShopRecords, day: date) -> _Day:
    found = _Day()
    indexes = orders_of(records).get(day, [])
    for index in indexes:
        history = records.histories()[index]
        if history.status == "CANCELLED":
            found.cancelled += 1
        if history.paid is None:
            continue
        order, buyer = records.order(index), history.life.buyer
        content = content_of(records, index, history.created)
        by_product: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for first, items in records.skus_of(order):
            value = sum(records.minor(item["sale_price"]) for item in items)
            found.skus[first["product_id"], first["sku_id"]].add(value, len(items), buyer)
            by_product[first["product_id"]][0] += value
            by_product[first["product_id"]][1] += len(items)
        for product, (value, units) in by_product.items():
            found.products[product].add(value, units, buyer)
            if content:
                found.content_products[(*content, product)].add(value, units, buyer)
        whole = sum(value for value, _ in by_product.values()), len(order["line_items"]), buyer
        found.total.add(*whole)
        found.hours[_hour(records, day, history.created)].add(*whole)
        if content:
            found.contents[content].add(*whole)
    return found


def _hour(records: ShopRecords, day: date, moment: int) -> int:
    return (moment - midnight(records, day)) // 3600 + 1


def figures(records: ShopRecords, days: Iterable[date], part: str, *key: Any) -> dict[Any, Figures]:
    """Return the figures of some days together, by key of a part: products, skus, contents, content_products, hours.

    :param key: only keys that begin with this; ``total`` has one key, the empty tuple.
    """
    found: dict[Any, Figures] = defaultdict(Figures)
    for day in days:
        one = _day(records, day)
        parts: dict[Any, Figures] = {(): one.total} if part == "total" else getattr(one, part)
        for name, sold in parts.items():
            if not key or (name[: len(key)] if isinstance(name, tuple) else (name,)) == key:
                into = found[name]
                into.gmv += sold.gmv
                into.orders += sold.orders
                into.units += sold.units
                into.buyers |= sold.buyers
    return found


def cancelled(records: ShopRecords, days: Iterable[date]) -> int:
    """Return how many orders of some days were cancelled since."""
    return sum(_day(records, day).cancelled for day in days)


def latest(records: ShopRecords) -> dict[str, Any]:
    """Return what every analytics answer says beside its rows."""
    return {"latest_available_date": latest_available(records).isoformat()}


def interval(records: ShopRecords, sold: Figures) -> dict[str, Any]:
    """Return figures under all names that the endpoints' versions have for them."""
    gmv = {"amount": records.money(sold.gmv), "currency": records.region.currency}
    average = {"amount": records.money(sold.gmv // max(1, sold.orders)), "currency": records.region.currency}
    counts = {
        "orders": sold.orders,
        "orders_count": sold.orders,
        "sku_orders": sold.orders,
        "sku_orders_count": sold.orders,
        "units_sold": sold.units,
        "items_sold": sold.units,
        "unit_sold": sold.units,
        "buyers": len(sold.buyers),
        "customers": len(sold.buyers),
        "customers_count": len(sold.buyers),
        "estimated_customers": len(sold.buyers),
    }
    money = {"gmv": gmv, "avg_order_value": average, "avg_sku_order_value": average, "aov": average}
    return counts | money
