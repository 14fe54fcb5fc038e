"""The days of a shop's calendar: analytics are asked for by them, intervals are instants."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date, tzinfo

__all__ = ["day", "days", "zone_of"]

# Where a market has several zones: that of its seller centre, or of its capital. "Shop time zone" is all that is said.
_ZONES: Final = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BR": "America/Sao_Paulo",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HU": "Europe/Budapest",
    "ID": "Asia/Jakarta",
    "IE": "Europe/Dublin",
    "IT": "Europe/Rome",
    "JP": "Asia/Tokyo",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NL": "Europe/Amsterdam",
    "PH": "Asia/Manila",
    "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon",
    "SG": "Asia/Singapore",
    "TH": "Asia/Bangkok",
    "US": "America/Los_Angeles",
    "VN": "Asia/Ho_Chi_Minh",
}


def zone_of(region: str) -> tzinfo:
    """Return the time zone of a shop.

    :param region: the shop's ``region``, two letters. An unknown one gives UTC.
    """
    from zoneinfo import ZoneInfo

    name = _ZONES.get(region.upper())
    return ZoneInfo(name) if name else UTC


def day(moment: int, zone: tzinfo) -> date:
    """Return the shop's date at a moment in Unix seconds."""
    return datetime.fromtimestamp(moment, zone).date()


def days(start: int, end: int, zone: tzinfo) -> tuple[tuple[int, int], ...]:
    """Return the shop's days that an interval is about, as Unix seconds [midnight, next midnight).

    A day belongs to the interval in which it ends, ``start < midnight <= end``: so no day is asked for before it is
    over, and intervals that follow each other share none and miss none.

    :param start: start of the interval, Unix seconds.
    :param end: end of the interval, Unix seconds.
    :param zone: the shop's time zone.
    """
    first, last = day(start, zone), day(end, zone)
    # By date and not by 86,400 seconds: twice a year a day has an hour more or less.
    dates = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    edges = [int(datetime(date.year, date.month, date.day, tzinfo=zone).timestamp()) for date in dates]
    return tuple(itertools.pairwise(edges))
