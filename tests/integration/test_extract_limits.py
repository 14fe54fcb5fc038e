"""Rate limits, failures and an expiring token over a real socket: every row once, and the service left in peace."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import urlencode
from urllib.request import urlopen

from airflow_provider_tiktokshop.extract import Progress
from tests.support.extraction import SEARCH, ShopOnEmulator, ids

PAGE = 5


def shop_of(emulators, *, rate_limit: float, budget: float, orders: int) -> ShopOnEmulator:
    return ShopOnEmulator(emulators.get({"orders": orders, "rate_limit": rate_limit}), requests_per_second=budget)


def test_at_a_limit_of_fifty_a_second_the_ceiling_is_reached_and_nothing_refused(emulators, tmp_path):
    shop = shop_of(emulators, rate_limit=50, budget=50, orders=1500)
    best, deadline = 0.0, time.monotonic() + 90
    # A machine that is busy with other things is late now and then; it must never be too early.
    while best < 0.95 * 50 and time.monotonic() < deadline:
        began = time.monotonic()
        manifest = shop.extract(tmp_path / str(began), windows=8, page_size=PAGE)
        best = max(best, manifest.requests / (time.monotonic() - began))
        assert ids(manifest) == ids(shop.before)
        assert shop.emulator.stats()["throttled"] == 0
    assert best >= 0.95 * 50


def test_a_limit_that_drops_in_mid_run_refuses_what_was_on_its_way_and_loses_nothing(emulators, tmp_path):
    shop = shop_of(emulators, rate_limit=50, budget=50, orders=2000)
    shop.emulator.settings(latency_ms=150)
    dropped: list[int] = []

    def drop(progress: Progress) -> None:
        if progress.rows >= 1250 and not dropped:
            dropped.append(progress.rows)
            assert shop.emulator.stats()["throttled"] == 0
            shop.emulator.settings(rate_limit=10)

    manifest = shop.extract(tmp_path, windows=8, page_size=PAGE, progress=drop)

    assert dropped
    assert ids(manifest) == ids(shop.before)
    # Eight threads have no more on their way; two or three more are refused on the way to the new limit.
    assert 1 <= shop.emulator.stats()["throttled"] <= 8 + 3


class Renewed:
    """Hands out an access token, and redeems the refresh token when it is refused: once, however many threads say so."""

    def __init__(self, shop: ShopOnEmulator) -> None:
        self.redeemed = 0
        self._emulator, self._token = shop.emulator, shop.access_token
        self._lock = threading.Lock()

    def current(self) -> str:
        return self._token

    def after_refusal(self, refused: str) -> str:
        with self._lock:
            if refused == self._token:
                query = {
                    "app_key": self._emulator.app_key,
                    "app_secret": self._emulator.app_secret,
                    "refresh_token": self._emulator.sellers[0]["refresh_token"],
                    "grant_type": "refresh_token",
                }
                with urlopen(f"{self._emulator.url}/api/v2/token/refresh?{urlencode(query)}", timeout=30) as answer:
                    self._token = json.load(answer)["data"]["access_token"]
                self.redeemed += 1
            return self._token


def test_failures_throttling_and_an_expiring_token_lose_and_double_nothing(emulators, tmp_path):
    shop = shop_of(emulators, rate_limit=1_000_000, budget=200, orders=2000)
    clean = shop.extract(tmp_path / "clean", windows=8, page_size=PAGE)
    shop.emulator.faults(
        {"match": SEARCH, "kind": "503", "probability": 0.01},
        {"match": SEARCH, "kind": "reset", "probability": 0.01},
        {"match": SEARCH, "kind": "429", "probability": 0.01},
    )
    source = Renewed(shop)
    expired: list[int] = []

    def expire(progress: Progress) -> None:
        if progress.rows >= 1000 and not expired:
            expired.append(progress.rows)
            shop.emulator.account(shop.emulator.sellers[0]["open_id"], expire_access=True)

    manifest = shop.extract(
        tmp_path / "troubled", windows=8, page_size=PAGE, client=shop.client(tokens=source), progress=expire
    )

    fired = shop.emulator.stats()["faults_fired"]
    assert set(fired) == {"503", "reset", "429"}, fired
    assert (len(expired), source.redeemed) == (1, 1)
    assert ids(manifest) == ids(shop.before)
    assert manifest.files == clean.files
