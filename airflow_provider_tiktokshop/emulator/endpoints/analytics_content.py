"""How videos and LIVE sessions perform."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import affiliation, analytics
from airflow_provider_tiktokshop.emulator.data.calendar import days_asked, midnight
from airflow_provider_tiktokshop.emulator.data.catalogue import find_product, product_skus
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.endpoints.analytics import intervals, ranking
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Listing, Parent, offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_LIVE_STARTS = 18 * 3600
_LIVE_SECONDS = 7200


def _names(records: ShopRecords, product: str) -> dict[str, str]:
    return {"id": product, "name": product_skus(records, find_product(records, product))[0].product_name}


def _creator(records: ShopRecords, number: int) -> dict[str, Any]:
    name = affiliation.creator_name(number)
    own = affiliation.creator_open_id(records.world.options.seed, number)
    return {"author_type": "AFFILIATE", "user_name": name, "nick_name": name, "open_id": own, "creator_id": own}


def _contents(records: ShopRecords, days: list[date], kind: str) -> analytics.Figures:
    """Return the figures of all videos, or of all LIVE sessions, together."""
    found = analytics.Figures()
    for sold in analytics.figures(records, days, "contents", kind).values():
        found.gmv += sold.gmv
        found.orders += sold.orders
        found.units += sold.units
        found.buyers |= sold.buyers
    return found


def _overview(kind: str) -> Callable[[Scope], Table]:
    name = kind.lower()

    def row(records: ShopRecords, days: list[date]) -> dict[str, Any]:
        whole = analytics.interval(records, _contents(records, days, kind))
        gmv = whole["gmv"]
        named = {f"{name}_gmv": gmv, f"{name}_attributed_gmv": gmv, f"{name}_attributed_sku_orders": whole["orders"]}
        more = {"live_attributed_items_sold": whole["units_sold"]} if kind == "LIVE" else {"today": False}
        return whole | named | more

    def table(scope: Scope) -> Table:
        updated = datetime.fromtimestamp(scope.records.now, UTC).isoformat().replace("+00:00", "Z")
        return intervals(scope, row, comparison_intervals=[], updated_at=updated)

    return table


def _posted(records: ShopRecords, number: int) -> str:
    moment = records.world.clock.anchor - (number + 61) * 86400
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _videos(scope: Scope) -> Table:
    records, days = scope.records, days_asked(scope)

    def row(key: tuple[str, int], sold: analytics.Figures) -> dict[str, Any]:
        number = key[1]
        products = analytics.figures(records, days, "content_products", *key)
        whole = analytics.interval(records, sold)
        return whole | {
            "id": affiliation.video_id(records, number),
            "title": f"Example video {number + 1}",
            "username": affiliation.creator_name(number % affiliation.CREATORS),
            "creator": _creator(records, number % affiliation.CREATORS),
            "attributed_gmv": whole["gmv"],
            "hash_tags": ["example"],
            "products": [_names(records, product) for _kind, _number, product in sorted(products)],
            "video_post_time": _posted(records, number),
        }

    return ranking(scope, analytics.figures(records, days, "contents", "VIDEO"), row)


def _video(scope: Scope) -> int:
    for number in range(affiliation.VIDEOS):
        if affiliation.video_id(scope.records, number) == scope.text("video_id"):
            return number
    raise refuse(36009004, "Invalid 'video_id'")


def _video_days(scope: Scope) -> Table:
    number = _video(scope)

    def row(records: ShopRecords, days: list[date]) -> dict[str, Any]:
        sold = analytics.figures(records, days, "contents", "VIDEO", number).get(("VIDEO", number))
        whole = analytics.interval(records, sold or analytics.Figures())
        return whole | {"sales": {"overall": whole, "breakdowns": []}, "traffic": {}}

    posted = _posted(scope.records, number)
    return intervals(scope, row, comparison_intervals=[], viewer_profile=[], video_post_time=posted)


def _video_products(scope: Scope) -> Table:
    records, number = scope.records, _video(scope)
    found = analytics.figures(records, days_asked(scope), "content_products", "VIDEO", number)
    return ranking(scope, found, lambda key, sold: _names(records, key[2]) | analytics.interval(records, sold))


def _lives(scope: Scope) -> Table:
    records = scope.records
    days = [day for day in days_asked(scope) if affiliation.has_live(day.toordinal())]
    sold = analytics.figures(records, days, "contents", "LIVE")
    found = {day: sold.get(("LIVE", day.toordinal()), analytics.Figures()) for day in days}

    def row(day: date, figures: analytics.Figures) -> dict[str, Any]:
        start, number = midnight(records, day) + _LIVE_STARTS, day.toordinal()
        whole = analytics.interval(records, figures)
        sales = whole | {
            "live_gmv": whole["gmv"],
            "live_attributed_gmv": whole["gmv"],
            "live_attributed_orders": figures.orders,
            "live_attributed_sku_orders": figures.orders,
            "live_attributed_items_sold": figures.units,
            "attributed_customers": len(figures.buyers),
        }
        return {
            "id": affiliation.live_id(records, number),
            "title": f"Example LIVE of {day.isoformat()}",
            "username": affiliation.creator_name(number % affiliation.CREATORS),
            "creator": _creator(records, number % affiliation.CREATORS),
            "start_time": str(start),
            "end_time": str(start + _LIVE_SECONDS),
            "sales_performance": sales,
            "interaction_performance": {},
            "traffic": {},
        }

    table = ranking(scope, found, row)
    table.extra["updated_at"] = datetime.fromtimestamp(records.now, UTC).isoformat().replace("+00:00", "Z")
    return table


def _live(scope: Scope) -> date:
    records, wanted = scope.records, scope.text("live_id")
    for day in analytics.orders_of(records):
        if affiliation.live_id(records, day.toordinal()) == wanted and affiliation.has_live(day.toordinal()):
            return day
    raise refuse(36009004, "Invalid 'live_id'")


def _minutes(scope: Scope) -> Table:
    """Everything a session sold, sold in its first minute."""
    records, day = scope.records, _live(scope)
    start = midnight(records, day) + _LIVE_STARTS
    sold = analytics.figures(records, [day], "contents", "LIVE", day.toordinal()).get(("LIVE", day.toordinal()))
    whole = analytics.interval(records, sold or analytics.Figures())
    nothing = analytics.interval(records, analytics.Figures())

    def entry(minute: int) -> Entry:
        span = {"start_time": start + minute * 60, "end_time": start + minute * 60 + 60}
        return Entry(lambda: span | {"sales": nothing if minute else whole, "traffic": {}, "interactions": {}})

    title = {"live_title": f"Example LIVE of {day.isoformat()}", "start_time": start, "end_time": start + _LIVE_SECONDS}
    overall = whole | title | {"duration": _LIVE_SECONDS}
    return Table({minute: entry(minute) for minute in range(_LIVE_SECONDS // 60)}, {"overall": overall})


def _live_products(scope: Scope) -> Table:
    records, day = scope.records, _live(scope)
    found = analytics.figures(records, [day], "content_products", "LIVE", day.toordinal())
    rows = []
    for (_kind, _number, product), sold in sorted(found.items()):
        whole = analytics.interval(records, sold)
        rows.append(_names(records, product) | {"sales": whole | {"direct_gmv": whole["gmv"]}, "traffic": {}})
    return table_of(rows)


def _listing(name: str, path: str, list_key: str, table: Callable[[Scope], Table], **more: Any) -> Listing:
    values: dict[str, Any] = {"page_size": 10, "sort": "gmv", "descending": True} | more
    return Listing(name=name, method="GET", template=f"/analytics/*/{path}", list_key=list_key, table=table, **values)


_VIDEO = Parent("shop_videos_performance", "id", "video_id")
_LIVE = Parent("shop_lives_performance", "id", "live_id")
_BY_DATE = {"key": ("start_date",), "token_in": None, "sort": "", "descending": False}
_DAYS = "performance.intervals"

offer(
    _listing("shop_videos_performance", "shop_videos/performance", "videos", _videos),
    _listing("shop_videos_overview", "shop_videos/overview_performance", _DAYS, _overview("VIDEO"), **_BY_DATE),
    _listing(
        "shop_video_performance_detail",
        "shop_videos/{video_id}/performance",
        _DAYS,
        _video_days,
        parent=_VIDEO,
        **_BY_DATE,
    ),
    _listing(
        "shop_video_products_performance",
        "shop_videos/{video_id}/products/performance",
        "products",
        _video_products,
        parent=_VIDEO,
    ),
    _listing("shop_lives_performance", "shop_lives/performance", "live_stream_sessions", _lives),
    _listing("shop_lives_overview", "shop_lives/overview_performance", _DAYS, _overview("LIVE"), **_BY_DATE),
    _listing(
        "shop_live_minutes",
        "shop_lives/{live_id}/performance_per_minutes",
        _DAYS,
        _minutes,
        key=("start_time",),
        parent=_LIVE,
        sort="",
        descending=False,
        page_size=60,
    ),
    _listing(
        "shop_live_products",
        "shop/{live_id}/products_performance",
        "products",
        _live_products,
        parent=_LIVE,
        token_in=None,
    ),
)
