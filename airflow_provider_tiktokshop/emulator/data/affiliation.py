"""Which orders came through creators, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords

__all__ = ["CREATORS", "commission", "creator_of"]

CREATORS = 12
_ONE_IN = 4
_PERCENT = 10


def creator_of(records: ShopRecords, index: int) -> int | None:
    """Return the number of the creator who brought an order, or None: one in four came through one."""
    bits = records.bits(51, index)
    return None if bits % _ONE_IN else (bits >> 8) % CREATORS


def commission(records: ShopRecords, index: int, revenue: int) -> int:
    """Return a creator's commission on a revenue in minor units: 0 when no creator brought the order."""
    return 0 if creator_of(records, index) is None else revenue * _PERCENT // 100
