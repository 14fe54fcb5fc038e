"""Best sellers of the market, and the score of the shop."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import affiliation
from airflow_provider_tiktokshop.emulator.data.calendar import latest_available, midnight
from airflow_provider_tiktokshop.emulator.data.catalogue import SOLD_PRODUCTS, product_skus
from airflow_provider_tiktokshop.emulator.data.tables import Table, table_of
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_METRICS = ("NRR", "OTDR", "SFCR", "IM_DSAT", "NBFR", "AHT")
_RANKS = 20


def _ranks(row: Callable[[ShopRecords, int], dict[str, Any]]) -> Callable[[Scope], Table]:
    def table(scope: Scope) -> Table:
        records = scope.records
        try:
            day = date.fromisoformat(scope.text("date") or latest_available(records).isoformat())
        except ValueError:
            raise refuse(36009004, "Invalid 'date'") from None
        if day > latest_available(records):
            return table_of([])
        # Another day has another order.
        turn = day.toordinal()
        rows = [
            {"rank": rank + 1, "gmv_range": f"{(_RANKS - rank) * 10}K+", **row(records, rank + turn)}
            for rank in range(_RANKS)
        ]
        return table_of(rows)

    return table


def _creator(records: ShopRecords, number: int) -> dict[str, Any]:
    number %= affiliation.CREATORS
    name = affiliation.creator_name(number)
    return {
        "open_id": affiliation.creator_open_id(records.world.options.seed, number),
        "user_name": name,
        "nick_name": name,
        "creator_name": name,
        "creator_nick_name": name,
    }


def _best_creator(records: ShopRecords, number: int) -> dict[str, Any]:
    creator = _creator(records, number)
    return {name: creator[name] for name in ("open_id", "user_name", "nick_name")}


def _best_product(records: ShopRecords, number: int) -> dict[str, Any]:
    sku = product_skus(records, number % SOLD_PRODUCTS)[0]
    picture = {"uri": sku.image, "urls": [sku.image], "thumb_urls": [sku.image]}
    own = {"shop_name": records.shop.name, "shop_id": records.shop.id}
    return {"id": sku.product_id, "name": sku.product_name, "rating": "4.5", "product_image": picture, **own}


def _best_video(records: ShopRecords, number: int) -> dict[str, Any]:
    sku = product_skus(records, number % SOLD_PRODUCTS)[0]
    return {
        "id": affiliation.video_id(records, number % affiliation.VIDEOS),
        "nick_name": affiliation.creator_name(number % affiliation.CREATORS),
        "product_infos": [{"product_id": sku.product_id, "product_name": sku.product_name}],
    }


def _best_live(records: ShopRecords, number: int) -> dict[str, Any]:
    day = latest_available(records) - timedelta(days=number % 30)
    return {
        **{name: value for name, value in _creator(records, number).items() if name not in {"user_name", "nick_name"}},
        "id": affiliation.live_id(records, day.toordinal()),
        "title": f"Example LIVE of {day.isoformat()}",
        "start_time": midnight(records, day),
        "duration": 7200,
    }


def _metric(records: ShopRecords, code: str) -> dict[str, Any]:
    return {
        "metric_code": code,
        "metric_name": f"Example metric {code}",
        "dimension": "FULFILLMENT",
        "score": str(60 + records.bits(95, len(code)) % 40),
        "status": "GOOD",
        "evaluate_duration_days": 30,
        "start_evaluation_time": records.now - 30 * 86400,
        "end_evaluation_time": records.now,
    }


def _diagnosis(scope: Scope) -> dict[str, Any]:
    code = scope.text("metric_code")
    if code not in _METRICS:
        raise refuse(36009004, "Invalid 'metric_code'")
    return _metric(scope.records, code)


offer(
    *(
        Listing(
            name=f"bestselling_{what}",
            method="GET",
            template=f"/analytics/*/{what}/bestselling",
            list_key=what,
            table=_ranks(row),
            key=("rank",),
            token_in=None,
        )
        for what, row in (
            ("products", _best_product),
            ("creators", _best_creator),
            ("videos", _best_video),
            ("lives", _best_live),
        )
    ),
    Listing(
        name="shop_score_metrics",
        method="GET",
        template="/analytics/*/shop_performances/metrics",
        list_key="metrics",
        table=lambda scope: table_of([_metric(scope.records, code) for code in _METRICS]),
        key=("metric_code",),
        token_in=None,
    ),
    Detail(
        name="shop_score_metric_diagnosis",
        method="GET",
        template="/analytics/*/shop_performances/metrics/{metric_code}/diagnosis",
        make=_diagnosis,
        key=("metric_code",),
        parent=Parent("shop_score_metrics", "metric_code", "metric_code"),
    ),
    Detail(
        name="shop_score_overview",
        method="GET",
        template="/analytics/*/shop_performances/overview",
        make=lambda scope: {"sps_score": "4.2", "update_time": scope.records.now},
        key=("sps_score",),
    ),
)
