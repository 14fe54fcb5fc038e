"""Analytics of videos and LIVE sessions."""

from __future__ import annotations

from types import MappingProxyType

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

_DAY_BY_DAY = (
    Cursor(field="date", ge="start_date_ge", lt="end_date_lt", where="query", kind="date", daily=True, into="date"),
)
_DAYS = (Cursor(field="start_date", ge="start_date_ge", lt="end_date_lt", where="query", kind="date"),)

shop_videos_performance = Stream(
    name="shop_videos_performance",
    family="analytics",
    doc="Get Shop Video Performance List",
    method="GET",
    path="/analytics/{version}/shop_videos/performance",
    version="202605",
    list_key="videos",
    primary_key=("date", "id"),
    cursors=_DAY_BY_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    filters=(
        Filter(name="currency", where="query", known=("LOCAL", "USD")),
        Filter(
            name="account_type",
            where="query",
            known=("AFFILIATE_ACCOUNTS", "ALL", "MARKETING_ACCOUNTS", "OFFICIAL_ACCOUNTS"),
        ),
    ),
    scope="data.shop_analytics.public.read",
    personal_fields=("username", "creator.nick_name", "creator.user_name"),
    carry=("latest_available_date",),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_video_performance_detail = Stream(
    name="shop_video_performance_detail",
    family="analytics",
    doc="Get Shop Video Performance Details",
    method="GET",
    path="/analytics/{version}/shop_videos/{video_id}/performance",
    version="202509",
    list_key="performance.intervals",
    primary_key=("video_id", "start_date"),
    paging=Paging(token_in=None),
    cursors=_DAYS,
    default_cursor="start_date",
    lookback=7 * DAY,
    parent=Parent(stream="shop_videos_performance", field="id", param="video_id", where="path", into="video_id"),
    params=MappingProxyType({"granularity": "1D"}),
    filters=(Filter(name="currency", where="query", known=("LOCAL", "USD")),),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="One request a video and day. Figures are restated for days, so the last seven days are read again.",
)

shop_video_products_performance = Stream(
    name="shop_video_products_performance",
    family="analytics",
    doc="Get Shop Video Product Performance List",
    method="GET",
    path="/analytics/{version}/shop_videos/{video_id}/products/performance",
    version="202509",
    list_key="products",
    primary_key=("date", "video_id", "id"),
    cursors=_DAY_BY_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    parent=Parent(stream="shop_videos_performance", field="id", param="video_id", where="path", into="video_id"),
    filters=(Filter(name="currency", where="query", known=("LOCAL", "USD")),),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="One request a video and day. Figures are restated for days, so the last seven days are read again.",
)

shop_videos_overview = Stream(
    name="shop_videos_overview",
    family="analytics",
    doc="Get Shop Video Performance Overview",
    method="GET",
    path="/analytics/{version}/shop_videos/overview_performance",
    version="202609",
    list_key="performance.intervals",
    primary_key=("start_date",),
    paging=Paging(token_in=None),
    cursors=_DAYS,
    default_cursor="start_date",
    lookback=7 * DAY,
    params=MappingProxyType({"granularity": "1D"}),
    filters=(
        Filter(name="today", where="query", kind="boolean"),
        Filter(name="currency", where="query", known=("LOCAL", "USD")),
        Filter(
            name="account_type",
            where="query",
            known=("AFFILIATE_ACCOUNTS", "ALL", "MARKETING_ACCOUNTS", "OFFICIAL_ACCOUNTS"),
        ),
    ),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_lives_performance = Stream(
    name="shop_lives_performance",
    family="analytics",
    doc="Get Shop LIVE Performance List",
    method="GET",
    path="/analytics/{version}/shop_lives/performance",
    version="202609",
    list_key="live_stream_sessions",
    primary_key=("date", "id"),
    cursors=_DAY_BY_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    filters=(
        Filter(
            name="account_type",
            where="query",
            known=("AFFILIATE_ACCOUNTS", "MARKETING_ACCOUNTS", "OFFICIAL_ACCOUNTS"),
            required=True,
        ),
        Filter(name="currency", where="query", known=("LOCAL", "USD")),
    ),
    scope="data.shop_analytics.public.read",
    personal_fields=("creator.nick_name", "creator.user_name"),
    carry=("latest_available_date",),
    note=(
        "An account type has to be named, because the endpoint knows no word for all three. Figures are restated "
        "for days, so the last seven days are read again."
    ),
)

shop_lives_overview = Stream(
    name="shop_lives_overview",
    family="analytics",
    doc="Get Shop LIVE Performance Overview",
    method="GET",
    path="/analytics/{version}/shop_lives/overview_performance",
    version="202609",
    list_key="performance.intervals",
    primary_key=("start_date",),
    paging=Paging(token_in=None),
    cursors=_DAYS,
    default_cursor="start_date",
    lookback=7 * DAY,
    params=MappingProxyType({"granularity": "1D"}),
    filters=(
        Filter(name="today", where="query", kind="boolean"),
        Filter(name="currency", where="query", known=("LOCAL", "USD")),
        Filter(name="account_type", where="query", known=("AFFILIATE_ACCOUNTS", "ALL", "LINKED_ACCOUNTS")),
    ),
    scope="data.shop_analytics.public.read",
    carry=("latest_available_date",),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_live_minutes = Stream(
    name="shop_live_minutes",
    family="analytics",
    doc="Get Shop LIVE Minute Performance",
    method="GET",
    path="/analytics/{version}/shop_lives/{live_id}/performance_per_minutes",
    version="202510",
    list_key="performance.intervals",
    primary_key=("live_id", "start_time"),
    paging=Paging(size_max=None),
    lookback=7 * DAY,
    parent=Parent(stream="shop_lives_performance", field="id", param="live_id", where="path", into="live_id"),
    filters=(Filter(name="currency", where="query"),),
    note="Figures are restated for days, so the last seven days are read again.",
)

shop_live_products = Stream(
    name="shop_live_products",
    family="analytics",
    doc="Get Shop LIVE Products Performance List",
    method="GET",
    path="/analytics/{version}/shop/{live_id}/products_performance",
    version="202512",
    list_key="products",
    primary_key=("live_id", "id"),
    paging=Paging(token_in=None),
    lookback=7 * DAY,
    parent=Parent(stream="shop_lives_performance", field="id", param="live_id", where="path", into="live_id"),
    filters=(Filter(name="currency", where="query"),),
    note="Figures are restated for days, so the last seven days are read again.",
)

STREAMS = (
    shop_videos_performance,
    shop_video_performance_detail,
    shop_video_products_performance,
    shop_videos_overview,
    shop_lives_performance,
    shop_lives_overview,
    shop_live_minutes,
    shop_live_products,
)
