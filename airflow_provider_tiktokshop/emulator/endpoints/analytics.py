"""How the shop, its products and its SKUs perform."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import analytics
from airflow_provider_tiktokshop.emulator.data.calendar import days_asked, latest_available
from airflow_provider_tiktokshop.emulator.data.catalogue import find_product
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Listing, Parent, offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__ = ["ranking", "spans"]


def spans(scope: Scope) -> list[list[date]]:
    """Return the days of each interval asked for: one interval, or one a day."""
    days = days_asked(scope)
    if scope.params.get("granularity", "ALL") == "1D":
        return [[day] for day in days]
    return [days] if days else []


def dated(days: list[date]) -> dict[str, str]:
    """Return the dates of an interval; its end is not part of it."""
    return {"start_date": days[0].isoformat(), "end_date": (days[-1] + timedelta(days=1)).isoformat()}


def intervals(scope: Scope, row: Callable[[ShopRecords, list[date]], dict[str, Any]], **extra: Any) -> Table:
    """Return one row for each interval asked for."""
    records = scope.records

    def entry(days: list[date]) -> Entry:
        return Entry(lambda: dated(days) | row(records, days))

    return Table({place: entry(days) for place, days in enumerate(spans(scope))}, analytics.latest(records) | extra)


def ranking(
    scope: Scope, found: dict[Any, analytics.Figures], row: Callable[[Any, analytics.Figures], dict[str, Any]]
) -> Table:
    """Return one row for each thing that sold, ready to be sorted by any of its figures."""

    def entry(key: Any, sold: analytics.Figures) -> Entry:
        orders, units = sold.orders, sold.units
        times = {"gmv": sold.gmv, "orders": orders, "sku_orders": orders, "items_sold": units, "units_sold": units}
        return Entry(lambda: row(key, sold), times)

    things = sorted(found.items(), key=lambda item: str(item[0]))
    return Table({place: entry(key, sold) for place, (key, sold) in enumerate(things)}, analytics.latest(scope.records))


def _shop(scope: Scope) -> Table:
    def row(records: ShopRecords, days: list[date]) -> dict[str, Any]:
        whole = analytics.interval(records, analytics.figures(records, days, "total")[()])
        gone = {"cancellations_and_returns": analytics.cancelled(records, days)}
        lists: dict[str, Any] = {name: [] for name in ("gmv_breakdowns", "buyer_breakdowns")}
        return whole | gone | lists | {"sales": whole | gone, "traffic": {}, "breakdowns": {"content_breakdown": []}}

    return intervals(scope, row, comparison_intervals=[])


def _hours(scope: Scope) -> Table:
    try:
        day = date.fromisoformat(scope.text("date"))
    except ValueError:
        raise refuse(36009004, "Invalid 'date'") from None
    records = scope.records
    days = [day] if day <= latest_available(records) else []
    found = analytics.figures(records, days, "hours")

    def entry(hour: int) -> Entry:
        return Entry(lambda: {"index": hour, **analytics.interval(records, found.get(hour, analytics.Figures()))})

    whole = analytics.interval(records, analytics.figures(records, days, "total")[()])
    extra = {"overall": whole, "latest_available_timestamp": records.now}
    return Table({hour: entry(hour) for hour in range(1, 25 if days else 1)}, extra)


def _products(scope: Scope) -> Table:
    records = scope.records

    def row(product: str, sold: analytics.Figures) -> dict[str, Any]:
        whole = analytics.interval(records, sold)
        return {"id": product, "total_performance": whole, **whole}

    return ranking(scope, analytics.figures(records, days_asked(scope), "products"), row)


def _skus(scope: Scope) -> Table:
    records = scope.records
    found = analytics.figures(records, days_asked(scope), "skus")
    wanted = {*scope.params.get("product_ids", ()), scope.text("product_id")} - {""}
    if wanted:
        found = {key: sold for key, sold in found.items() if key[0] in wanted}

    def row(key: tuple[str, str], sold: analytics.Figures) -> dict[str, Any]:
        return {"id": key[1], "product_id": key[0], **analytics.interval(records, sold)}

    return ranking(scope, found, row)


def _product(scope: Scope) -> Table:
    product = scope.text("product_id")
    find_product(scope.records, product)

    def row(records: ShopRecords, days: list[date]) -> dict[str, Any]:
        sold = analytics.figures(records, days, "products", product)
        whole = analytics.interval(records, sold.get(product, analytics.Figures()))
        return whole | {"sales": whole | {"breakdowns": []}, "traffic": {"breakdowns": []}}

    none: dict[str, Any] = {name: [] for name in ("ratings", "top_contents", "top_creators", "comparison_intervals")}
    return intervals(scope, row, **none)


def _sku(scope: Scope) -> Table:
    sku = scope.text("sku_id")

    def row(records: ShopRecords, days: list[date]) -> dict[str, Any]:
        found = analytics.figures(records, days, "skus")
        sold = next((one for (_product, own), one in found.items() if own == sku), analytics.Figures())
        return analytics.interval(records, sold)

    return intervals(scope, row, comparison_intervals=[], sku_id=sku)


def _listing(name: str, path: str, list_key: str, table: Callable[[Scope], Table], **more: Any) -> Listing:
    paging = (
        {"token_in": None}
        if list_key == "performance.intervals"
        else {"sort": "gmv", "descending": True, "page_size": 10}
    )
    return Listing(
        name=name, method="GET", template=f"/analytics/*/{path}", list_key=list_key, table=table, **paging | more
    )


offer(
    _listing("shop_performance", "shop/performance", "performance.intervals", _shop, key=("start_date",)),
    _listing(
        "shop_performance_per_hour",
        "shop/performance/{date}/performance_per_hour",
        "performance.intervals",
        _hours,
        key=("index",),
    ),
    _listing("shop_products_performance", "shop_products/performance", "products", _products),
    _listing(
        "shop_product_performance_detail",
        "shop_products/{product_id}/performance",
        "performance.intervals",
        _product,
        key=("start_date",),
        parent=Parent("shop_products_performance", "id", "product_id"),
    ),
    _listing("shop_skus_performance", "shop_skus/performance", "skus", _skus),
    _listing(
        "shop_sku_performance_detail",
        "shop_skus/{sku_id}/performance",
        "performance.intervals",
        _sku,
        key=("start_date",),
        parent=Parent("shop_skus_performance", "id", "sku_id"),
    ),
)
