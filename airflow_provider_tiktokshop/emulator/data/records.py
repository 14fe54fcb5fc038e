"""Everything that is derived from one shop's orders, made on first use and kept until an order moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from airflow_provider_tiktokshop.emulator.ids import digest, mix
from airflow_provider_tiktokshop.emulator.regions import Region, region_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tiktokshop.emulator.accounts import Shop
    from airflow_provider_tiktokshop.emulator.orders import History, ShopOrders
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["DAY", "ShopRecords"]

DAY = 86400
# An order as an object takes some 10 kB.
_KEPT_ORDERS = 1000
_T = TypeVar("_T")


class ShopRecords:
    """One shop: its orders as objects, and a place to keep what is derived from them."""

    def __init__(self, world: World, shop: Shop) -> None:
        self.world = world
        self.shop = shop
        self.region: Region = region_of(shop.region)
        self.salt = mix(int.from_bytes(digest(world.options.seed, "records", shop.id)[:7], "big"))
        self.orders: ShopOrders = world.orders(shop)
        self.now = 0
        self.version = -1
        self._made: dict[Any, Any] = {}
        self._fixed: dict[Any, Any] = {}
        self._orders: dict[int, dict[str, Any]] = {}

    def refresh(self) -> ShopRecords:
        """Let go of what is out of date: the data's time has moved, or an order has."""
        self.orders = self.world.orders(self.shop)
        now = self.world.clock.data_now(live=self.world.settings.live)
        if (now, self.orders.version) != (self.now, self.version):
            self.now, self.version = now, self.orders.version
            self._made.clear()
            self._orders.clear()
        return self

    def made(self, name: Any, make: Callable[[], _T]) -> _T:
        """Return what ``make`` returned since the last change."""
        if name not in self._made:
            self._made[name] = make()
        found: _T = self._made[name]
        return found

    def fixed(self, name: Any, make: Callable[[], _T]) -> _T:
        """Return what ``make`` returned the first time: for what no order changes."""
        if name not in self._fixed:
            self._fixed[name] = make()
        found: _T = self._fixed[name]
        return found

    def histories(self) -> list[History]:
        """Return every order's history, by index."""
        return self.made("histories", lambda: [self.orders.history(index) for index in range(len(self.orders))])

    def order(self, index: int) -> dict[str, Any]:
        """Return an order as order detail shows it."""
        order = self._orders.get(index)
        if order is None:
            if len(self._orders) >= _KEPT_ORDERS:
                self._orders.clear()
            order = self._orders[index] = orjson.loads(self.orders.row(index, detail=True))
        return order

    def bits(self, *parts: int) -> int:
        """Return 64 bits that depend on the shop and on ``parts``."""
        value = self.salt
        for part in parts:
            value = mix(value ^ part)
        return value

    def id(self, first: str, *parts: int) -> str:
        """Return an id of 19 digits that begins with ``first``."""
        return first + str(self.bits(*parts) % 10 ** (19 - len(first))).zfill(19 - len(first))

    def minor(self, text: str) -> int:
        """Return an amount of this market in minor units."""
        return round(float(text) * 100) if self.region.decimals else int(text)

    def money(self, minor: int) -> str:
        """Return an amount as the API does, negative ones with a minus."""
        return f"-{self.region.money(-minor)}" if minor < 0 else self.region.money(minor)

    def skus_of(self, order: dict[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Yield each SKU's first line item with all of its line items: an order has one per unit."""
        by_sku: dict[str, list[dict[str, Any]]] = {}
        for item in order["line_items"]:
            by_sku.setdefault(item["sku_id"], []).append(item)
        for items in by_sku.values():
            yield items[0], items
