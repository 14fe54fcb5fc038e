"""Analytics of the shop, its products and SKUs, and its performance score."""

from __future__ import annotations

from types import MappingProxyType

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

_DAYS = (Cursor(field="start_date", ge="start_date_ge", lt="end_date_lt", where="query", kind="date"),)
_DAY_BY_DAY = (
    Cursor(field="date", ge="start_date_ge", lt="end_date_lt", where="query", kind="date", daily=True, into="date"),
)

shop_performance = Stream(
    name="shop_performance",
    family="analytics",
    doc="Get Shop Performance",
    method="GET",
    path="/analytics/{version}/shop/performance",
    version="202609",
    list_key="performance.intervals",
    primary_key=("start_date",),
    paging=Paging(token_in=None),
    cursors=_DAYS,
    default_cursor="start_date",
    lookback=7 * DAY,
    params=MappingProxyType({"granularity": "1D"}),
    filters=(Filter(name="currency", where="query", known=("LOCAL", "USD")),),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_performance_per_hour = Stream(
    name="shop_performance_per_hour",
    family="analytics",
    doc="Get Shop Performance Per Hour",
    method="GET",
    path="/analytics/{version}/shop/performance/{date}/performance_per_hour",
    version="202510",
    list_key="performance.intervals",
    primary_key=("date", "index"),
    paging=Paging(token_in=None),
    cursors=(Cursor(field="date", ge="date", lt=None, where="path", kind="date", daily=True, into="date"),),
    default_cursor="date",
    lookback=7 * DAY,
    filters=(Filter(name="currency", where="query", known=("LOCAL", "USD")),),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_products_performance = Stream(
    name="shop_products_performance",
    family="analytics",
    doc="Get Shop Product Performance List",
    method="GET",
    path="/analytics/{version}/shop_products/performance",
    version="202605",
    list_key="products",
    primary_key=("date", "id"),
    cursors=_DAY_BY_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    filters=(
        Filter(name="currency", where="query", known=("LOCAL", "USD")),
        Filter(name="category_filter", where="query", kind="texts"),
        Filter(name="product_status_filter", where="query", known=("ALL", "INACTIVE", "LIVE")),
    ),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_product_performance_detail = Stream(
    name="shop_product_performance_detail",
    family="analytics",
    doc="Get Shop Product Performance Detail",
    method="GET",
    path="/analytics/{version}/shop_products/{product_id}/performance",
    version="202509",
    list_key="performance.intervals",
    primary_key=("product_id", "start_date"),
    paging=Paging(token_in=None),
    cursors=_DAYS,
    default_cursor="start_date",
    lookback=7 * DAY,
    parent=Parent(stream="shop_products_performance", field="id", param="product_id", where="path", into="product_id"),
    params=MappingProxyType({"granularity": "1D"}),
    filters=(Filter(name="currency", where="query", known=("LOCAL", "USD")),),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="One request a product and day. Figures are restated for days, so the last seven days are read again.",
)

shop_skus_performance = Stream(
    name="shop_skus_performance",
    family="analytics",
    doc="Get Shop SKU Performance List",
    method="GET",
    path="/analytics/{version}/shop_skus/performance",
    version="202509",
    list_key="skus",
    primary_key=("date", "id"),
    cursors=_DAY_BY_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    filters=(
        Filter(name="category_filter", where="query", kind="texts"),
        Filter(name="product_status_filter", where="query", known=("ALL", "INACTIVE", "LIVE")),
        Filter(name="product_ids", where="query", kind="texts"),
        Filter(name="currency", where="query"),
    ),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_sku_performance_detail = Stream(
    name="shop_sku_performance_detail",
    family="analytics",
    doc="Get Shop SKU Performance Detail",
    method="GET",
    path="/analytics/{version}/shop_skus/{sku_id}/performance",
    version="202509",
    list_key="performance.intervals",
    primary_key=("sku_id", "start_date"),
    paging=Paging(token_in=None),
    cursors=_DAYS,
    default_cursor="start_date",
    lookback=7 * DAY,
    parent=Parent(stream="shop_skus_performance", field="id", param="sku_id", where="path", into="sku_id"),
    params=MappingProxyType({"granularity": "1D"}),
    filters=(Filter(name="currency", where="query"),),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="One request an SKU and day. Figures are restated for days, so the last seven days are read again.",
)

shop_score_overview = Stream(
    name="shop_score_overview",
    family="analytics",
    doc="Get SPS Overview",
    method="GET",
    path="/analytics/{version}/shop_performances/overview",
    version="202606",
    list_key=None,
    primary_key=("shop_id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    filters=(Filter(name="locale", where="query"),),
    shop_field="shop_id",
    only_in=("US",),
    note="The Shop Performance Score.",
)

shop_score_metrics = Stream(
    name="shop_score_metrics",
    family="analytics",
    doc="Get SPS Metrics",
    method="GET",
    path="/analytics/{version}/shop_performances/metrics",
    version="202606",
    list_key="metrics",
    primary_key=("metric_code",),
    paging=Paging(token_in=None),
    filters=(Filter(name="locale", where="query"),),
    only_in=("US",),
    note="The Shop Performance Score.",
)

shop_score_metric_diagnosis = Stream(
    name="shop_score_metric_diagnosis",
    family="analytics",
    doc="Get SPS Metric Diagnosis",
    method="GET",
    path="/analytics/{version}/shop_performances/metrics/{metric_code}/diagnosis",
    version="202606",
    list_key=None,
    primary_key=("metric_code",),
    paging=Paging(token_in=None),
    parent=Parent(stream="shop_score_metrics", field="metric_code", param="metric_code", where="path"),
    filters=(Filter(name="locale", where="query"), Filter(name="trend_duration_days", where="query", kind="integer")),
    only_in=("US",),
    note="The Shop Performance Score.",
)

STREAMS = (
    shop_performance,
    shop_performance_per_hour,
    shop_products_performance,
    shop_product_performance_detail,
    shop_skus_performance,
    shop_sku_performance_detail,
    shop_score_overview,
    shop_score_metrics,
    shop_score_metric_diagnosis,
)
