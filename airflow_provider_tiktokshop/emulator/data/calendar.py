"""The shop's own days: analytics count in its time zone, not in UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__ = ["day_of", "days_asked", "latest_available", "midnight"]

_ZONES = {
    "GB": "Europe/London", "US": "America/Los_Angeles", "DE": "Europe/Berlin", "FR": "Europe/Paris",
    "ES": "Europe/Madrid", "IT": "Europe/Rome", "IE": "Europe/Dublin", "MX": "America/Mexico_City",
    "BR": "America/Sao_Paulo", "JP": "Asia/Tokyo", "ID": "Asia/Jakarta", "MY": "Asia/Kuala_Lumpur",
    "PH": "Asia/Manila", "SG": "Asia/Singapore", "TH": "Asia/Bangkok", "VN": "Asia/Ho_Chi_Minh",
}  # fmt: skip


@cache
def _zone(region: str) -> ZoneInfo:
    return ZoneInfo(_ZONES[region])


def day_of(records: ShopRecords, moment: int) -> date:
    """Return the shop's day of a moment."""
    return datetime.fromtimestamp(moment, _zone(records.region.code)).date()


def midnight(records: ShopRecords, day: date) -> int:
    """Return when a day begins in the shop's time zone."""
    return int(datetime(day.year, day.month, day.day, tzinfo=_zone(records.region.code)).timestamp())


def latest_available(records: ShopRecords) -> date:
    """Return the last day of which all figures are there: yesterday."""
    return day_of(records, records.now) - timedelta(days=1)


def days_asked(scope: Scope, first: str = "start_date_ge", end: str = "end_date_lt") -> list[date]:
    """Return the days that a request asks for and that there are figures of.

    :raises Refusal: 36009004 when the range is empty or no range of days.
    """
    try:
        start, stop = date.fromisoformat(scope.text(first)), date.fromisoformat(scope.text(end))
    except ValueError:
        raise refuse(36009004, f"Invalid '{first}' or '{end}'") from None
    if stop <= start:
        raise refuse(36009004, f"Invalid '{end}': the range ends before it starts")
    last = min(stop, latest_available(scope.records) + timedelta(days=1))
    return [start + timedelta(days=number) for number in range(max(0, (last - start).days))]
