"""A pause of minutes or more is not sat out: what was read is kept, and hardly anything is asked for again after it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract import ExtractionPaused, Manifest, read_rows
from airflow_provider_tiktokshop.extract.rows import Identity
from tests.support.extraction import ShopOnEmulator, StorePath

SEARCH = "/order/202309/orders/search"
PRICES = "/order/202407/orders/"
MESSAGES = "/customer_service/202309/conversations/"
BRANDS = "/product/202309/brands"
HOURLY = {"kind": "code:36009037", "params": {"status": 429}}
DAILY = {"kind": "code:45101004"}
LATER = {"kind": "429", "params": {"retry_after": 600}}
OVERLOAD = {"kind": "503", "params": {"retry_after": 600}}


@pytest.fixture
def shop(emulators):
    return ShopOnEmulator(emulators.get({"orders": 240, "rate_limit": 1_000_000}))


@pytest.fixture(params=["local", "store"])
def output(request, tmp_path):
    return lambda name: tmp_path / name if request.param == "local" else StorePath(tmp_path / name)


def answered(shop: ShopOnEmulator) -> Counter[str]:
    """How many requests were answered with data, by endpoint."""
    return Counter({one: codes.get("0", 0) for one, codes in shop.emulator.stats()["requests"].items()})


def keys(manifest: Manifest) -> Counter[Any]:
    identity = Identity(streams.get(manifest.stream).primary_key)
    return Counter(identity.key(row) for row in read_rows(manifest))


CASES = {
    "a window": ("orders", SEARCH, 7, HOURLY, {"windows": 1, "page_size": 20}, 0),
    # The pages in flight when the first is refused are answered, and written.
    "four windows": ("orders", SEARCH, 7, DAILY, {"windows": 4, "page_size": 20}, 0),
    "windows that are told when to come back": ("orders", SEARCH, 7, LATER, {"windows": 4, "page_size": 20}, 0),
    "windows of a service that is overloaded": ("orders", SEARCH, 7, OVERLOAD, {"windows": 4, "page_size": 20}, 0),
    "a snapshot": ("brands", BRANDS, 3, HOURLY, {"page_size": 10}, 0),
    # Of eight requests side by side those behind the refused one are lost.
    "the children of a page": ("order_price_detail", PRICES, 130, HOURLY, {"windows": 1}, 8),
    "the children of many windows": ("order_price_detail", PRICES, 70, HOURLY, {"windows": 8}, 0),
    # First pages of parents that have more of them are lost, too.
    "pages of a parent": ("conversation_messages", MESSAGES, 37, DAILY, {}, 16),
    "the parents of children": ("order_price_detail", SEARCH, 3, HOURLY, {"windows": 1, "page_size": 50}, 0),
    "the parents of many windows": ("order_price_detail", SEARCH, 8, LATER, {"windows": 4, "page_size": 20}, 0),
}


@pytest.mark.parametrize("case", CASES)
def test_after_a_pause_nothing_is_fetched_again_but_what_was_in_flight(shop, output, case):
    stream, path, skip, refusal, options, in_flight = CASES[case]
    before = answered(shop)
    clean = shop.extract(output("clean"), stream=stream, **options)
    needed = answered(shop) - before
    before = answered(shop)
    shop.emulator.faults({"match": path, "skip": skip, "times": None, **refusal})

    with pytest.raises(ExtractionPaused) as pause:
        shop.extract(output("paused"), stream=stream, **options)
    assert pause.value.resume_after >= 600
    shop.emulator.faults()
    manifest = shop.extract(output("paused"), stream=stream, **options)

    assert keys(manifest) == keys(clean)
    assert set(keys(manifest).values()) == {1}
    again = answered(shop) - before - needed
    # Of pages of parents the one that a window was in the middle of.
    parents = again.pop(f"POST {SEARCH}", 0) + again.pop("GET /customer_service/202309/conversations", 0)
    assert parents <= (manifest.options["windows"] if manifest.stream != "orders" else 0)
    assert sum(again.values()) <= in_flight, again


def test_a_quota_smaller_than_a_page_of_parents_is_enough_in_time(shop, output):
    attempts = 0
    while True:
        attempts += 1
        assert attempts < 20
        shop.emulator.faults({"match": "/order/", "skip": 60, "times": None, **HOURLY})
        try:
            manifest = shop.extract(output("paused"), stream="order_price_detail")
            break
        except ExtractionPaused:
            pass
    assert manifest.rows == len(shop.before) == 240
    assert set(keys(manifest).values()) == {1}
    assert manifest.run["attempts"] == attempts
    # Each attempt has 60 requests; what it may lose is a page of parents for each window, and what was in flight.
    assert attempts <= 240 / (60 - 8 - 8) + 1
