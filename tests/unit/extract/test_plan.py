"""Options are checked before anything is sent, and every one of them counts for the fingerprint."""

from __future__ import annotations

import pytest

from airflow_provider_tiktokshop.api.client import Shop
from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError
from airflow_provider_tiktokshop.extract.plan import make_plan
from airflow_provider_tiktokshop.extract.windows import Window
from airflow_provider_tiktokshop.streams import UnknownStreamError
from airflow_provider_tiktokshop.streams.base import Cursor, Filter, Stream

SHOP = Shop("7", "cipher", "GB", "LOCAL", "X")


def plan(stream="orders", shop=SHOP, start=100_000, end=200_000, **options):
    return make_plan(stream, shop, start, end, **options)


def test_order_search_is_asked_with_filters_in_the_body_and_sorting_in_the_query():
    query, body = plan(filters={"order_status": "COMPLETED", "warehouse_ids": ["1", "2"]}).request(5, 9)
    assert query == {"sort_field": "update_time", "sort_order": "ASC"}
    assert body == {
        "update_time_ge": 5,
        "update_time_lt": 9,
        "order_status": "COMPLETED",
        "warehouse_ids": ["1", "2"],
    }


def test_an_end_that_the_endpoint_includes_is_sent_one_second_earlier():
    products = Stream(
        name="products",
        family="products",
        doc="Search Products",
        method="POST",
        path="/product/{version}/products/search",
        version="202502",
        list_key="products",
        primary_key=("id",),
        cursors=(
            Cursor(field="update_time", ge="update_time_ge", lt="update_time_le", where="body", inclusive_end=True),
        ),
        default_cursor="update_time",
        body={"listing": 1},
        params={"fixed": "x"},
    )
    assert plan(products).request(5, 9) == ({"fixed": "x"}, {"listing": 1, "update_time_ge": 5, "update_time_le": 8})


def test_the_other_cursors_bounds_are_filters():
    _, body = plan(filters={"create_time_ge": 3}).request(5, 9)
    assert body == {"create_time_ge": 3, "update_time_ge": 5, "update_time_lt": 9}


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"status": "COMPLETED"}, "no filter 'status'.*order_status"),
        ({"update_time_ge": 5}, "start and end set update_time_ge"),
        ({"order_status": 5}, "takes a text"),
        ({"order_status": ["COMPLETED"]}, "takes a text"),
        ({"is_buyer_request_cancel": "yes"}, "takes True or False"),
        ({"create_time_ge": True}, "takes an integer"),
        ({"create_time_ge": "5"}, "takes an integer"),
        ({"warehouse_ids": "1"}, "takes a list of texts"),
        ({"warehouse_ids": [1]}, "takes a list of texts"),
        ({"warehouse_ids": [str(n) for n in range(101)]}, "at most 100"),
    ],
)
def test_a_filter_that_cannot_work_is_refused_with_what_would(filters, message):
    with pytest.raises(OptionError, match=message):
        plan(filters=filters)


def test_a_status_that_is_new_to_us_is_passed_on():
    assert plan(filters={"order_status": "TELEPORTED"}).filters == {"order_status": "TELEPORTED"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 5, "end": 5}, "interval is empty"),
        ({"start": 6, "end": 5}, "interval is empty"),
        ({"start": None}, "start is missing"),
        ({"end": "None"}, "end is missing"),
    ],
)
def test_an_interval_that_is_none_is_refused(options, message):
    with pytest.raises(IntervalError, match=message):
        plan(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows": 0}, "windows is 0"),
        ({"windows": "many"}, "windows is 'many'"),
        ({"windows": True}, "windows is True"),
        ({"windows": 1001}, "from 1 to 1000"),
        ({"page_size": 0}, "orders takes 1 to 100"),
        ({"page_size": 101}, "orders takes 1 to 100"),
        ({"lookback": "a while"}, "lookback"),
        ({"settle": -5}, "settle"),
        ({"cursor_field": "paid_time"}, "update_time, create_time"),
        ({"shop": None}, "belongs to a shop"),
    ],
)
def test_an_option_that_cannot_work_is_refused_with_what_would(options, message):
    with pytest.raises(OptionError, match=message):
        plan(**options)


def test_an_unknown_stream_is_refused():
    with pytest.raises(UnknownStreamError, match="orders"):
        plan("ordres")


def test_templates_may_render_numbers_as_text():
    assert plan(windows="4", lookback="60").windows == 4
    assert plan(windows="").windows is None


@pytest.mark.parametrize(
    "options",
    [
        {"start": 100_001},
        {"end": 200_001},
        {"cursor_field": "create_time"},
        {"windows": 3},
        {"filters": {"order_status": "COMPLETED"}},
        {"lookback": 0},
        {"settle": 0},
        {"version": "202401"},
        {"page_size": 50},
        {"shop": Shop("8", "other", "GB", "LOCAL", "Y")},
        {"stream": "order_detail"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_every_option_that_decides_what_is_read_changes_the_fingerprint(options):
    assert plan(**options).fingerprint(pii="keep") != plan().fingerprint(pii="keep")
    assert plan().fingerprint(pii="keep") == plan().fingerprint(pii="keep")
    assert plan().fingerprint(pii="drop") != plan().fingerprint(pii="keep")


def test_a_cipher_that_was_renewed_does_not_change_the_fingerprint():
    assert plan(shop=Shop("7", "new", "GB", "LOCAL", "X")).fingerprint() == plan().fingerprint()


def test_lookback_widens_the_first_window_only():
    windows = plan(lookback=1000, windows=2).split(200_000)
    assert windows == (Window(99_000, 149_500), Window(149_500, 200_000))
    assert plan(start=100, lookback=1000).since == 0


def test_a_stream_without_cursor_is_read_in_one_piece():
    snapshot = Stream(
        name="warehouses",
        family="logistics",
        doc="Get Warehouse List",
        method="GET",
        path="/logistics/{version}/warehouses",
        version="202309",
        list_key="warehouses",
        primary_key=("id",),
        filters=(Filter(name="kind", where="query"),),
    )
    assert plan(snapshot).split(200_000) == (None,)
    assert plan(snapshot, filters={"kind": "x"}).request(None, None) == ({"kind": "x"}, {})
