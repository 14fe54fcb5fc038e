"""Which orders came through creators and their content, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.emulator.data.calendar import day_of
from airflow_provider_tiktokshop.emulator.ids import word

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords

__all__ = [
    "CREATORS",
    "PERCENT",
    "VIDEOS",
    "commission",
    "content_of",
    "creator_name",
    "creator_of",
    "creator_open_id",
    "has_live",
    "live_id",
    "video_id",
]

CREATORS = 12
VIDEOS = 2 * CREATORS
PERCENT = 10
_ONE_IN = 4
# There is a LIVE session on every third day.
_LIVE_EVERY = 3


def creator_of(records: ShopRecords, index: int) -> int | None:
    """Return the number of the creator who brought an order, or None: one in four came through one."""
    bits = records.bits(51, index)
    return None if bits % _ONE_IN else (bits >> 8) % CREATORS


def commission(records: ShopRecords, index: int, revenue: int) -> int:
    """Return a creator's commission on a revenue in minor units: 0 when no creator brought the order."""
    return 0 if creator_of(records, index) is None else revenue * PERCENT // 100


def content_of(records: ShopRecords, index: int, created: int) -> tuple[str, int] | None:
    """Return what a buyer saw before ordering: a video's number, or the day of a LIVE session."""
    creator = creator_of(records, index)
    if creator is None:
        return None
    day = day_of(records, created).toordinal()
    bits = records.bits(54, index)
    if day % _LIVE_EVERY == 0 and bits & 1:
        return "LIVE", day
    # A creator's videos are those whose number has the same rest.
    return "VIDEO", creator + CREATORS * (bits >> 8 & 1)


def has_live(day: int) -> bool:
    """Tell whether a LIVE session took place on a day (an ordinal)."""
    return day % _LIVE_EVERY == 0


def video_id(records: ShopRecords, number: int) -> str:
    """Return the id of a video."""
    return records.id("73", 52, number)


def live_id(records: ShopRecords, day: int) -> str:
    """Return the id of a day's LIVE session."""
    return records.id("72", 53, day)


def creator_name(number: int) -> str:
    """Return a creator's user name: the same in every shop."""
    return f"emu_creator_{number + 1}"


def creator_open_id(seed: int, number: int) -> str:
    """Return a creator's open id; the first ones are those who can sign in here."""
    return "EMU_" + word(28, seed, "open_id", "creator", number)
