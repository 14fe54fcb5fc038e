"""One stream of each kind over the emulator's real socket: every row that there is, once."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.errors import ResultWindowTooLarge
from airflow_provider_tiktokshop.api.tokens import CategoryAsset
from airflow_provider_tiktokshop.extract import (
    ExtractionPaused,
    IntervalError,
    OptionError,
    extract,
    read_manifest,
    read_rows,
    records,
)
from airflow_provider_tiktokshop.extract.rows import Identity
from tests.support.extraction import ShopOnEmulator, data_files

DAY = 86_400
CONVERSATION = "/customer_service/202309/conversations/"
OPTIONS = {"orders": 150, "rate_limit": 1_000_000, "creators": 1, "partners": 1}


@pytest.fixture
def shop(emulators):
    return ShopOnEmulator(emulators.get(OPTIONS))


def keys(stream, rows):
    identity = Identity(streams.get(stream).primary_key)
    return Counter(identity.key(row) for row in rows)


def truth(shop, stream, **query):
    return shop.emulator.control("GET", f"truth/{stream}?" + urlencode({"shop_id": shop.shop.id, **query}))["rows"]


def of_the_interval(shop, stream):
    source = streams.get(stream)
    while source.parent is not None:
        source = streams.get(source.parent.stream)
    if not source.cursors:
        return truth(shop, stream)
    return truth(shop, stream, cursor=source.default_cursor, ge=shop.start, lt=shop.end)


@pytest.mark.parametrize(
    "stream",
    [
        "returns",  # page sizes are texts
        "products",  # its end is included, and it does not sort
        "withdrawals",  # does not sort
        "statements",  # times in the query
        "aftersales_requests",  # pages and times inside the body
        "product_key_programs",  # pages are numbered
        "brands",  # a snapshot of pages
        "warehouses",  # a snapshot in one answer
        "promotion_activities",  # pages in the body
        "global_warehouses",  # belongs to no shop
        "order_price_detail",  # one request a parent
        "order_split_attributes",  # twenty parents a request
        "inventory",  # parents in the body
        "statement_transactions",  # pages of each parent
        "conversation_messages",  # pages of each row of a snapshot
        "shipping_providers",  # parents of parents
        "affiliate_seller_orders",  # windows of three months at most
    ],
)
def test_every_row_of_the_interval_is_there_once(shop, tmp_path, stream):
    manifest = shop.extract(tmp_path, stream=stream)
    found = keys(stream, read_rows(manifest))
    assert found
    assert set(found.values()) == {1}
    assert found.keys() == keys(stream, of_the_interval(shop, stream)).keys()


def test_an_end_that_the_endpoint_includes_does_not_overlap_the_next_interval(shop, tmp_path):
    times = [row["update_time"] for row in truth(shop, "products", cursor="update_time")]
    middle = sorted(times)[len(times) // 2]
    before = shop.extract(tmp_path, min(times), middle, stream="products", windows=3)
    after = shop.extract(tmp_path, middle, max(times) + 1, stream="products", windows=3)
    both = keys("products", read_rows(before)) + keys("products", read_rows(after))
    assert both == keys("products", truth(shop, "products"))


def test_figures_come_for_the_days_that_end_in_the_interval_by_the_calendar_of_the_shop(shop, tmp_path):
    today = datetime.now(UTC).date()
    end = datetime(today.year, today.month, today.day, tzinfo=UTC)
    manifest = shop.extract(tmp_path, end - timedelta(days=3), end, stream="shop_performance")
    rows = list(read_rows(manifest))
    assert [row["start_date"] for row in rows] == [str(today - timedelta(days=n)) for n in (3, 2, 1)]
    assert manifest.max_cursor == int((end - timedelta(days=1)).timestamp())
    assert manifest.requests == 3


def test_figures_of_a_product_are_told_apart_by_their_day(shop, tmp_path):
    start = (int(datetime.now(UTC).timestamp()) // DAY - 4) * DAY
    manifest = shop.extract(tmp_path, start, start + 3 * DAY, stream="shop_products_performance")
    rows = list(read_rows(manifest))
    assert set(keys("shop_products_performance", rows).values()) == {1}
    days = {date.fromisoformat(row["date"]) for row in rows}
    assert days <= {datetime.fromtimestamp(start + n * DAY, UTC).date() for n in range(3)}
    assert manifest.rows_outside == 0


def test_two_days_in_two_runs_are_the_rows_of_one_run_for_both(shop, tmp_path):
    start = (int(datetime.now(UTC).timestamp()) // DAY - 3) * DAY
    stream = "shop_performance_per_hour"
    one = shop.extract(tmp_path / "one", start, start + 2 * DAY, stream=stream)
    halves = [
        shop.extract(tmp_path / "two", start + n * DAY, start + (n + 1) * DAY, stream=stream, windows=1) for n in (0, 1)
    ]
    assert keys(stream, read_rows(one)) == sum((keys(stream, read_rows(half)) for half in halves), Counter())
    assert one.rows == 48


def test_more_products_than_can_be_paged_through_are_read_by_splitting_the_window(shop, tmp_path):
    products = replace(streams.get("products"), result_cap=4)
    manifest = shop.extract(tmp_path, stream=products, windows=1)
    assert keys("products", read_rows(manifest)) == keys("products", of_the_interval(shop, "products"))
    assert manifest.requests > 4


def test_one_second_with_more_than_can_be_paged_through_is_a_clear_error(shop, tmp_path):
    products = replace(streams.get("products"), result_cap=1)
    with pytest.raises(ResultWindowTooLarge, match=r"in the one second 20.*Add filters"):
        shop.extract(tmp_path, stream=products)


def test_children_have_the_same_bytes_whichever_request_was_faster(shop, tmp_path):
    one = shop.extract(tmp_path / "a", stream="conversation_messages")
    shop.emulator.faults({"match": CONVERSATION, "kind": "slow", "times": 5, "params": {"seconds": 0.2}})
    two = shop.extract(tmp_path / "b", stream="conversation_messages")
    assert data_files(tmp_path / "a") == data_files(tmp_path / "b")
    assert one.files == two.files


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("order_price_detail", "/order/202407/orders/"),
        ("conversation_messages", CONVERSATION),
        ("brands", "/product/202309/brands"),
    ],
)
def test_children_and_snapshots_go_on_where_a_used_up_quota_stopped_them(shop, tmp_path, stream, path):
    options = {"page_size": 10} if stream != "order_price_detail" else {"windows": 2, "page_size": 10}
    skip = 3 if stream == "brands" else 25
    shop.emulator.faults({"match": path, "kind": "code:36009037", "skip": skip, "times": 1, "params": {"status": 429}})
    with pytest.raises(ExtractionPaused):
        shop.extract(tmp_path, stream=stream, **options)
    assert not list(tmp_path.rglob("manifest.json"))
    client = shop.client()
    manifest = shop.extract(tmp_path, stream=stream, client=client, **options)
    assert keys(stream, read_rows(manifest)) == keys(stream, of_the_interval(shop, stream))
    whole = shop.client()
    shop.extract(tmp_path / "whole", stream=stream, client=whole, **options)
    assert client.requests_sent < whole.requests_sent


def test_an_order_that_is_gone_when_its_price_is_asked_for_stops_nothing(shop, tmp_path):
    path = "/order/202407/orders/"
    shop.emulator.faults({"match": path, "kind": "code:21001001", "skip": 30, "times": 2})
    manifest = shop.extract(tmp_path, stream="order_price_detail")
    assert manifest.parents_gone == 2
    assert manifest.rows == len(of_the_interval(shop, "order_price_detail")) - 2
    assert read_manifest(manifest.manifest_path).parents_gone == 2


def test_a_version_may_be_named_for_the_stream_and_for_its_parents(shop, tmp_path):
    manifest = shop.extract(tmp_path, stream="return_records", version={"returns": "202309"})
    assert keys("return_records", read_rows(manifest)) == keys(
        "return_records", of_the_interval(shop, "return_records")
    )
    asked = shop.emulator.stats()["requests"]
    assert "POST /return_refund/202309/returns/search" in asked
    assert "POST /return_refund/202602/returns/search" not in asked
    with pytest.raises(OptionError, match="may name: return_records, returns"):
        shop.extract(tmp_path, stream="return_records", version={"orders": "202309"})


def test_an_interval_that_the_endpoint_does_not_look_back_to_is_refused_before_anything_is_sent(shop, tmp_path):
    long_ago = datetime.now(UTC) - timedelta(days=100)
    client = shop.client()
    with pytest.raises(IntervalError, match="looks back 90 days"):
        shop.extract(
            tmp_path, long_ago, long_ago + timedelta(days=1), stream="customer_service_sessions", client=client
        )
    assert client.requests_sent == 0


def user(shop, kind):
    facts = getattr(shop.emulator, kind)[0]
    token = shop.emulator.account(facts["open_id"])["tokens"][-1]["access_token"]
    app = App(
        app_key=shop.emulator.app_key,
        app_secret=shop.emulator.app_secret,
        api_url=shop.emulator.url,
        auth_url=shop.emulator.url,
        requests_per_second=1_000_000,
    )
    return facts["open_id"], TikTokShopClient(app, StaticToken(token))


def test_a_creators_rows_lie_under_the_creator(shop, tmp_path):
    open_id, client = user(shop, "creators")
    now = int(datetime.now(UTC).timestamp())
    span = {"cursor": "create_time", "ge": now - 100 * DAY, "lt": now - 100}
    manifest = extract(
        "affiliate_creator_orders", client, None, span["ge"], span["lt"], tmp_path, open_id=open_id, lookback=0
    )
    rows = shop.emulator.control("GET", "truth/affiliate_creator_orders?" + urlencode({"open_id": open_id, **span}))[
        "rows"
    ]
    assert keys("affiliate_creator_orders", read_rows(manifest)) == keys("affiliate_creator_orders", rows)
    owner = f"open_id={hashlib.sha256(open_id.encode()).hexdigest()[:16]}"
    assert (tmp_path / "affiliate_creator_orders" / owner).is_dir()
    assert (manifest.shop_id, read_manifest(manifest.manifest_path).open_id) == (None, open_id)


def test_a_partners_rows_lie_under_the_market_and_category(shop, tmp_path):
    open_id, client = user(shop, "partners")
    assets = client.call("GET", "/authorization/202405/category_assets")["category_assets"]
    now = int(datetime.now(UTC).timestamp())
    with pytest.raises(OptionError, match="category asset"):
        extract("affiliate_partner_orders", client, None, now - DAY, now - 100, tmp_path, open_id=open_id)
    for asset in assets:
        named = CategoryAsset(f"{asset['target_market']}-{asset['category']['id']}", asset["cipher"])
        manifest = extract(
            "affiliate_partner_campaigns",
            client,
            None,
            now - DAY,
            now - 100,
            tmp_path,
            open_id=open_id,
            category_asset=named,
        )
        assert f"/category_asset={named.id}/" in manifest.manifest_path
        query = {"open_id": open_id, "category_asset_cipher": asset["cipher"]}
        rows = shop.emulator.control("GET", "truth/affiliate_partner_campaigns?" + urlencode(query))["rows"]
        assert keys("affiliate_partner_campaigns", read_rows(manifest)) == keys("affiliate_partner_campaigns", rows)


def test_records_of_a_stream_without_a_shop_need_none(shop):
    assert [row["id"] for row in records("authorized_shops", shop.client(), None, 0, 100)] == [shop.shop.id]
