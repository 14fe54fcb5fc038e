"""Everything the emulator knows, in one object that a reset replaces."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import orjson

from airflow_provider_tiktokshop.emulator.accounts import Account, Shop, build_accounts
from airflow_provider_tiktokshop.emulator.clock import EmulatorClock
from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
from airflow_provider_tiktokshop.emulator.facts import all_scopes
from airflow_provider_tiktokshop.emulator.faults import Faults
from airflow_provider_tiktokshop.emulator.ids import digest, number, word
from airflow_provider_tiktokshop.emulator.limits import Limits
from airflow_provider_tiktokshop.emulator.orders import ShopOrders
from airflow_provider_tiktokshop.emulator.settings import Options, Settings
from airflow_provider_tiktokshop.emulator.stats import Stats
from airflow_provider_tiktokshop.emulator.tokens import TokenDesk

if TYPE_CHECKING:
    from array import array

__all__ = ["Emulator", "World"]

_DAY = 86400


class World:
    """The app, its users and their shops, from one seed."""

    def __init__(self, options: Options) -> None:
        seed = options.seed
        self.options = options
        self.settings = Settings()
        self.settings.update(options.settings)
        self.clock = EmulatorClock(options.now)
        self.stats = Stats()
        self.limits = Limits()
        self.faults = Faults(random.Random(seed), self.stats)
        self.app_key = "EMU_" + word(12, seed, "app_key").lower()
        self.app_secret = "EMU_" + digest(seed, "app_secret").hex()[:40]
        self.service_id = number(19, "7", seed, "service_id")
        self.tokens = TokenDesk(seed, self.clock, self.settings, self.stats)
        self.snapshots: dict[int, array[int]] = {}
        self.pages_served = 0
        self.random = random.Random(seed + 1)
        self._orders: dict[str, ShopOrders] = {}
        self._records: dict[str, ShopRecords] = {}
        self._requests = 0
        scopes = {kind: all_scopes(kind) for kind in (0, 1, 3)}
        self.accounts = {
            account.open_id: account
            for account in build_accounts(
                seed, options.sellers, options.shops_per_seller, options.creators, options.partners, scopes
            )
        }
        self.shops: dict[str, Shop] = {}
        self.shop_by_cipher: dict[str, Shop] = {}
        for account in self.accounts.values():
            for shop in account.shops:
                self.shops[shop.id] = shop
                self.shop_by_cipher[shop.cipher] = shop
            self.tokens.open_grant(account, tuple(shop.id for shop in account.shops), account.scopes)

    def orders(self, shop: Shop) -> ShopOrders:
        """Return the orders of a shop as they stand now; they are built on first use."""
        moment = self.clock.data_now(live=self.settings.live)
        orders = self._orders.get(shop.id)
        if orders is None:
            last = self.clock.anchor
            first = last - self.options.days * _DAY
            orders = ShopOrders(self.options.seed, shop, self.options.orders, first, last)
            self._orders[shop.id] = orders
        orders.advance(moment)
        return orders

    def records(self, shop: Shop) -> ShopRecords:
        """Return what is derived from a shop's orders, as of now."""
        records = self._records.get(shop.id)
        if records is None:
            records = self._records[shop.id] = ShopRecords(self, shop)
        return records.refresh()

    def request_id(self) -> str:
        """Return a new request id in the service's shape: a time and 20 hex digits."""
        self._requests += 1
        now = int(self.clock.now())
        return f"{now:014d}{digest(self.options.seed, 'request', self._requests).hex()[:20].upper()}"

    def list_data(self, key: str, rows: list[bytes], next_page_token: str, total: int) -> bytes:
        """Return ``data`` of a list answer, its last page and its empty list as the switches say."""
        data: dict[str, Any] = {"next_page_token": next_page_token, "total_count": total}
        if not next_page_token and self.settings.last_page == "no_token":
            del data["next_page_token"]
        head = orjson.dumps(data)
        if not rows and self.settings.empty_list == "absent":
            return head
        return head[:-1] + b',"' + key.encode() + b'":[' + b",".join(rows) + b"]}"

    def ready(self, url: str) -> dict[str, Any]:
        """Return what the ready line says."""
        accounts = list(self.accounts.values())
        line: dict[str, Any] = {
            "url": url,
            "app_key": self.app_key,
            "app_secret": self.app_secret,
            "service_id": self.service_id,
            "sellers": [self._introduce(account) for account in accounts if account.user_type == 0],
        }
        for name, kind in (("creators", 1), ("partners", 3)):
            found = [self._introduce(account) for account in accounts if account.user_type == kind]
            if found:
                line[name] = found
        return line

    def _introduce(self, account: Account) -> dict[str, Any]:
        return {
            "open_id": account.open_id,
            "refresh_token": self.tokens.current(account.open_id)[-1].value,
            "shops": [shop.public() for shop in account.shops],
        }

    def secrets(self) -> list[str]:
        """Return every secret ever issued or held, so that a test can search logs and stores for them."""
        return [
            self.app_secret,
            *self.tokens.access,
            *self.tokens.refresh,
            *self.tokens.codes,
        ]


class Emulator:
    """Holds the world of the moment. ``url`` is known once the socket listens."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.url = ""
        self.world = World(options)
        self._past_secrets: set[str] = set()

    def reset(self) -> None:
        """Start over from the seed, as after a restart."""
        self.world.faults.release()
        self._past_secrets.update(self.world.secrets())
        self.world = World(self.options)

    def secrets(self) -> list[str]:
        """Return every secret since the start of the process, resets notwithstanding."""
        return sorted(self._past_secrets.union(self.world.secrets()))
