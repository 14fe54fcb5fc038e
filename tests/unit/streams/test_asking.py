"""What a declaration puts into a request, and what a row gets from around its list."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.streams.asking import complete, put, sort_params, window_params
from airflow_provider_tiktokshop.streams.base import Cursor
from airflow_provider_tiktokshop.streams.calendar import days, zone_of
from airflow_provider_tiktokshop.streams.schema import schema_of

DAY = 86_400
NOV_3 = 1_762_128_000  # 2025-11-03T00:00:00Z


def test_an_end_that_is_included_is_a_second_earlier():
    asked = window_params(streams.get("products").cursors[0], 100, 200)
    assert asked == {"update_time_ge": 100, "update_time_le": 199}


def test_an_end_that_is_excluded_is_sent_as_it_is():
    asked = window_params(streams.get("orders").cursors[1], 100, 200)
    assert asked == {"create_time_ge": 100, "create_time_lt": 200}


def test_a_time_with_a_zone_is_sent_where_the_endpoint_takes_that():
    asked = window_params(streams.get("trade_in_account_transactions").cursors[0], NOV_3, NOV_3 + 60)
    assert asked == {"start_time": "2025-11-03T00:00:00Z", "end_time": "2025-11-03T00:01:00Z"}


def test_dates_are_those_of_the_shop():
    cursor = streams.get("shop_performance").cursors[0]
    jakarta = zone_of("ID")
    (window,) = days(NOV_3, NOV_3 + DAY, jakarta)
    assert window_params(cursor, *window, jakarta) == {"start_date_ge": "2025-11-03", "end_date_lt": "2025-11-04"}
    assert window_params(cursor, *window, UTC) == {"start_date_ge": "2025-11-02", "end_date_lt": "2025-11-03"}


def test_an_endpoint_that_takes_one_day_gets_the_first():
    cursor = streams.get("bestselling_products").cursors[0]
    assert window_params(cursor, NOV_3, NOV_3 + DAY) == {"date": "2025-11-03"}


def test_only_a_request_for_one_day_can_do_without_an_end():
    with pytest.raises(ValueError, match="without an end"):
        Cursor(field="date", ge="date", lt=None, where="query", kind="date")
    with pytest.raises(ValueError, match="only dates"):
        Cursor(field="at", ge="at_ge", lt="at_lt", where="query", daily=True)


def test_parameters_inside_objects_do_not_change_the_declaration():
    body = {"filters": {"status": "INIT"}}
    sent = dict(body)
    put(sent, "filters.time.create_time.min_unix_time_inclusive", 5)
    assert sent == {"filters": {"status": "INIT", "time": {"create_time": {"min_unix_time_inclusive": 5}}}}
    assert body == {"filters": {"status": "INIT"}}


def test_sorting_goes_where_the_endpoint_takes_it():
    assert sort_params(streams.get("orders").cursors[0]) == {
        "query.sort_field": "update_time",
        "query.sort_order": "ASC",
    }
    assert sort_params(streams.get("aftersales_requests").cursors[0]) == {
        "body.sort.sort_field": "UPDATE_TIME",
        "body.sort.sort_order": "ASC",
    }
    assert sort_params(streams.get("withdrawals").cursors[0]) == {}


@pytest.mark.parametrize("region", ["US", "GB", "ID", "XX"])
def test_every_day_belongs_to_one_of_the_intervals_that_follow_each_other(region):
    zone = zone_of(region)
    # Over both changes of the clocks in 2025, in steps that fit no day.
    start, end, step = NOV_3 - 300 * DAY, NOV_3 + 60 * DAY, 41 * 3600 + 7
    parts = [day for at in range(start, end, step) for day in days(at, min(at + step, end), zone)]
    assert parts == list(days(start, end, zone))
    assert len(parts) == 360
    assert all(left[1] == right[0] for left, right in zip(parts, parts[1:], strict=False))


def test_a_day_is_asked_for_once_it_is_over():
    assert days(NOV_3, NOV_3 + DAY, UTC) == ((NOV_3, NOV_3 + DAY),)
    assert days(NOV_3, NOV_3 + DAY - 1, UTC) == ()
    (november_3,) = days(NOV_3 + DAY, NOV_3 + 2 * DAY, zone_of("US"))
    assert november_3 == (NOV_3 + 8 * 3600, NOV_3 + DAY + 8 * 3600)


def test_the_day_on_which_the_clocks_go_back_has_25_hours():
    madrid = ZoneInfo("Europe/Madrid")
    october_26 = 1_761_429_600  # midnight in Madrid
    assert days(october_26, october_26 + 25 * 3600, madrid) == ((october_26, october_26 + 25 * 3600),)


def test_a_row_gets_what_it_does_not_say_of_itself_and_keeps_what_it_says():
    transactions = streams.get("statement_transactions")
    rows = complete(transactions, [{"id": "1"}, {"id": "2", "currency": "USD"}], {"currency": "GBP"}, parent_id="9")
    assert rows == [
        {"id": "1", "currency": "GBP", "statement_id": "9"},
        {"id": "2", "currency": "USD", "statement_id": "9"},
    ]


def test_a_row_of_analytics_gets_its_day():
    products = streams.get("shop_products_performance")
    rows = complete(products, [{"id": "1"}], {"latest_available_date": "2025-11-02"}, shop_id="7", date="2025-11-01")
    assert rows == [{"id": "1", "latest_available_date": "2025-11-02", "date": "2025-11-01"}]


def test_plain_values_become_rows():
    rows = complete(streams.get("seller_permissions"), ["MANAGE_GLOBAL_PRODUCT"], {})
    assert rows == [{"permission": "MANAGE_GLOBAL_PRODUCT"}]


def test_the_one_row_of_a_shop_gets_the_shop():
    rows = complete(streams.get("shop_score_overview"), [{"sps_score": "4.1"}], {}, shop_id="7")
    assert rows == [{"sps_score": "4.1", "shop_id": "7"}]


def test_a_schema_keeps_ids_and_amounts_as_text_and_times_as_numbers():
    statements = schema_of(streams.get("statements"))
    assert (statements["id"], statements["settlement_amount"], statements["statement_time"]) == (
        "string",
        "string",
        "int",
    )
    assert schema_of(streams.get("shop_skus_performance"))["product_id"] == "string"
    assert schema_of(streams.get("orders"))["line_items"][0]["sku_id"] == "string"
