"""A day with a sale: windows are cut where the rows are, and nothing that is promised of an extraction changes."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import orjson
import pytest

from airflow_provider_tiktokshop.extract import ExtractionPaused, read_rows
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.extraction import SEARCH, StorePath, a_day_with_a_sale, data_files, ids

ORDERS = 4000
PAGE = 20
OPTIONS = {"cursor_field": "create_time", "page_size": PAGE, "settle": 0}


@pytest.fixture(scope="module")
def shop():
    with EmulatorProcess(orders=8, rate_limit=1_000_000) as emulator:
        yield a_day_with_a_sale(emulator, ORDERS, 0.8)


@pytest.fixture(autouse=True)
def _as_new(shop):
    yield
    shop.emulator.faults()
    shop.emulator.release()


def sidecar(output: Path) -> Path:
    return next(output.rglob("_checkpoint.json"))


def test_cut_windows_give_exactly_the_rows_of_one(shop, tmp_path):
    one = shop.extract(tmp_path / "one", windows=1, **OPTIONS)
    cut = shop.extract(tmp_path / "cut", **OPTIONS)
    assert 8 < cut.options["windows"] <= 40
    assert list(map(orjson.dumps, read_rows(cut))) == list(map(orjson.dumps, read_rows(one)))
    # Questions, first pages of windows that were cut, and last pages that are not full.
    assert cut.requests < one.requests * 1.4


def test_the_same_day_twice_gives_the_same_bytes_whichever_thread_was_faster(shop, tmp_path):
    first = shop.extract(tmp_path / "a", **OPTIONS)
    shop.emulator.faults({"match": SEARCH, "kind": "slow", "skip": 2, "times": 12, "params": {"seconds": 0.2}})
    second = shop.extract(tmp_path / "b", **OPTIONS)
    assert data_files(tmp_path / "a") == data_files(tmp_path / "b")
    written = [json.loads(Path(manifest.manifest_path).read_text()) for manifest in (first, second)]
    for manifest in written:
        del manifest["run"]
    assert written[0] == written[1]


def test_no_window_has_much_more_to_read_than_a_thread_has_to_do(shop, tmp_path):
    def largest(**options):
        manifest = shop.extract(tmp_path / str(len(options)), **OPTIONS, **options)
        return max(file.rows for file in manifest.files)

    assert largest(windows=8) > ORDERS * 0.7
    assert largest() <= ORDERS / 16


def test_an_interval_of_few_pages_costs_no_request_more(shop, tmp_path):
    start = shop.before[ORDERS // 2]["create_time"] - 600
    chosen = shop.extract(tmp_path / "a", start, start + 1200, **{**OPTIONS, "page_size": 100})
    one = shop.extract(tmp_path / "b", start, start + 1200, **{**OPTIONS, "page_size": 100}, windows=1)
    assert 800 < chosen.rows < 1600
    assert (chosen.requests, chosen.files) == (one.requests, one.files)


@pytest.mark.parametrize("store", [False, True], ids=["local", "store"])
@pytest.mark.parametrize("page", [3, 60, 150])
def test_after_a_kill_the_windows_are_those_of_the_first_attempt(shop, tmp_path, page, store):
    clean = shop.extract(tmp_path / "clean", **OPTIONS)
    output = StorePath(tmp_path / "killed") if store else tmp_path / "killed"
    before = shop.searches()
    shop.emulator.faults({"match": SEARCH, "kind": "hold", "skip": page, "times": None})
    process = shop.in_a_process(output, **OPTIONS)
    try:
        shop.emulator.wait_held(1, timeout=60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        shop.emulator.faults()
        shop.emulator.release()
    if page > 40:
        # Bounded: some hundreds of bytes a window, whatever the number of rows.
        assert sidecar(tmp_path / "killed").stat().st_size < 40 * 600
    resumed = shop.extract(output, **OPTIONS)
    assert ids(resumed) == ids(shop.before)
    assert resumed.files == clean.files
    # Eight threads had a page in flight, and eight first pages may have been read. A store loses what had gathered.
    lost = 16 + (ORDERS // PAGE // 16 * 8 if store else 0)
    assert shop.searches() - before <= clean.requests + min(lost, page + 8)


def test_after_a_pause_only_first_pages_of_windows_that_were_not_begun_are_read_again(shop, tmp_path):
    clean = shop.extract(tmp_path / "clean", **OPTIONS)
    before = shop.searches()
    shop.emulator.faults({"match": SEARCH, "kind": "code:36009037", "skip": 120, "times": None})
    with pytest.raises(ExtractionPaused):
        shop.extract(tmp_path / "paused", **OPTIONS)
    shop.emulator.faults()
    resumed = shop.extract(tmp_path / "paused", **OPTIONS)
    assert resumed.files == clean.files
    assert shop.searches() - before <= clean.requests + 8
