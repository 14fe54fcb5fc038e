"""The life of an order, derived from the seed and its index alone: when it was placed, and when its status moves."""

from __future__ import annotations

from typing import NamedTuple

from airflow_provider_tiktokshop.emulator.ids import mix

__all__ = ["BUYERS", "Life", "created_at", "life_of"]

BUYERS = 1024
_HOUR, _DAY = 3600, 86400
# Every so many orders one shares its second, and its whole schedule, with the one before it.
_TIE_EVERY = 29


class Life(NamedTuple):
    """The statuses of an order with the second in which each begins, and what stays the same throughout."""

    bits: int
    statuses: tuple[str, ...]
    times: tuple[int, ...]

    @property
    def units(self) -> int:
        """How many units were bought: one line item each."""
        roll = self.bits >> 8 & 63
        return 1 if roll < 46 else 2 if roll < 58 else 3 if roll < 62 else 4 + (roll & 1)

    @property
    def buyer(self) -> int:
        """The buyer's number among those of the shop."""
        return (self.bits >> 14) % BUYERS

    @property
    def warehouse(self) -> int:
        """Which of the shop's three warehouses ships."""
        return (self.bits >> 24 & 255) % 3

    @property
    def shipping_type(self) -> str:
        """Who ships."""
        return "SELLER" if (self.bits >> 32 & 7) == 0 else "TIKTOK"

    @property
    def buyer_asks_to_cancel(self) -> bool:
        """Whether the buyer requested a cancellation."""
        return self.statuses[-1] == "CANCELLED" and (self.bits >> 35 & 3) != 0


def created_at(seed: int, index: int, count: int, first: int, last: int) -> int:
    """Return when order ``index`` of ``count`` was placed: spread evenly from ``first`` to ``last``, with some jitter."""
    if index % _TIE_EVERY == _TIE_EVERY - 1:
        index -= 1
    span = last - first
    start = first + span * index // count
    room = max(1, span // count)
    return start + (mix(seed ^ index * 2 + 1) >> 11) % room


def life_of(seed: int, index: int, created: int) -> Life:
    """Return the whole life of an order placed at ``created``."""
    own = mix(seed + index)
    if index % _TIE_EVERY == _TIE_EVERY - 1:
        index -= 1
    bits = mix(seed + index)
    path = bits & 127
    waits = bits >> 40
    paid = created + 20 + waits % 580
    shipped = paid + 4 * _HOUR + (waits >> 3) % (40 * _HOUR)
    if path < 4:
        cancelled = created + 30 * 60 + waits % _DAY
        return Life(own, ("UNPAID", "CANCELLED"), (created, cancelled))
    if path < 14:
        cancelled = paid + _HOUR + waits % (20 * _HOUR)
        return Life(own, ("UNPAID", "AWAITING_SHIPMENT", "CANCELLED"), (created, paid, cancelled))
    statuses = ["UNPAID", "AWAITING_SHIPMENT"]
    times = [created, paid]
    if path < 28:
        statuses.insert(1, "ON_HOLD")
        times.append(paid + _HOUR)
    elif path < 34:
        statuses.append("PARTIALLY_SHIPPING")
        times.append(shipped - 2 * _HOUR)
    collected = shipped + 2 * _HOUR + (waits >> 7) % (22 * _HOUR)
    delivered = collected + _DAY + (waits >> 5) % (5 * _DAY)
    # Orders complete in batches, on the full minute.
    completed = (delivered + 7 * _DAY) // 60 * 60 + 60
    statuses += ("AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED")
    times += (shipped, collected, delivered, completed)
    return Life(own, tuple(statuses), tuple(times))
