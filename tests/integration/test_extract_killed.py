"""A run that was killed goes on where it stopped: no row missing, none doubled, hardly a page asked for twice."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.extract import read_manifest, read_rows
from tests.support.extraction import SEARCH, ShopOnEmulator, StorePath, data_files, ids

ORDERS = 3000


@pytest.fixture
def shop(emulators):
    return ShopOnEmulator(emulators.get({"orders": ORDERS, "rate_limit": 1_000_000}))


def kill_at(shop: ShopOnEmulator, output: Path | StorePath, page: int, *, held: int = 1, **options) -> None:
    """Run an extraction in a process of its own and kill it while ``held`` requests wait for an answer.

    :param page: how many pages are answered before.
    """
    shop.emulator.faults({"match": SEARCH, "kind": "hold", "skip": page, "times": None})
    process = shop.in_a_process(output, **options)
    try:
        shop.emulator.wait_held(held, timeout=60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        shop.emulator.faults()
        shop.emulator.release()
    assert process.returncode == -signal.SIGKILL


def sidecar(output: Path) -> dict:
    return json.loads(next(output.rglob("_checkpoint.json")).read_text())


@pytest.mark.parametrize("page", [0, 1, 18])
def test_after_a_kill_not_one_page_of_a_local_file_is_read_again_but_the_one_in_flight(shop, tmp_path, page):
    clean = shop.extract(tmp_path / "clean", windows=1)
    before = shop.searches()
    kill_at(shop, tmp_path / "killed", page, windows=1)
    assert not list((tmp_path / "killed").rglob("manifest.json"))
    resumed = shop.extract(tmp_path / "killed", windows=1)
    # The page in flight was answered too, but to a dead process.
    assert shop.searches() - before <= ORDERS // 100 + 1
    assert resumed.files == clean.files
    assert data_files(tmp_path / "killed") == data_files(tmp_path / "clean")
    assert resumed.run["attempts"] == 2


def test_after_a_kill_each_of_many_windows_goes_on_where_it_was(shop, tmp_path):
    clean = shop.extract(tmp_path / "clean", windows=4)
    before = shop.searches()
    kill_at(shop, tmp_path / "killed", 18, held=1, windows=4)
    resumed = shop.extract(tmp_path / "killed", windows=4)
    assert shop.searches() - before <= clean.requests + 4
    assert resumed.files == clean.files


def test_a_kill_while_a_kill_is_made_good_loses_nothing_either(shop, tmp_path):
    for page in (4, 7, 9):
        kill_at(shop, tmp_path, page, windows=2)
    manifest = shop.extract(tmp_path, windows=2)
    assert ids(manifest) == ids(shop.before)
    assert manifest.run["attempts"] == 4


@pytest.mark.parametrize("expired", [False, True], ids=["token lives", "token expired"])
@pytest.mark.parametrize("windows", [1, 4])
def test_after_a_kill_at_most_a_page_of_each_window_of_a_local_file_is_fetched_again(shop, tmp_path, windows, expired):
    clean = shop.extract(tmp_path / "clean", windows=windows)
    before = shop.rows_served()
    kill_at(shop, tmp_path / "killed", 18, windows=windows)
    if expired:
        shop.emulator.settings(page_token_ttl=0.000001)
    resumed = shop.extract(tmp_path / "killed", windows=windows)
    assert ids(resumed) == ids(shop.before)
    # Without their tokens pages are asked for from the last cursor value on: its rows come again, a few for each page.
    seams = ORDERS // 100 * 2 if expired else 0
    assert shop.rows_served() - before <= ORDERS + 100 * windows + seams
    if not expired:
        assert resumed.files == clean.files


@pytest.mark.parametrize("expired", [False, True], ids=["token lives", "token expired"])
@pytest.mark.parametrize("windows", [1, 4])
def test_after_a_kill_at_most_a_part_of_each_window_in_a_store_is_fetched_again(shop, tmp_path, windows, expired):
    part = 200
    store = StorePath(tmp_path / "store")
    clean = shop.extract(tmp_path / "clean", windows=windows, rows_per_part=part)
    before = shop.rows_served()
    kill_at(shop, store, 18, windows=windows, rows_per_part=part)
    kept = sum(part["rows"] for window in sidecar(tmp_path / "store")["windows"] for part in window["parts"])
    assert kept >= 1800 - windows * part > 0
    if expired:
        shop.emulator.settings(page_token_ttl=0.000001)
    resumed = shop.extract(store, windows=windows, rows_per_part=part)
    assert Counter(row["id"] for row in read_rows(resumed)) == Counter(ids(shop.before))
    seams = ORDERS // 100 * 2 if expired else 0
    # What had gathered of a part is lost, and the page that was in flight.
    assert shop.rows_served() - before <= ORDERS + (part + 100) * windows + seams
    if not expired:
        assert resumed.files == clean.files


def test_a_row_updated_between_kill_and_retry_is_there_once(shop, tmp_path):
    kill_at(shop, tmp_path, 18, windows=1)
    shop.emulator.settings(page_tokens="offset")
    read = sidecar(tmp_path)["windows"][0]["position"]["cursor"]
    early = [row["id"] for row in shop.before if row["update_time"] < read]
    late = [row["id"] for row in shop.before if row["update_time"] > read]
    shop.emulator.orders(shop.shop.id, ids=[*early[:20], *late[:20]])
    manifest = shop.extract(tmp_path, windows=1)
    found = Counter(row["id"] for row in read_rows(manifest))
    assert max(found.values()) == 1
    assert set(ids(shop.before)) - found.keys() == set(late[:20])  # moved on before they were read
    assert set(early) <= found.keys()


@pytest.mark.parametrize(
    "changed",
    [
        {"filters": {"order_status": "COMPLETED"}},
        {"cursor_field": "create_time"},
        {"windows": 3},
        {"pii": "drop"},
        {"page_size": 50},
        {"lookback": 60},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_was_read_with_other_options_is_not_taken_over(shop, tmp_path, changed):
    kill_at(shop, tmp_path, 18, windows=1)
    options = {"windows": 1, **changed}
    manifest = shop.extract(tmp_path, **options)
    clean = shop.extract(tmp_path / "clean", **options)
    assert manifest.run["attempts"] == 1
    assert manifest.files == clean.files


def test_a_damaged_part_is_read_again(shop, tmp_path):
    kill_at(shop, tmp_path, 18, windows=1)
    (part,) = next(tmp_path.rglob("_work")).iterdir()
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 0xFF
    part.write_bytes(content)
    manifest = shop.extract(tmp_path, windows=1)
    assert ids(manifest) == ids(shop.before)


def test_a_page_that_was_written_but_not_recorded_is_not_doubled(shop, tmp_path):
    before = shop.searches()
    kill_at(shop, tmp_path, 18, windows=1)
    (part,) = next(tmp_path.rglob("_work")).iterdir()
    part.write_bytes(part.read_bytes() + part.read_bytes()[:9000])
    manifest = shop.extract(tmp_path, windows=1)
    assert Counter(row["id"] for row in read_rows(manifest)) == Counter(ids(shop.before))
    assert shop.searches() - before <= ORDERS // 100 + 1


def test_a_kill_leaves_an_earlier_extraction_of_the_interval_as_it_was(shop, tmp_path):
    first = shop.extract(tmp_path, windows=1)
    kill_at(shop, tmp_path, 18, windows=1)
    assert list(read_rows(read_manifest(first.manifest_path))) == list(read_rows(first))


def test_where_reading_ends_is_decided_once(shop, tmp_path):
    kill_at(shop, tmp_path, 18, windows=1, now=shop.end - 3600)
    resumed = shop.extract(tmp_path, windows=1)
    assert not resumed.complete
    assert {row["id"] for row in read_rows(resumed)} == set(ids(shop.truth(lt=shop.end - 3660)))


@pytest.mark.parametrize(("store", "layout"), [(True, "jsonl.gz"), (True, "parquet"), (False, "parquet")])
def test_what_cannot_grow_loses_at_most_one_part_per_window(shop, tmp_path, store, layout):
    output = StorePath(tmp_path / "store") if store else tmp_path / "store"
    options = {"windows": 2, "rows_per_part": 400, "format": layout}
    clean = shop.extract(tmp_path / "clean", **options)
    before = shop.searches()
    kill_at(shop, output, 18, **options)
    resumed = shop.extract(output, **options)
    # Of each window the open part, and the page in flight; never the closed ones.
    assert clean.requests < shop.searches() - before <= clean.requests + 2 * 4 + 2
    assert resumed.run["attempts"] == 2
    assert Counter(row["id"] for row in read_rows(resumed)) == Counter(ids(shop.before))
    assert resumed.files == clean.files
    assert set(data_files(tmp_path / "store").values()) == set(data_files(tmp_path / "clean").values())
