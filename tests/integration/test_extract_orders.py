"""Every row of an interval once, over the emulator's real socket."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import orjson
import pytest

from airflow_provider_tiktokshop.api.errors import ScopeMissing
from airflow_provider_tiktokshop.extract import (
    AnotherRunError,
    ExtractionPaused,
    IntervalError,
    ManifestError,
    OptionError,
    read_manifest,
    read_rows,
    records,
)
from tests.support.extraction import ENDPOINT, SEARCH, ShopOnEmulator, SteppingClock, data_files, ids

ORDERS = 1200


@pytest.fixture
def shop(emulators):
    return ShopOnEmulator(emulators.get({"orders": ORDERS, "rate_limit": 1_000_000}))


def parts(folder: Path) -> list[Path]:
    return sorted(folder.rglob("part-*"))


@pytest.mark.parametrize("cursor", ["update_time", "create_time"])
def test_one_window_gives_every_row_once(shop, tmp_path, cursor):
    truth = shop.truth(cursor)
    start, end = truth[0][cursor], truth[-1][cursor] + 1
    manifest = shop.extract(tmp_path, start, end, cursor_field=cursor, windows=1)
    assert ids(manifest) == ids(truth)
    assert (manifest.min_cursor, manifest.max_cursor) == (start, end - 1)
    assert manifest.rows == ORDERS == sum(file.rows for file in manifest.files)
    assert manifest.requests == ORDERS // 100


@pytest.mark.parametrize("windows", [2, 3, 7, 40])
def test_many_windows_give_exactly_the_rows_of_one(shop, tmp_path, windows):
    one = shop.extract(tmp_path / "one", windows=1)
    many = shop.extract(tmp_path / "many", windows=windows)
    assert sorted(map(orjson.dumps, read_rows(many))) == sorted(map(orjson.dumps, read_rows(one)))


def test_an_interval_is_half_open_at_its_edges_and_between_its_windows(shop, tmp_path):
    ties = Counter(row["update_time"] for row in shop.before)
    crowded = max(ties, key=lambda at: ties[at])
    assert ties[crowded] > 1
    before = shop.extract(tmp_path, shop.start, crowded, windows=3)
    after = shop.extract(tmp_path, crowded, shop.end, windows=3)
    assert sorted(ids(before) + ids(after)) == ids(shop.before)
    assert crowded not in {row["update_time"] for row in read_rows(before)}


def test_rows_are_as_the_service_sent_them(shop, tmp_path):
    manifest = shop.extract(tmp_path, windows=1)
    client = shop.client()
    sent = [
        row
        for page in client.pages(
            "POST",
            SEARCH,
            list_key="orders",
            params={"sort_field": "update_time", "sort_order": "ASC"},
            body={"update_time_ge": shop.start, "update_time_lt": shop.end},
            page_size=100,
            shop=shop.shop,
        )
        for row in page.rows
    ]
    assert list(read_rows(manifest)) == sent


def test_the_same_interval_twice_gives_the_same_bytes_and_the_same_manifest(shop, tmp_path):
    first = shop.extract(tmp_path / "a", windows=5)
    second = shop.extract(tmp_path / "b", windows=5)
    assert data_files(tmp_path / "a") == data_files(tmp_path / "b")
    written = [json.loads(Path(manifest.manifest_path).read_text()) for manifest in (first, second)]
    for manifest in written:
        del manifest["run"]
    assert written[0] == written[1]


def test_doing_it_again_in_the_same_place_replaces_the_files_by_the_same(shop, tmp_path):
    shop.extract(tmp_path, windows=5)
    before = data_files(tmp_path)
    shop.extract(tmp_path, windows=5)
    assert data_files(tmp_path) == before


def test_the_names_of_files_do_not_depend_on_which_window_was_faster(shop, tmp_path):
    # The first window's first page is slow: it is the last to end.
    shop.emulator.faults({"match": SEARCH, "kind": "slow", "times": 1, "params": {"seconds": 0.5}})
    slow = shop.extract(tmp_path / "slow", windows=5)
    even = shop.extract(tmp_path / "even", windows=5)
    assert slow.files == even.files


def test_the_layout_of_paths_is_settled(shop, tmp_path):
    manifest = shop.extract(tmp_path, "2026-01-01T00:00:00+00:00", 1_790_000_000, windows=1)
    folder = tmp_path / "orders" / f"shop_id={shop.shop.id}" / "start=20260101T000000Z" / "end=20260921T141320Z"
    assert manifest.manifest_path == str(folder / "manifest.json")
    assert {path.name for path in folder.iterdir()} <= {"manifest.json", "part-00000.jsonl.gz"}


def test_files_are_plain_gzip_of_json_lines(shop, tmp_path):
    manifest = shop.extract(tmp_path, windows=2).to_dict()
    for file in manifest["files"]:
        content = Path(file["path"]).read_bytes()
        assert content[4:8] == b"\0\0\0\0"  # no time of writing
        lines = gzip.decompress(content).splitlines()
        assert len(lines) == file["rows"]
        assert len(content) == file["bytes"]
        json.loads(lines[-1])


def test_an_empty_interval_still_writes_a_manifest(shop, tmp_path):
    manifest = shop.extract(tmp_path, shop.start - 7200, shop.start - 3600)
    assert (manifest.rows, manifest.files, manifest.min_cursor) == (0, (), None)
    assert read_manifest(manifest.manifest_path).complete
    assert list(read_rows(manifest)) == []


def test_lookback_reaches_back_before_the_start_and_nowhere_else(shop, tmp_path):
    middle = shop.before[ORDERS // 2]["update_time"]
    reach = middle - shop.before[ORDERS // 2 - 50]["update_time"]
    manifest = shop.extract(tmp_path, middle, shop.end, windows=6, lookback=reach)
    assert ids(manifest) == ids(shop.truth(ge=middle - reach, lt=shop.end))
    assert manifest.rows >= ORDERS // 2 + 50
    assert manifest.options["lookback"] == reach


def test_filters_reach_the_service(shop, tmp_path):
    manifest = shop.extract(tmp_path, filters={"order_status": "COMPLETED"}, windows=3)
    everything = shop.extract(tmp_path / "all", windows=1)
    wanted = [row for row in read_rows(everything) if row["status"] == "COMPLETED"]
    assert 0 < len(wanted) < ORDERS
    assert ids(manifest) == ids(wanted)


@pytest.mark.parametrize("tokens", ["keyset", "offset", "snapshot"])
@pytest.mark.parametrize("windows", [1, 4])
def test_rows_that_are_updated_while_paging_are_neither_lost_nor_doubled(shop, tmp_path, tokens, windows):
    shop.emulator.settings(page_tokens=tokens, touch_every_pages=2, touch_rows=3)
    manifest = shop.extract(tmp_path, windows=windows)
    shop.emulator.settings(touch_every_pages=0)
    found = Counter(row["id"] for row in read_rows(manifest))
    moved = {row["id"] for row in shop.truth(ge=shop.end)}
    assert moved
    assert max(found.values()) == 1
    assert set(ids(shop.before)) - moved <= found.keys() <= set(ids(shop.before))
    assert shop.start <= manifest.min_cursor <= manifest.max_cursor < shop.end
    # What has moved on belongs to the next interval, in its newest version.
    later = shop.extract(tmp_path, shop.end, max(row["update_time"] for row in shop.truth()) + 1, settle=0)
    assert moved <= {row["id"] for row in read_rows(later)}


@pytest.mark.parametrize("tokens", ["keyset", "offset", "snapshot"])
def test_rows_that_change_while_a_filter_is_read_hide_none_that_kept_matching(shop, tmp_path, tokens):
    shop.emulator.settings(page_tokens=tokens, touch_every_pages=2, touch_rows=4)
    truth = shop.truth("create_time")
    start, end = truth[0]["create_time"], truth[-1]["create_time"] + 1
    everything = {row["id"]: row for row in read_rows(shop.extract(tmp_path / "all", windows=1))}
    shop.emulator.reset()
    shop.emulator.settings(page_tokens=tokens, touch_every_pages=2, touch_rows=4)
    manifest = shop.extract(
        tmp_path, start, end, cursor_field="create_time", filters={"order_status": "COMPLETED"}, windows=2
    )
    touched = {row["id"] for row in shop.truth(ge=shop.end)}
    kept = {key for key, row in everything.items() if row["status"] == "COMPLETED"} - touched
    assert kept <= set(ids(manifest))


def test_a_total_that_stays_the_same_while_rows_come_and_go_hides_no_row(shop, tmp_path):
    status, before_it = "IN_TRANSIT", "AWAITING_COLLECTION"
    everything = list(read_rows(shop.extract(tmp_path / "all", windows=1)))
    everything.sort(key=lambda row: (row["create_time"], row["id"]))
    matching = [row["id"] for row in everything if row["status"] == status]
    entering = next(row["id"] for row in reversed(everything) if row["status"] == before_it)
    shop.start, shop.end = everything[0]["create_time"], everything[-1]["create_time"] + 1
    shop.emulator.settings(page_tokens="offset")
    shop.emulator.faults({"match": SEARCH, "kind": "hold", "skip": 2, "times": 1})
    process = shop.in_a_process(
        tmp_path, windows=1, page_size=10, cursor_field="create_time", filters={"order_status": status}
    )
    try:
        # Between two pages one row leaves that has been read, and one enters further on.
        shop.emulator.wait_held(1, timeout=60)
        shop.emulator.orders(shop.shop.id, ids=[matching[0], entering])
    finally:
        shop.emulator.release()
        output, _ = process.communicate(timeout=60)
    found = ids(read_rows(read_manifest(json.loads(output))))
    assert len(matching) > 40
    assert set(found) - {entering} == set(matching)


@pytest.mark.parametrize("layout", ["jsonl.gz", "parquet"])
def test_of_two_versions_that_were_both_read_the_later_one_is_kept(shop, tmp_path, layout):
    everything = list(read_rows(shop.extract(tmp_path / "all", windows=1)))
    everything.sort(key=lambda row: (row["create_time"], row["id"]))
    shop.start, shop.end = everything[0]["create_time"], everything[-1]["create_time"] + 1
    # Read by cursor, as filtered results are: the last row of a page comes again at the head of the next.
    filters = {"is_buyer_request_cancel": False}
    matching = [row["id"] for row in everything if not row["is_buyer_request_cancel"]]
    shop.emulator.faults({"match": SEARCH, "kind": "hold", "skip": 1, "times": 1})
    options = {"page_size": 10, "cursor_field": "create_time", "filters": filters, "format": layout}
    process = shop.in_a_process(tmp_path, windows=1, **options)
    try:
        shop.emulator.wait_held(1, timeout=60)
        touched = shop.emulator.orders(shop.shop.id, ids=[matching[9]])
    finally:
        shop.emulator.release()
        output, _ = process.communicate(timeout=60)
    found = list(read_rows(read_manifest(json.loads(output))))
    assert ids(found) == sorted(matching)
    assert [row["update_time"] for row in found if row["id"] == matching[9]] == [touched["at"]]


def test_page_tokens_that_expire_at_once_cost_a_request_a_page_and_no_row(shop, tmp_path):
    shop.emulator.settings(page_token_ttl=0.000001)
    manifest = shop.extract(tmp_path, windows=1)
    assert ids(manifest) == ids(shop.before)
    assert manifest.requests <= ORDERS // 100 + 3


def test_a_crowded_second_of_several_pages_comes_whole(shop, tmp_path):
    changed = shop.emulator.orders(shop.shop.id, add=350)
    at = changed["at"]
    manifest = shop.extract(tmp_path, at, at + 1, windows=1, settle=0, filters={"shipping_type": "TIKTOK"})
    everything = shop.extract(tmp_path / "all", at, at + 1, windows=1, settle=0)
    assert ids(everything) == sorted(changed["added"])
    assert ids(manifest) == ids(row for row in read_rows(everything) if row["shipping_type"] == "TIKTOK")


def test_failures_that_the_client_survives_leave_no_trace_in_the_rows(shop, tmp_path):
    shop.emulator.faults(
        {"match": SEARCH, "kind": "500", "times": 2, "skip": 1},
        {"match": SEARCH, "kind": "reset", "times": 2, "skip": 3},
        {"match": SEARCH, "kind": "429", "times": 2, "skip": 5},
        {"match": SEARCH, "kind": "truncated", "times": 1, "skip": 8, "params": {"bytes": 500}},
    )
    manifest = shop.extract(tmp_path, windows=4)
    assert ids(manifest) == ids(shop.before)
    clean = shop.extract(tmp_path / "clean", windows=4)
    assert manifest.files == clean.files
    assert manifest.requests > clean.requests


def test_a_refusal_stops_all_windows_and_says_what_it_was(shop, tmp_path):
    shop.emulator.faults({"match": SEARCH, "kind": "code:105005", "skip": 4, "times": 1})
    with pytest.raises(ScopeMissing):
        shop.extract(tmp_path, windows=4)
    assert not list(tmp_path.rglob("manifest.json"))
    with pytest.raises(ManifestError, match="not finished"):
        read_manifest(next(tmp_path.rglob("_checkpoint.json")).parent)
    manifest = shop.extract(tmp_path, windows=4)
    assert ids(manifest) == ids(shop.before)
    assert manifest.run["attempts"] == 2


def test_a_used_up_quota_pauses_and_the_next_call_goes_on(shop, tmp_path):
    before = shop.searches()
    shop.emulator.faults({"match": SEARCH, "kind": "code:36009037", "skip": 6, "times": 1, "params": {"status": 429}})
    with pytest.raises(ExtractionPaused) as pause:
        shop.extract(tmp_path, windows=1)
    assert pause.value.resume_after == 3600
    assert not list(tmp_path.rglob("manifest.json"))
    manifest = shop.extract(tmp_path, windows=1)
    assert ids(manifest) == ids(shop.before)
    assert shop.searches() - before == ORDERS // 100  # no page twice


def test_records_come_without_files_and_each_once(shop):
    shop.emulator.settings(page_tokens="offset", touch_every_pages=3)
    found = Counter(row["id"] for row in records("orders", shop.client(), shop.shop, shop.start, shop.end))
    moved = {row["id"] for row in shop.truth(ge=shop.end)}
    assert max(found.values()) == 1
    assert set(ids(shop.before)) - moved <= found.keys()


def test_records_take_filters_by_name(shop):
    rows = list(records("orders", shop.client(), shop.shop, shop.start, shop.end, order_status="CANCELLED"))
    assert {row["status"] for row in rows} == {"CANCELLED"}


def test_records_refuse_an_interval_that_they_cannot_finish(shop):
    with pytest.raises(OptionError, match="no filter 'status'"):
        records("orders", shop.client(), shop.shop, shop.start, shop.end, status="CANCELLED")
    clock = SteppingClock(shop.end - 3600)
    with pytest.raises(IntervalError, match="future"):
        next(records("orders", shop.client(), shop.shop, shop.start, shop.end, clock=clock))


def test_order_detail_is_read_for_the_orders_of_the_interval_fifty_at_a_time(shop, tmp_path):
    manifest = shop.extract(tmp_path, stream="order_detail", windows=2)
    rows = list(read_rows(manifest))
    assert ids(rows) == ids(shop.before)
    assert all("payment_method_code" in row for row in rows)
    answered = shop.emulator.stats()["requests"]
    assert answered["GET /order/202507/orders"]["0"] <= ORDERS / 50 + 2 * answered[ENDPOINT]["0"]


def test_an_end_that_has_just_passed_is_waited_for(shop, tmp_path):
    clock = SteppingClock(shop.end + 10)
    manifest = shop.extract(tmp_path, clock=clock, settle=60)
    assert clock.slept == [50]
    assert manifest.complete
    assert ids(manifest) == ids(shop.before)


def test_an_end_in_the_future_is_not_passed_off_as_read(shop, tmp_path):
    clock = SteppingClock(shop.end + 100)
    manifest = shop.extract(tmp_path, shop.start, shop.end + 86_400, clock=clock, settle=60)
    assert clock.slept == []
    assert not manifest.complete
    assert not read_manifest(manifest.manifest_path).to_dict()["complete"]
    assert manifest.complete_until < manifest.end
    assert "end=" + manifest.end.replace("-", "").replace(":", "") in manifest.manifest_path


def test_an_interval_that_settles_only_in_minutes_is_put_off_before_anything_is_sent(shop, tmp_path):
    before = shop.emulator.stats()["requests_total"]
    with pytest.raises(ExtractionPaused) as pause:
        shop.extract(tmp_path, clock=SteppingClock(shop.end + 10), settle=600)
    assert pause.value.resume_after == 590
    assert shop.emulator.stats()["requests_total"] == before


def test_a_rerun_that_fails_leaves_what_was_there(shop, tmp_path):
    first = shop.extract(tmp_path, windows=2)
    kept = data_files(tmp_path)
    shop.emulator.orders(shop.shop.id, touch=200)
    shop.emulator.faults({"match": SEARCH, "kind": "code:105005", "skip": 4, "times": 1})
    with pytest.raises(ScopeMissing):
        shop.extract(tmp_path, windows=2)
    assert {name: data_files(tmp_path)[name] for name in kept} == kept
    assert list(read_rows(read_manifest(first.manifest_path))) == list(read_rows(first))


def test_a_rerun_with_fewer_rows_leaves_no_file_of_the_first(shop, tmp_path):
    first = shop.extract(tmp_path, windows=1, rows_per_part=100)
    assert len(first.files) == ORDERS // 100
    shop.emulator.orders(shop.shop.id, touch=900)
    second = shop.extract(tmp_path, windows=1, rows_per_part=100)
    assert len(second.files) < len(first.files)
    assert [path.name for path in parts(tmp_path)] == [file.name for file in second.files]
    with pytest.raises(ManifestError, match="not the file that was written|missing"):
        list(read_rows(first))


def test_two_runs_of_one_interval_do_not_mix(shop, tmp_path):
    shop.emulator.faults({"match": SEARCH, "kind": "hold", "times": 1})
    process = shop.in_a_process(tmp_path, windows=1)
    try:
        shop.emulator.wait_held(1, timeout=60)
        with pytest.raises(AnotherRunError, match="Another process"):
            shop.extract(tmp_path, windows=1)
    finally:
        shop.emulator.release()
        output, _ = process.communicate(timeout=60)
    assert json.loads(output)["rows"] == ORDERS


def test_progress_is_told_page_by_page(shop, tmp_path):
    told = []
    shop.extract(tmp_path, windows=3, progress=told.append)
    assert told[-1].rows == ORDERS
    assert told[-1].windows == 3
    assert len(told) >= ORDERS // 100


def personal_values(rows) -> set[str]:
    """What in these rows identifies a buyer."""
    values = set()
    for row in rows:
        values |= {row["user_id"], row["buyer_email"], row.get("buyer_message", "")}
        address = row.get("recipient_address", {})
        values |= {value for name, value in address.items() if isinstance(value, str) and name != "region_code"}
        values |= {district["address_name"] for district in address.get("district_info", [])}
    return {value for value in values if len(value) > 3}


@pytest.mark.parametrize("pii", ["hash", "drop"])
def test_nothing_that_identifies_a_buyer_reaches_the_disk(shop, tmp_path, pii):
    kept = shop.extract(tmp_path / "kept", windows=1)
    personal = personal_values(read_rows(kept))
    assert len(personal) > 100
    key = "a key of sixteen bytes" if pii == "hash" else None
    manifest = shop.extract(tmp_path / "protected", windows=1, pii=pii, pii_key=key)
    text = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in (tmp_path / "protected").rglob("*")
        if path.is_file()
    ).decode()
    assert [value for value in personal if json.dumps(value, ensure_ascii=False) in text] == []
    assert ids(manifest) == ids(kept)
    assert manifest.options["pii"] == pii
    assert (manifest.options["pii_key_id"] is not None) == (pii == "hash")
    assert "a key of sixteen bytes" not in text


def test_hashed_buyers_can_still_be_counted_and_joined(shop, tmp_path):
    kept = {row["id"]: row["user_id"] for row in read_rows(shop.extract(tmp_path / "kept"))}
    hashed = {
        row["id"]: row["user_id"]
        for row in read_rows(shop.extract(tmp_path / "hashed", pii="hash", pii_key="a key of sixteen bytes"))
    }
    pairs = {(kept[key], hashed[key]) for key in kept}
    assert len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs}) > 1


def test_no_secret_is_in_anything_that_is_written_or_returned(shop, tmp_path):
    secrets = shop.emulator.secrets()
    assert shop.access_token in secrets
    shop.emulator.faults({"match": SEARCH, "kind": "code:105005", "skip": 4, "times": 1})
    with pytest.raises(ScopeMissing) as refused:
        shop.extract(tmp_path, windows=2)
    sidecar = next(tmp_path.rglob("_checkpoint.json")).read_text()
    manifest = shop.extract(tmp_path, windows=2)
    texts = [str(refused.value), sidecar, json.dumps(manifest.to_dict()), repr(manifest)]
    texts.append(Path(manifest.manifest_path).read_text())
    assert [secret for secret in secrets for text in texts if secret in text] == []
