"""The orders of a shop: compact arrays for searching, JSON written only for the rows of a page."""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.ids import mix
from airflow_provider_tiktokshop.emulator.order_life import Life, created_at, life_of
from airflow_provider_tiktokshop.emulator.order_rows import OrderWriter

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Shop

__all__ = ["Filter", "History", "ShopOrders", "shop_number_of"]

_BASE = 576_000_000_000_000_000
_PER_SHOP = 10**11
_STEP = 7919
# A key is a time and an index in one integer: arrays of them sort, bisect and stay small.
_INDEX_BITS = 24
_INDEX_MASK = (1 << _INDEX_BITS) - 1
# Some 200 MB when it is full. To write an order costs more than to serve one, and a benchmark reads the same ones often.
_CACHED_ROWS = 65_536


def shop_number_of(order_id: str) -> int | None:
    """Return the number of the shop that an order id belongs to, or None when it can be nobody's."""
    if not order_id.isascii() or not order_id.isdigit() or len(order_id) != 18 or int(order_id) < _BASE:
        return None
    return (int(order_id) - _BASE) // _PER_SHOP


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search asks for. Ranges are half-open, in Unix seconds."""

    create_ge: int
    create_lt: int
    update_ge: int
    update_lt: int
    status: str | None = None
    shipping_type: str | None = None
    buyer_user_id: str | None = None
    is_buyer_request_cancel: bool | None = None
    warehouse_ids: tuple[str, ...] | None = None

    @property
    def other(self) -> bool:
        """Whether anything but the two ranges is asked for."""
        return any(
            value is not None
            for value in (
                self.status,
                self.shipping_type,
                self.buyer_user_id,
                self.is_buyer_request_cancel,
                self.warehouse_ids,
            )
        )


@dataclass(frozen=True, slots=True)
class History:
    """What has happened to an order: the statuses it has reached, and when."""

    index: int
    order_id: int
    life: Life
    status: str
    reached: dict[str, int]
    updated: int

    @property
    def created(self) -> int:
        """When it was placed."""
        return self.reached["UNPAID"]

    @property
    def paid(self) -> int | None:
        """When it was paid for."""
        return self.reached.get("ON_HOLD") or self.reached.get("AWAITING_SHIPMENT")


class ShopOrders:
    """All orders of one shop as they stand at the emulator's data time."""

    def __init__(self, seed: int, shop: Shop, count: int, first: int, last: int) -> None:
        self.shop = shop
        self.version = 0
        self._seed = mix(mix(seed) ^ shop.number)
        self._writer = OrderWriter(seed, shop)
        self._created = array("q", (created_at(self._seed, index, count, first, last) for index in range(count)))
        self._updated = array("q", bytes(8 * count))
        self._stage = array("b", bytes(count))
        self._moved: dict[int, dict[int, int]] = {}
        self._due: list[tuple[int, int]] = []
        self._rows: dict[tuple[int, bool], bytes] = {}
        self._matches: dict[tuple[Filter, str], array[int]] = {}
        for index, created in enumerate(self._created):
            times = life_of(self._seed, index, created).times
            stage = bisect_right(times, last) - 1
            self._stage[index] = stage = max(stage, 0)
            self._updated[index] = times[stage]
            if stage + 1 < len(times):
                self._due.append((times[stage + 1], index))
        heapq.heapify(self._due)
        self._by_create = array("q", sorted(self._key(self._created, index) for index in range(count)))
        self._by_update = array("q", sorted(self._key(self._updated, index) for index in range(count)))

    def __len__(self) -> int:
        return len(self._created)

    # ------------------------------------------------------------------ reading

    def order_id(self, index: int) -> int:
        """Return the id of an order."""
        return _BASE + self.shop.number * _PER_SHOP + index * _STEP + self._seed % _STEP

    def index_of(self, order_id: str) -> int | None:
        """Return the index of an order of this shop, or None."""
        if shop_number_of(order_id) != self.shop.number:
            return None
        index, rest = divmod(int(order_id) - _BASE - self.shop.number * _PER_SHOP - self._seed % _STEP, _STEP)
        return index if rest == 0 and 0 <= index < len(self) else None

    def row(self, index: int, *, detail: bool = False) -> bytes:
        """Return an order as JSON."""
        row = self._rows.get((index, detail))
        if row is None:
            life = self._life(index)
            stage = self._stage[index]
            times = life.times
            if index in self._moved:
                times = tuple(self._moved[index].get(place, time) for place, time in enumerate(times))
            row = self._writer.write(self.order_id(index), life, stage, times, self._updated[index], detail=detail)
            if len(self._rows) >= _CACHED_ROWS:
                self._rows.clear()
            self._rows[index, detail] = row
        return row

    def history(self, index: int) -> History:
        """Return what has happened to an order so far."""
        life, stage = self._life(index), self._stage[index]
        moved = self._moved.get(index, {})
        reached = {life.statuses[place]: moved.get(place, life.times[place]) for place in range(stage + 1)}
        return History(index, self.order_id(index), life, life.statuses[stage], reached, self._updated[index])

    @property
    def writer(self) -> OrderWriter:
        """What writes its orders: it knows the ids of its warehouses and carriers."""
        return self._writer

    def status(self, index: int) -> str:
        """Return the status of an order."""
        return self._life(index).statuses[self._stage[index]]

    def matching(self, wanted: Filter, field: str) -> tuple[array[int], int, int]:
        """Return sorted keys by ``field`` and the part [low, high) of them that matches."""
        keys = self._by_update if field == "update_time" else self._by_create
        ge, lt = (
            (wanted.update_ge, wanted.update_lt) if field == "update_time" else (wanted.create_ge, wanted.create_lt)
        )
        low, high = bisect_left(keys, _edge(ge)), bisect_left(keys, _edge(lt))
        rest_ge, rest_lt = (
            (wanted.create_ge, wanted.create_lt) if field == "update_time" else (wanted.update_ge, wanted.update_lt)
        )
        times = self._created if field == "update_time" else self._updated
        if not wanted.other and rest_ge <= 0 and rest_lt >= _FAR:
            return keys, low, max(low, high)
        found = self._matches.get((wanted, field))
        if found is None:
            found = array(
                "q",
                (
                    key
                    for key in keys[low:high]
                    if rest_ge <= times[key & _INDEX_MASK] < rest_lt
                    and (not wanted.other or self._fits(key & _INDEX_MASK, wanted))
                ),
            )
            if len(self._matches) >= 64:
                self._matches.clear()
            self._matches[wanted, field] = found
        return found, 0, len(found)

    def truth(self, field: str, ge: int, lt: int) -> list[dict[str, Any]]:
        """Return id and times of every order whose ``field`` is in [ge, lt), in that order."""
        keys = self._by_update if field == "update_time" else self._by_create
        indexes = (key & _INDEX_MASK for key in keys[bisect_left(keys, _edge(ge)) : bisect_left(keys, _edge(lt))])
        return [
            {
                "id": str(self.order_id(index)),
                "create_time": self._created[index],
                "update_time": self._updated[index],
            }
            for index in indexes
        ]

    # ------------------------------------------------------------------ moving on

    def advance(self, now: int) -> int:
        """Let everything happen that is due until ``now``. Return how many rows changed."""
        changed = 0
        while self._due and self._due[0][0] <= now:
            moment, index = heapq.heappop(self._due)
            times = self._life(index).times
            stage = self._stage[index] + 1
            if stage < len(times) and times[stage] <= now and times[stage] == moment:
                self._set(index, stage, max(moment, self._updated[index]))
                changed += 1
                if stage + 1 < len(times):
                    heapq.heappush(self._due, (times[stage + 1], index))
        return changed

    def touch(self, index: int, now: int) -> None:
        """Update an order now: its status moves on if it can, its update_time in any case."""
        life = self._life(index)
        stage = self._stage[index]
        if stage + 1 < len(life.times):
            stage += 1
            self._moved.setdefault(index, {})[stage] = now
            if stage + 1 < len(life.times):
                heapq.heappush(self._due, (life.times[stage + 1], index))
        self._set(index, stage, max(now, self._updated[index]))

    def add(self, count: int, now: int) -> list[int]:
        """Place ``count`` new orders now and return their indexes."""
        first = len(self)
        for index in range(first, first + count):
            self._created.append(now)
            self._updated.append(now)
            self._stage.append(0)
            insort(self._by_create, self._key(self._created, index))
            insort(self._by_update, self._key(self._updated, index))
            heapq.heappush(self._due, (self._life(index).times[1], index))
        self._changed()
        return list(range(first, first + count))

    def key_index(self, key: int) -> int:
        """Return the index inside a key."""
        return key & _INDEX_MASK

    def _set(self, index: int, stage: int, moment: int) -> None:
        old = self._key(self._updated, index)
        del self._by_update[bisect_left(self._by_update, old)]
        self._stage[index] = stage
        self._updated[index] = moment
        insort(self._by_update, self._key(self._updated, index))
        self._rows.pop((index, False), None)
        self._rows.pop((index, True), None)
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self._matches.clear()

    def _fits(self, index: int, wanted: Filter) -> bool:
        life = self._life(index)
        status = life.statuses[self._stage[index]]
        asked = status == "CANCELLED" and life.buyer_asks_to_cancel
        return (
            wanted.status in {None, status}
            and wanted.shipping_type in {None, life.shipping_type}
            and wanted.buyer_user_id in {None, self._writer.buyer_id(life.buyer)}
            and wanted.is_buyer_request_cancel in {None, asked}
            and (wanted.warehouse_ids is None or self._writer.warehouses[life.warehouse] in wanted.warehouse_ids)
        )

    def _life(self, index: int) -> Life:
        return life_of(self._seed, index, self._created[index])

    @staticmethod
    def _key(times: array[int], index: int) -> int:
        return times[index] << _INDEX_BITS | index


_FAR = 1 << 38


def _edge(moment: int) -> int:
    return min(max(moment, 0), _FAR) << _INDEX_BITS
