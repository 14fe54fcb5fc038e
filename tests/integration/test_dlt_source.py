"""Streams through real dlt pipelines into a real DuckDB: every row once, in its newest version, run after run."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from airflow_provider_tiktokshop.dlt_source import caught_up, tiktokshop_resource, tiktokshop_source
from airflow_provider_tiktokshop.extract import IntervalError
from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
from tests.support.dlt_loading import QUIET, ROOT, Destination, client_of
from tests.support.extraction import SEARCH
from tests.support.leaks import files_below, find_leaks

ORDERS = 300
DAY = 86_400
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def quiet(monkeypatch, tmp_path):
    for name, value in {**QUIET, "DLT_DATA_DIR": str(tmp_path / "dlt")}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def emulator(emulators):
    # Live: what happens comes after what was read, and not before.
    options = {"orders": ORDERS, "days": 20, "shops_per_seller": 2, "rate_limit": 1_000_000, "live": True}
    return emulators.get(options)


@pytest.fixture
def destination(tmp_path):
    return Destination(tmp_path)


def shop_ids(emulator):
    return [shop["id"] for shop in emulator.sellers[0]["shops"]]


def truth(emulator, **bounds):
    """Each order of the seller with the version that is true now."""
    return {
        (shop, row["id"]): row["update_time"] for shop in shop_ids(emulator) for row in emulator.truth(shop, **bounds)
    }


def loaded(destination):
    rows = destination.rows("select shop_id, id, update_time from orders")
    assert len(rows) == len({row[:2] for row in rows})
    return {row[:2]: row[2] for row in rows}


def assert_complete(emulator, destination, working="working"):
    """Check that the table is what was true when it was read: whatever has changed since was older then, or not there."""
    until = {name.split()[0].removeprefix("shop_id="): at for name, at in read_until(destination, working).items()}
    assert until.keys() == set(shop_ids(emulator))
    found, true = loaded(destination), truth(emulator)
    settled = {key: at for key, at in true.items() if at < until[key[0]]}
    assert len(settled) > ORDERS
    assert {key: at for key, at in found.items() if key in settled} == settled
    assert all(key in true and at < until[key[0]] for key, at in found.items())


def later(emulator, seconds=600):
    """Let time pass at the service, so that what has just happened there is settled."""
    emulator.clock(advance=seconds)


def read_until(destination, working="working"):
    state = destination.pipeline(working).state["sources"]
    (source,) = [one for one in state.values() if "resources" in one]
    return {name: note["until"] for name, note in source["resources"]["orders"]["read"].items()}


def test_the_first_run_loads_all_and_each_later_one_what_changed(emulator, destination):
    counts = destination.load(tiktokshop_source(client_of(emulator), ["orders"], start=LONG_AGO))
    assert_complete(emulator, destination)
    assert counts["orders"] >= 2 * ORDERS - 2
    shop = shop_ids(emulator)[1]
    emulator.orders(shop, add=7, touch=20)
    later(emulator)
    counts = destination.load(tiktokshop_source(client_of(emulator), ["orders"], start=LONG_AGO))

    assert_complete(emulator, destination)
    # What changed and is settled, and what the look-back of five minutes reads again.
    assert 20 <= counts["orders"] < 100


def test_lists_of_a_row_go_with_its_version(emulator, destination):
    resource = lambda: tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO)  # noqa: E731
    items = """select shop_id, orders.id, count(*) from orders
               join orders__line_items on _dlt_root_id = orders._dlt_id group by all"""
    destination.load(resource())
    before = set(destination.rows(items))
    touched = emulator.orders(shop_ids(emulator)[0], touch=50)["touched"]
    later(emulator)

    counts = destination.load(resource())

    assert counts["orders"] >= len(touched) == 50
    # An order that was moving while the first load ended comes with the second.
    after = set(destination.rows(items))
    assert before <= after
    assert len(after) == len(destination.rows("select id from orders")) < len(before) + 5
    lost = "select count(*) from orders__line_items where _dlt_root_id not in (select _dlt_id from orders)"
    assert destination.rows(lost) == [(0,)]


def test_a_fresh_working_directory_goes_on_where_the_destination_says(emulator, destination):
    resource = lambda: tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO)  # noqa: E731
    destination.load(resource(), "one machine")
    known = read_until(destination, "one machine")
    assert len(known) == 2
    emulator.orders(shop_ids(emulator)[0], touch=5)
    later(emulator)

    counts = destination.load(resource(), "another machine")

    assert counts["orders"] < ORDERS
    assert_complete(emulator, destination, "another machine")
    after = read_until(destination, "another machine")
    assert all(after[name] > known[name] for name in known)


def test_an_interval_is_loaded_as_it_is_and_leaves_no_state(emulator, destination):
    times = sorted(truth(emulator).values())
    start, end = times[100], times[400]

    for _ in range(2):
        destination.load(tiktokshop_resource("orders", client_of(emulator), start=start, end=end, lookback=0))
        assert loaded(destination) == truth(emulator, ge=start, lt=end)
    assert "resources" not in json.dumps(destination.pipeline().state.get("sources", {}))


def test_intervals_one_after_the_other_give_what_one_gives(emulator, destination):
    times = sorted(set(truth(emulator).values()))
    end = times[-50]
    for start, stop in pairwise([times[0], times[100], times[101], end]):
        destination.load(tiktokshop_resource("orders", client_of(emulator), start=start, end=stop))
    assert loaded(destination) == truth(emulator, lt=end)


@pytest.mark.parametrize("windows", [1, 5])
@pytest.mark.parametrize("tokens", ["keyset", "offset"])
def test_rows_that_are_updated_while_paging_are_neither_lost_nor_doubled(emulator, destination, tokens, windows):
    emulator.settings(page_tokens=tokens, touch_every_pages=2, touch_rows=3)
    before = truth(emulator)
    resource = lambda: tiktokshop_resource(  # noqa: E731
        "orders", client_of(emulator), start=LONG_AGO, windows=windows, page_size=20
    )
    destination.load(resource())
    emulator.settings(touch_every_pages=0)
    touched = {key for key, at in truth(emulator).items() if at != before.get(key)}
    assert len(touched) > 20
    until = min(read_until(destination).values())
    kept = {key for key, at in before.items() if key not in touched and at < until}
    assert kept <= loaded(destination).keys()
    later(emulator)

    destination.load(resource())

    assert_complete(emulator, destination)


def test_a_row_that_is_updated_while_paging_is_there_in_its_newest_version(emulator, destination):
    shop = shop_ids(emulator)[0]
    orders = sorted(emulator.truth(shop, cursor="create_time"), key=lambda row: (row["create_time"], row["id"]))
    # Filtered results are read by cursor: the last row of a page comes again at the head of the next.
    emulator.faults({"match": SEARCH, "kind": "hold", "skip": 1, "times": 1})
    process = destination.in_a_process(
        emulator,
        start=LONG_AGO,
        windows=1,
        page_size=10,
        cursor_field="create_time",
        filters={"shipping_type": "TIKTOK"},
    )
    try:
        emulator.wait_held(1, timeout=120)
        touched = emulator.orders(shop, ids=[row["id"] for row in orders[:20]])
    finally:
        emulator.release()
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    found = loaded(destination)
    assert json.loads(output)["orders"] > len(found)
    again = {key for key, at in found.items() if at == touched["at"]}
    assert again
    first = [row["id"] for row in orders if (shop, row["id"]) in found][:10]
    assert (shop, first[-1]) in again


def test_of_two_versions_in_one_load_the_newer_one_stays(emulator, destination):
    import dlt

    resource = tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO)
    shop = shop_ids(emulator)[0]
    versions = [{"shop_id": shop, "id": "1", "update_time": at, "status": str(at)} for at in (5, 9, 7)]
    hints = {name: hint for name, hint in resource._hints.items() if name in {"columns", "primary_key"}}
    destination.load(dlt.resource(lambda: iter([versions]), name="orders", write_disposition="merge", **hints))
    assert destination.rows("select update_time, status from orders") == [(9, "9")]


def test_a_run_that_fails_half_way_loads_nothing_and_is_made_up_for(emulator, destination):
    resource = lambda: tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO, windows=1)  # noqa: E731
    destination.load(resource())
    known = read_until(destination)
    for shop in shop_ids(emulator):
        emulator.orders(shop, touch=150)
    later(emulator)
    # The first shop comes whole, the second does not.
    emulator.faults({"match": SEARCH, "kind": "code:105005", "skip": 3, "times": 1})

    with pytest.raises(PipelineStepFailed, match="105005"):
        destination.load(resource())

    assert read_until(destination) == known
    emulator.faults()
    destination.load(resource())
    assert_complete(emulator, destination)
    assert all(until > known[name] for name, until in read_until(destination).items())


def test_rows_that_never_reached_the_destination_are_read_again(emulator, destination):
    resource = lambda: tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO)  # noqa: E731
    destination.load(resource(), "first")
    for shop in shop_ids(emulator):
        emulator.orders(shop, touch=50)
    later(emulator)
    # Extracted on a machine that is then gone.
    destination.pipeline("gone").extract(resource())
    assert loaded(destination) != truth(emulator)

    destination.load(resource(), "third")

    assert_complete(emulator, destination, "third")


def test_a_run_that_is_killed_while_it_reads_is_made_up_for(emulator, destination):
    emulator.faults({"match": SEARCH, "kind": "hold", "skip": 4, "times": None})
    process = destination.in_a_process(emulator, start=LONG_AGO, windows=1)
    try:
        emulator.wait_held(1, timeout=60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        emulator.faults()
        emulator.release()
    assert process.returncode == -signal.SIGKILL

    destination.load(tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO))

    assert_complete(emulator, destination)


@pytest.mark.parametrize("working", ["working", "a new machine"])
def test_a_run_that_is_killed_while_it_loads_is_made_up_for(emulator, destination, working):
    process = destination.in_a_process(emulator, die_at="load", start=LONG_AGO)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output) == (-signal.SIGKILL, ""), errors
    later(emulator)
    pipeline = destination.pipeline(working)
    if working == "working":
        # dlt loads what it has before it reads anything new.
        pipeline.run(loader_file_format="parquet")
        assert len(loaded(destination)) >= 2 * ORDERS - 2

    destination.load(tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO), working)

    assert_complete(emulator, destination, working)
    items = "select count(*), count(distinct _dlt_root_id || '/' || _dlt_list_idx) from orders__line_items"
    ((count, distinct),) = destination.rows(items)
    assert count == distinct > 2 * ORDERS


def test_a_long_way_back_goes_in_chunks_each_of_which_is_kept(emulator, destination):
    first = min(truth(emulator).values())
    runs = []
    while True:
        resource = tiktokshop_resource("orders", client_of(emulator), start=first, chunk=timedelta(days=7))
        runs.append(destination.load(resource, f"machine {len(runs)}").get("orders", 0))
        if caught_up(destination.pipeline(f"machine {len(runs) - 1}"), resource):
            break
        assert len(runs) < 10
    assert len(runs) > 2
    assert_complete(emulator, destination, f"machine {len(runs) - 1}")
    # What is long settled is not read again for the look-back.
    assert sum(runs) < 2 * ORDERS * 1.2


def test_children_are_loaded_for_the_parents_of_the_interval(emulator, destination):
    shops = shop_ids(emulator)
    for _ in range(2):
        destination.load(tiktokshop_resource("statement_transactions", client_of(emulator), start=LONG_AGO))
        rows = destination.rows("select shop_id, statement_id, id from statement_transactions")
        expected = Counter(
            (shop, row["statement_id"], row["id"])
            for shop in shops
            for row in emulator.true_rows("statement_transactions", shop_id=shop)
        )
        assert Counter(rows) == expected
    assert all(at is not None for (at,) in destination.rows("select _read_at from statement_transactions"))


def test_what_only_has_a_present_is_replaced_shop_by_shop(emulator, destination):
    one, other = client_of(emulator).shops()

    def transactions():
        rows = destination.rows("select shop_id, id from unsettled_transactions")
        return Counter(shop for shop, _ in rows), set(rows)

    def true_rows(shop):
        return {(shop.id, row["id"]) for row in emulator.true_rows("unsettled_transactions", shop_id=shop.id)}

    destination.load(tiktokshop_resource("unsettled_transactions", client_of(emulator), [one, other]))
    assert transactions()[1] == true_rows(one) | true_rows(other)
    then = true_rows(other)
    later(emulator, 6 * DAY)
    assert transactions()[1] - true_rows(one) - then

    # Settled meanwhile, so gone; the shop that is not read keeps what it had.
    destination.load(tiktokshop_resource("unsettled_transactions", client_of(emulator), [one]))
    assert transactions()[1] == true_rows(one) | then

    # A shop that has none any more.
    nothing = {"search_time_ge": 4_000_000_000, "search_time_lt": 4_000_086_400}
    destination.load(tiktokshop_resource("unsettled_transactions", client_of(emulator), [one], filters=nothing))
    assert transactions()[1] == then
    assert destination.rows("select count(*) from unsettled_transactions where _removed is not null") == [(0,)]


def test_every_present_state_can_be_kept_too(emulator, destination):
    (one, _) = client_of(emulator).shops()

    def load(**options):
        resource = tiktokshop_resource("unsettled_transactions", client_of(emulator), [one], **options)
        destination.load(resource.apply_hints(write_disposition="append", merge_key=""))

    load()
    load()
    load(filters={"search_time_ge": 4_000_000_000, "search_time_lt": 4_000_086_400})
    rows = destination.rows("select id, _read_at, coalesce(_removed, false) from unsettled_transactions")
    present = {row["id"] for row in emulator.true_rows("unsettled_transactions", shop_id=one.id)}
    assert Counter(key for key, _, removed in rows if not removed) == dict.fromkeys(present, 2)
    # That there was none is a row, too.
    assert [key for key, _, removed in rows if removed] == [""]
    assert len({at for _, at, _ in rows}) >= 3


def test_all_is_read_again_when_dlt_is_told_to_forget(emulator, destination):
    resource = lambda: tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO)  # noqa: E731
    destination.load(resource())
    pipeline = destination.pipeline()
    pipeline.run(resource(), refresh="drop_resources", loader_file_format="parquet")
    assert pipeline.last_trace.last_normalize_info.row_counts["orders"] >= 2 * ORDERS - 2
    assert_complete(emulator, destination)


def test_the_script_of_the_guide_loads_all_its_streams(emulator, destination, monkeypatch):
    guide = (ROOT / "docs" / "guides" / "dlt.md").read_text()
    script, loop = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    client = re.search(r"^client = .*$", script, re.MULTILINE)[0]
    monkeypatch.chdir(destination.folder)
    names = {"the_client": client_of(emulator)}
    exec(script.replace(client, "client = the_client"), names)
    destination.file = destination.folder / "tiktokshop.duckdb"
    assert set(names["streams"]) <= set(destination.tables())
    counts = dict(destination.rows("select shop_id, count(*) from orders group by all"))
    assert min(counts.values()) >= ORDERS - 2
    names |= {"tiktokshop_resource": tiktokshop_resource, "caught_up": caught_up, "timedelta": timedelta}
    before, now = truth(emulator), emulator.stats()["now"]
    exec(loop, names)
    after = truth(emulator)
    settled = {key for key, at in before.items() if at < now - 60 and after[key] == at}
    assert len(settled) > ORDERS
    assert set(destination.rows("select shop_id, id from orders")) >= settled


def test_what_belongs_to_no_shop_is_kept_by_authorization(emulator, destination):
    with pytest.raises(ValueError, match="open_id"):
        tiktokshop_resource("global_warehouses", client_of(emulator))
    open_id = emulator.sellers[0]["open_id"]
    destination.load(tiktokshop_resource("global_warehouses", client_of(emulator), open_id=open_id))
    rows = destination.rows("select open_id, id from global_warehouses")
    assert {key for _, key in rows} == {row["id"] for row in emulator.true_rows("global_warehouses", open_id=open_id)}
    assert {owner for owner, _ in rows} == {open_id}


def test_tables_have_the_declared_columns_whatever_the_rows_hold(emulator, destination):
    at = emulator.truth(shop_ids(emulator)[0])[0]["update_time"]
    destination.load(tiktokshop_resource("orders", client_of(emulator), start=at, end=at + 1, lookback=0))
    few = {table: destination.columns(table) for table in destination.tables()}
    destination.load(tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO))
    many = {table: destination.columns(table) for table in destination.tables()}
    assert few == {table: many[table] for table in few}
    assert many["orders"]["payment__total_amount"] == many["orders"]["id"] == "VARCHAR"
    assert many["orders"]["update_time"] == "BIGINT"
    assert many["orders__line_items"]["sale_price"] == "VARCHAR"


def test_nesting_can_be_left_to_json(emulator, destination):
    destination.load(tiktokshop_source(client_of(emulator), ["orders"], start=LONG_AGO, max_table_nesting=0))
    assert destination.tables() == ["orders"]
    columns = destination.columns("orders")
    assert columns["line_items"] == columns["payment"] == "JSON"
    assert not [name for name in columns if name.startswith("payment__")]
    assert_complete(emulator, destination)


@pytest.mark.parametrize("pii", ["hash", "drop"])
def test_nothing_that_identifies_a_buyer_reaches_the_destination_or_the_working_directory(
    emulator, destination, tmp_path, pii
):
    kept = Destination(tmp_path / "kept")
    kept.folder.mkdir()
    kept.load(tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO))
    personal = "user_id, buyer_email, recipient_address__phone_number, recipient_address__full_address"
    values = {value for row in kept.rows(f"select {personal} from orders") for value in row if value}
    values |= {row[0] for row in kept.rows("select address_name from orders__recipient_address__district_info")}
    values = {value for value in values if len(value) > 3}
    assert len(values) > 100
    protected = Destination(tmp_path / "protected")
    protected.folder.mkdir()
    key = "a key of sixteen bytes" if pii == "hash" else None

    protected.load(tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO, pii=pii, pii_key=key))

    places = [("dataset", protected.everything().encode()), *files_below(protected.folder)]
    assert find_leaks(values | {"a key of sixteen bytes"}, places) == []
    assert ("buyer_email" in protected.columns("orders")) == (pii == "hash")
    if pii == "hash":
        pairs = kept.rows("select id, user_id from orders"), protected.rows("select id, user_id from orders")
        before, after = (dict(rows) for rows in pairs)
        together = {(before[key], after[key]) for key in before}
        assert len(together) == len({one for one, _ in together}) == len({one for _, one in together}) > 1
    else:
        assert "orders__recipient_address__district_info" not in [
            table for table in protected.tables() if "address_name" in protected.columns(table)
        ]


def test_no_secret_is_in_state_working_directory_dataset_or_log(emulator, destination, caplog):
    caplog.set_level("DEBUG")
    secrets = emulator.secrets()
    emulator.faults({"match": SEARCH, "kind": "code:105005", "skip": 3, "times": 1})
    with pytest.raises(PipelineStepFailed) as refused:
        destination.load(tiktokshop_resource("orders", client_of(emulator), start=LONG_AGO, windows=1))
    broken = dict(files_below(destination.folder))
    destination.load(tiktokshop_source(client_of(emulator), ["orders", "warehouses"], start=LONG_AGO))
    ciphers = [shop["cipher"] for shop in emulator.sellers[0]["shops"]]
    places = {
        **{f"{name} after the failure": content for name, content in broken.items()},
        **dict(files_below(destination.folder)),
        "dataset": destination.everything().encode(),
        "log": caplog.text.encode(),
        "exception": f"{refused.value!r} {refused.value}".encode(),
    }
    assert any("trace" in name for name in places)
    assert find_leaks([*secrets, *ciphers], places.items()) == []


def test_a_hook_loads_the_shops_of_all_sellers(deployment, destination):
    airflow = deployment(orders=40)
    airflow.adopt_seeds()
    shops = {shop["id"] for seller in airflow.emulator.sellers for shop in seller["shops"]}

    destination.load(tiktokshop_source(TikTokShopHook(), ["orders", "global_warehouses"], start=LONG_AGO, pii="hash"))

    expected = {(shop, row["id"]) for shop in shops for row in airflow.emulator.truth(shop)}
    assert set(destination.rows("select shop_id, id from orders")) == expected
    owners = {open_id for (open_id,) in destination.rows("select open_id from global_warehouses")}
    assert owners == {seller["open_id"] for seller in airflow.emulator.sellers}
    hashed = destination.rows("select distinct length(buyer_email) from orders where buyer_email <> ''")
    assert hashed == [(64,)]
    assert find_leaks(airflow.secrets(), files_below(destination.folder)) == []


def test_a_hook_that_names_a_shop_loads_that_shop(deployment, destination):
    airflow = deployment(orders=40)
    airflow.adopt_seeds()
    wanted = airflow.emulator.sellers[1]["shops"][0]["id"]

    destination.load(tiktokshop_resource("orders", TikTokShopHook(shop_id=wanted), start=LONG_AGO))

    assert destination.rows("select distinct shop_id from orders") == [(wanted,)]
    target = [{"shop_id": airflow.emulator.sellers[0]["shops"][1]["id"]}]
    destination.load(tiktokshop_resource("orders", TikTokShopHook(), target, start=LONG_AGO))
    assert len(destination.rows("select distinct shop_id from orders")) == 2


def test_what_is_read_takes_no_more_memory_however_much_there_is(emulators, destination):
    emulator = emulators.get({"orders": 12_000, "rate_limit": 1_000_000})
    times = [row["update_time"] for row in emulator.truth(emulator.sellers[0]["shops"][0]["id"])]

    def peak(start):
        options = {"start": start, "end": times[-1] + 1, "lookback": 0, "windows": 8}
        output, errors = destination.in_a_process(emulator, die_at="extract", **options).communicate(timeout=200)
        assert output, errors
        told = json.loads(output)
        assert told["rows"] == sum(at >= start for at in times)
        return told["peak_mb"]

    few, many = peak(times[-2000]), peak(times[0])
    print(f"peak: {few:.1f} MB for 2,000 orders, {many:.1f} MB for 12,000")
    # 10,000 orders kept would be 200 MB.
    assert many - few < 25


def test_an_interval_that_lies_in_the_future_is_refused(emulator, destination):
    resource = tiktokshop_resource("orders", client_of(emulator), start=4_000_000_000, end=4_000_003_600)
    with pytest.raises(PipelineStepFailed) as failed:
        destination.load(resource)
    assert isinstance(failed.value.__context__.__cause__ or failed.value.__cause__, Exception)
    assert "nothing of it can be read yet" in str(failed.value)
    with pytest.raises(IntervalError, match="start is missing"):
        tiktokshop_resource("orders", client_of(emulator))
