"""What endpoints cap, close early, restate late or count by other days, met over the emulator's real socket."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.api.errors import InvalidRequest, ResultWindowTooLarge
from airflow_provider_tiktokshop.extract import read_rows
from tests.support.extraction import ShopOnEmulator

DAY = 86_400


def keys(manifest, *fields):
    return Counter(tuple(row[name] for name in fields) for row in read_rows(manifest))


def test_more_products_than_a_search_gives_are_read_by_splitting_however_the_end_of_it_shows(emulators, tmp_path):
    shop = ShopOnEmulator(emulators.get({"orders": 50, "rate_limit": 1_000_000}))
    shop.emulator.settings(products=400, result_cap=60)
    truth = shop.emulator.true_rows("products", shop_id=shop.shop.id, cursor="update_time")
    start, end = min(row["update_time"] for row in truth), max(row["update_time"] for row in truth) + 1
    expected = Counter((row["id"],) for row in truth)
    assert len(expected) == 400
    known = replace(streams.get("products"), result_cap=60)
    # The cap that the stream knows shows in the total; one that it does not know only when the service stops.
    unknown = replace(known, result_cap=None)
    for stream in (known, unknown):
        for windows in (1, None):
            folder = tmp_path / f"{stream.result_cap}-{windows}"
            manifest = shop.extract(folder, start, end, stream=stream, windows=windows, page_size=20, settle=0)
            assert keys(manifest, "id") == expected, (stream.result_cap, windows)
    # The service does stop there.
    options = {"list_key": "products", "page_size": 20, "shop": shop.shop}
    with pytest.raises(ResultWindowTooLarge):
        list(shop.client().pages("POST", "/product/202502/products/search", **options))


def test_an_interval_longer_than_affiliate_orders_can_be_asked_for_is_split_to_stay_under(emulators, tmp_path):
    shop = ShopOnEmulator(emulators.get({"orders": 300, "days": 240, "rate_limit": 1_000_000, "creators": 1}))
    stream = streams.get("affiliate_seller_orders")
    now = int(datetime.now(UTC).timestamp()) - 600
    start = now - 239 * DAY
    truth = shop.emulator.true_rows(stream.name, shop_id=shop.shop.id, cursor=stream.default_cursor, ge=start, lt=now)
    manifest = shop.extract(tmp_path / "split", start, now, stream=stream, windows=1)
    assert keys(manifest, *stream.primary_key) == Counter(
        tuple(row[name] for name in stream.primary_key) for row in truth
    )
    assert manifest.options["windows"] == 3
    # The endpoint does refuse what is longer.
    with pytest.raises(InvalidRequest):
        shop.extract(tmp_path / "whole", start, now, stream=replace(stream, window_cap=None), windows=1)


def test_a_statement_that_is_paid_later_comes_again_with_its_new_status(emulators, tmp_path):
    shop = ShopOnEmulator(emulators.get({"orders": 400, "days": 20, "rate_limit": 1_000_000, "access_ttl": 30 * DAY}))
    midnight = int(datetime.now(UTC).timestamp()) // DAY * DAY

    def statuses(start, end, **options):
        manifest = shop.extract(
            tmp_path / f"{start}-{len(options)}",
            start,
            end,
            stream="statements",
            lookback=None,
            now=end + 120,
            **options,
        )
        return {row["id"]: row["payment_status"] for row in read_rows(manifest)}

    first = statuses(midnight - DAY, midnight)
    waiting = {one for one, status in first.items() if status == "PROCESSING"}
    assert waiting
    # Sixty days are read again: more than any payment takes.
    assert len(first) > 5
    shop.emulator.clock(advance=7 * DAY)
    later = statuses(midnight + 6 * DAY, midnight + 7 * DAY)
    assert {later[one] for one in waiting} == {"PAID"}


@pytest.mark.parametrize("schedule", ["UTC", "Europe/London"])
@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)], ids=["forward", "back"])
def test_the_days_around_a_change_of_the_clocks_are_each_there_once(emulators, tmp_path, change, schedule):
    now = int(datetime(change.year, change.month, change.day, 6, tzinfo=UTC).timestamp()) + 3 * DAY
    shop = ShopOnEmulator(emulators.get({"orders": 200, "days": 8, "now": now, "rate_limit": 1_000_000}))
    assert shop.emulator.sellers[0]["shops"][0]["region"] == "GB"

    def midnight(n: int, zone: str) -> int:
        day = datetime(change.year, change.month, change.day, tzinfo=ZoneInfo(zone))
        return int((day + timedelta(days=n)).timestamp())

    hours_of_the_day = (midnight(1, "Europe/London") - midnight(0, "Europe/London")) / 3600
    assert hours_of_the_day == (23 if change.month == 3 else 25)
    days: Counter[str] = Counter()
    hours: Counter[str] = Counter()
    for n in range(-2, 3):
        for stream, field, found in (
            ("shop_performance", "start_date", days),
            ("shop_performance_per_hour", "date", hours),
        ):
            start, end = midnight(n, schedule), midnight(n + 1, schedule)
            manifest = shop.extract(tmp_path, start, end, stream=stream, now=now)
            found.update(row[field] for row in read_rows(manifest))
    # While the clocks are forward the shop's day ends an hour before the UTC day; each belongs to one interval.
    assert sorted(days) == [str(change + timedelta(days=n)) for n in range(-2, 3)]
    assert set(days.values()) == {1}
    assert hours.keys() == days.keys()
    assert len(set(hours.values())) == 1
