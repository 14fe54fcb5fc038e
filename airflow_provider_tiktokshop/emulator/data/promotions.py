"""Activities and coupons of the shop: some over, some running, some still to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.catalogue import SOLD_PRODUCTS, product_skus
from airflow_provider_tiktokshop.emulator.data.filling import ABSENT
from airflow_provider_tiktokshop.emulator.data.records import DAY
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table
from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords

__all__ = ["activities", "activity_detail", "coupon_detail", "coupons"]

_ACTIVITIES, _COUPONS = 26, 55
_TYPES = ("DIRECT_DISCOUNT", "FLASHSALE", "FIXED_PRICE")


def _span(records: ShopRecords, place: int) -> tuple[int, int]:
    """Return when the thing of that number begins and ends; the newest begins a few days from now."""
    begin = records.world.clock.anchor + (3 - place) * 4 * DAY
    return begin, begin + 7 * DAY


def _state(records: ShopRecords, place: int, words: tuple[str, str, str]) -> tuple[str, int]:
    """Return which of three states it is in, and since when."""
    begin, end = _span(records, place)
    if records.now >= end:
        return words[2], end
    return (words[1], begin) if records.now >= begin else (words[0], begin - 14 * DAY)


def _activity(records: ShopRecords, place: int) -> dict[str, Any]:
    begin, end = _span(records, place)
    status, since = _state(records, place, ("NOT_START", "ONGOING", "EXPIRED"))
    return {
        "id": records.id("7136", 71, place),
        "title": f"Example activity {place + 1}",
        "activity_type": _TYPES[place % len(_TYPES)],
        "duration_type": "NORMAL",
        "begin_time": begin,
        "end_time": end,
        "status": status,
        "create_time": begin - 14 * DAY,
        "update_time": since,
        "product_level": "PRODUCT",
        "activity_commands": [],
        "participation_limit": [],
        "discount": ABSENT,
        "auction_support_type": "",
    }


def activities(records: ShopRecords) -> Table:
    """Return the shop's activities."""

    def entry(place: int) -> Entry:
        row = _activity(records, place)
        tags = {"status": row["status"], "type": row["activity_type"], "title": row["title"], "id": row["id"]}
        return Entry(lambda: row, {"create_time": row["create_time"], "update_time": row["update_time"]}, tags)

    return records.made("activities", lambda: Table({place: entry(place) for place in range(_ACTIVITIES)}))


def activity_detail(records: ShopRecords, wanted: str) -> dict[str, Any]:
    """Return an activity with its products.

    :raises Refusal: 36009004 when the shop has none of that id.
    """
    place = next((place for place, one in activities(records).entries.items() if one.tags["id"] == wanted), None)
    if place is None:
        raise refuse(36009004, "Invalid 'activity_id'")
    row = _activity(records, place)
    products = [
        {
            "id": product_skus(records, product)[0].product_id,
            "quantity_limit": -1,
            "quantity_per_user": -1,
            "discount": "10",
            "skus": [],
        }
        for product in range(place % SOLD_PRODUCTS, SOLD_PRODUCTS, 3)
    ]
    return {name: value for name, value in row.items() if name != "id"} | {"activity_id": wanted, "products": products}


def _coupon(records: ShopRecords, place: int) -> dict[str, Any]:
    begin, end = _span(records, place)
    status, since = _state(records, place, ("NOT_START", "ONGOING", "EXPIRED"))
    currency = records.region.currency
    return {
        "id": records.id("7137", 72, place),
        "title": f"Example coupon {place + 1}",
        "display_type": "REGULAR",
        "status": status,
        "create_time": begin - 14 * DAY,
        "update_time": since,
        "claim_duration": {"start_time": begin, "end_time": end},
        "redemption_duration": {"type": "FIXED", "start_time": begin, "end_time": end, "relative_time": 0},
        "promo_code": "",
        "target_buyer_segment": "ALL",
        "discount": {
            "type": "REDUCTION",
            "reduction_amount": {"amount": records.money(500), "currency": currency},
            "percentage": "",
            "max_discount": ABSENT,
        },
        "threshold": {"type": "MIN_SPEND", "min_spend": {"amount": records.money(5000), "currency": currency}},
        "product_scope": "FULL_SHOP",
        "creation_source": "SELLER_CENTER",
    }


def coupons(records: ShopRecords) -> Table:
    """Return the shop's coupons."""

    def entry(place: int) -> Entry:
        row = _coupon(records, place)
        return Entry(lambda: row, {}, {"id": row["id"], "status": row["status"], "display": row["display_type"]})

    return records.made("coupons", lambda: Table({place: entry(place) for place in range(_COUPONS)}))


def coupon_detail(records: ShopRecords, wanted: str) -> dict[str, Any]:
    """Return a coupon.

    :raises Refusal: 36009004 when the shop has none of that id.
    """
    for entry in coupons(records).entries.values():
        if entry.tags["id"] == wanted:
            return {"coupon": entry.make() | {"product_ids": [], "display_channels": [], "live_tasks": []}}
    raise refuse(36009004, "Invalid 'coupon_id'")
