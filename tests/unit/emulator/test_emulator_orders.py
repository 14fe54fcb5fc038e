from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.emulator.accounts import build_accounts
from airflow_provider_tiktokshop.emulator.orders import Filter, ShopOrders
from airflow_provider_tiktokshop.testing import EmulatorProcess

DETAIL = "/order/202507/orders"
DAY = 86400
NOW = 1_790_000_000
FAR = 1 << 38
STATUSES = {
    "UNPAID",
    "ON_HOLD",
    "AWAITING_SHIPMENT",
    "PARTIALLY_SHIPPING",
    "AWAITING_COLLECTION",
    "IN_TRANSIT",
    "DELIVERED",
    "COMPLETED",
    "CANCELLED",
}


def shops(count=16):
    return build_accounts(1, 1, count, 0, 0, {0: (), 1: (), 3: ()})[0].shops


def shop_orders(count=3000, shop=0, seed=1):
    return ShopOrders(seed, shops()[shop], count, NOW - 60 * DAY, NOW)


@pytest.fixture(scope="module")
def orders():
    return shop_orders()


@pytest.fixture(scope="module")
def rows(orders):
    return [json.loads(orders.row(index)) for index in range(len(orders))]


def test_two_emulators_with_one_seed_are_the_same():
    options = {"seed": 7, "orders": 40, "now": NOW, "shops_per_seller": 2, "sellers": 2}
    with EmulatorProcess(**options) as one, EmulatorProcess(**options) as two, EmulatorProcess(seed=8) as other:
        assert (one.app_key, one.app_secret, one.service_id) == (two.app_key, two.app_secret, two.service_id)
        assert one.sellers == two.sellers
        shop_id = one.sellers[0]["shops"][0]["id"]
        assert one.truth(shop_id) == two.truth(shop_id)
        assert other.app_secret != one.app_secret
        assert other.sellers[0]["refresh_token"] != one.sellers[0]["refresh_token"]


def test_orders_are_the_same_for_the_same_seed_and_differ_between_seeds_and_shops():
    one, two = shop_orders(50), shop_orders(50)
    assert [one.row(i) for i in range(50)] == [two.row(i) for i in range(50)]
    assert one.row(0) != shop_orders(50, seed=2).row(0)
    assert one.row(0) != shop_orders(50, shop=1).row(0)


def test_orders_spread_over_the_days_and_change_only_after_they_were_placed(rows):
    created = [row["create_time"] for row in rows]
    assert min(created) >= NOW - 60 * DAY
    assert max(created) < NOW
    per_day = Counter((moment - NOW) // DAY for moment in created)
    assert len(per_day) == 60
    assert max(per_day.values()) < 2 * min(per_day.values())
    assert all(row["create_time"] <= row["update_time"] <= NOW for row in rows)


def test_every_status_occurs_and_some_rows_share_both_their_seconds(orders):
    many = shop_orders(20000)
    assert {many.status(index) for index in range(len(many))} == STATUSES
    truth = orders.truth("create_time", 0, FAR)
    assert len({row["create_time"] for row in truth}) < len(truth)
    few = [json.loads(row) for row in map(shop_orders(60).row, range(60))]
    twins = [(one, two) for one, two in pairwise(few) if one["create_time"] == two["create_time"]]
    assert len(twins) == 2
    assert all(one["update_time"] == two["update_time"] and one["id"] != two["id"] for one, two in twins)


def test_a_row_has_about_the_size_of_a_real_one(orders):
    sizes = [len(orders.row(index)) for index in range(len(orders))]
    assert 2900 < sum(sizes) / len(sizes) < 3500


@pytest.mark.parametrize("shop", range(16))
def test_field_names_and_types_are_the_documented_ones(shop):
    documented = json.loads((Path(__file__).parent / "data" / "order-fields.json").read_text())
    kinds = {"string": str, "int": int, "bool": bool, "object": dict, "object[]": list}

    def check(path, value):
        if isinstance(value, dict):
            for name, inner in value.items():
                field = f"{path}.{name}"
                assert field in documented, field
                assert type(inner) is kinds[documented[field]], field
                check(field, inner)
        elif isinstance(value, list):
            for item in value:
                check(path, item)

    some = shop_orders(120, shop)
    for index in range(len(some)):
        check("orders", json.loads(some.row(index, detail=True)))


def test_money_adds_up(rows):
    for row in rows[:500]:
        pay = {name: Decimal(value) for name, value in row["payment"].items() if name != "currency"}
        assert pay["sub_total"] == pay["original_total_product_price"] - pay["seller_discount"]
        assert pay["total_amount"] == pay["sub_total"] + pay["shipping_fee"] + pay["tax"]
        assert sum(Decimal(item["original_price"]) for item in row["line_items"]) == pay["original_total_product_price"]
        assert sum(Decimal(item["sale_price"]) for item in row["line_items"]) == pay["sub_total"]


def test_each_unit_is_a_line_item_of_its_own(rows):
    assert max(len(row["line_items"]) for row in rows) > 3
    ids = [item["id"] for row in rows for item in row["line_items"]]
    assert len(set(ids)) == len(ids)
    assert not any("quantity" in item for row in rows for item in row["line_items"])
    assert any(len({item["sku_id"] for item in row["line_items"]}) < len(row["line_items"]) for row in rows), (
        "no order has two units of one SKU"
    )


def test_ids_are_strings_of_digits_and_addresses_come_after_payment(rows):
    assert all(row["id"].isdigit() and len(row["id"]) == 18 for row in rows)
    assert all(("recipient_address" in row) == (row["status"] not in {"UNPAID", "ON_HOLD"}) for row in rows)
    assert all(bool(row["tracking_number"]) == ("rts_time" in row) for row in rows)
    assert all(("cancel_time" in row) == (row["status"] == "CANCELLED") for row in rows)


def test_currencies_follow_the_shops_region():
    currencies = {shop.region: json.loads(ShopOrders(1, shop, 1, NOW - DAY, NOW).row(0))["payment"] for shop in shops()}
    assert currencies["GB"]["currency"] == "GBP"
    assert currencies["JP"]["currency"] == "JPY"
    assert "." not in currencies["JP"]["total_amount"]
    assert len({payment["currency"] for payment in currencies.values()}) == 12


def test_time_moves_statuses_on_and_update_time_with_them():
    orders = shop_orders(500)
    before = {row["id"]: row for row in orders.truth("update_time", 0, FAR)}
    assert orders.advance(NOW) == 0
    assert orders.advance(NOW + 3 * DAY) > 0
    after = {row["id"]: row for row in orders.truth("update_time", 0, FAR)}
    moved = [one for one in after if after[one] != before[one]]
    assert moved
    assert all(NOW < after[one]["update_time"] <= NOW + 3 * DAY for one in moved)
    orders.advance(NOW + 100 * DAY)
    assert {orders.status(index) for index in range(len(orders))} == {"COMPLETED", "CANCELLED"}


def test_an_advance_in_steps_ends_where_one_leap_does():
    leap, steps = shop_orders(300), shop_orders(300)
    leap.advance(NOW + 10 * DAY)
    for day in range(11):
        steps.advance(NOW + day * DAY)
    assert leap.truth("update_time", 0, FAR) == steps.truth("update_time", 0, FAR)
    assert [leap.row(i) for i in range(300)] == [steps.row(i) for i in range(300)]


def test_a_touched_row_moves_in_the_update_order_and_nowhere_else():
    orders = shop_orders(300)
    created = orders.truth("create_time", 0, FAR)
    order_id = created[10]["id"]
    assert json.loads(orders.row(10))["update_time"] < NOW
    orders.touch(orders.index_of(order_id), NOW + 5)
    assert orders.truth("update_time", 0, FAR)[-1]["id"] == order_id
    assert [row["id"] for row in orders.truth("create_time", 0, FAR)] == [row["id"] for row in created]
    assert json.loads(orders.row(10))["update_time"] == NOW + 5
    orders.advance(NOW + 200 * DAY)
    times = [row["update_time"] for row in orders.truth("update_time", 0, FAR)]
    assert times == sorted(times)
    assert len(times) == 300


def test_a_search_by_status_sees_a_row_that_has_just_moved():
    orders = shop_orders(300)
    wanted = Filter(0, FAR, 0, FAR, status="AWAITING_SHIPMENT")
    keys, low, high = orders.matching(wanted, "update_time")
    assert high > low
    for key in keys[low:high]:
        orders.touch(orders.key_index(key), NOW + 1)
    _keys, low, high = orders.matching(wanted, "update_time")
    assert low == high


def test_a_row_touched_ahead_of_its_time_never_moves_back():
    orders = shop_orders(300)
    touched = [index for index in range(300) if orders.status(index) not in {"COMPLETED", "CANCELLED"}]
    assert len(touched) > 20
    for index in touched:
        orders.touch(index, NOW + 50 * DAY)
    orders.advance(NOW + 60 * DAY)
    assert all(json.loads(orders.row(index))["update_time"] >= NOW + 50 * DAY for index in touched)


def test_a_touched_row_ends_the_same_in_steps_and_in_one_leap():
    leap, steps = shop_orders(300), shop_orders(300)
    for orders in (leap, steps):
        for index in range(300):
            orders.touch(index, NOW + 1)
    leap.advance(NOW + 20 * DAY)
    for hour in range(20 * 24 + 1):
        steps.advance(NOW + hour * 3600)
    assert leap.truth("update_time", 0, FAR) == steps.truth("update_time", 0, FAR)


@pytest.mark.parametrize("field", ["create_time", "update_time"])
def test_each_filter_finds_what_a_scan_finds(orders, rows, field):
    some = rows[700]
    warehouses = (some["warehouse_id"],)
    cases = [
        ({"status": "COMPLETED"}, lambda row: row["status"] == "COMPLETED"),
        ({"shipping_type": "SELLER"}, lambda row: row["shipping_type"] == "SELLER"),
        ({"buyer_user_id": some["user_id"]}, lambda row: row["user_id"] == some["user_id"]),
        ({"is_buyer_request_cancel": True}, lambda row: row["is_buyer_request_cancel"]),
        ({"is_buyer_request_cancel": False}, lambda row: not row["is_buyer_request_cancel"]),
        ({"warehouse_ids": warehouses}, lambda row: row["warehouse_id"] in warehouses),
    ]
    for wanted, fits in cases:
        window = (NOW - 40 * DAY, NOW - 5 * DAY, NOW - 30 * DAY, NOW - 2 * DAY)
        keys, low, high = orders.matching(Filter(*window, **wanted), field)
        found = [json.loads(orders.row(orders.key_index(key)))["id"] for key in keys[low:high]]
        scan = [
            row
            for row in rows
            if fits(row) and window[0] <= row["create_time"] < window[1] and window[2] <= row["update_time"] < window[3]
        ]
        assert found
        assert len(found) < len(rows)
        scan.sort(key=lambda row: (row[field], row["id"]))
        assert found == [row["id"] for row in scan]


def test_detail_has_what_search_has_and_the_payment_besides(caller):
    cipher = caller.emulator.sellers[0]["shops"][0]["cipher"]
    found = caller.search().data["orders"][:3]
    ids = ",".join(row["id"] for row in found)
    detail = caller.call("GET", DETAIL, {"shop_cipher": cipher, "ids": ids}).data["orders"]
    for short, full in zip(found, detail, strict=True):
        assert short.items() <= full.items()
        assert set(full) - set(short) == {"payment_card_type", "payment_method_code"}


def test_the_clock_moves_orders_over_the_socket_too(caller):
    shop_id = caller.emulator.sellers[0]["shops"][0]["id"]
    before = caller.emulator.truth(shop_id)
    assert caller.emulator.truth(shop_id) == before
    caller.emulator.clock(advance=2 * DAY)
    after = caller.emulator.truth(shop_id)
    assert after != before
    assert len(after) == len(before)


def test_orders_can_be_placed_and_touched_while_it_runs(caller):
    shop_id = caller.emulator.sellers[0]["shops"][0]["id"]
    before = caller.emulator.truth(shop_id)
    changed = caller.emulator.orders(shop_id, add=3, ids=[before[0]["id"]])
    after = caller.emulator.truth(shop_id)
    assert len(changed["added"]) == 3
    assert {row["id"] for row in after[-4:]} == {*changed["added"], before[0]["id"]}
    assert {row["update_time"] for row in after[-4:]} == {changed["at"]}
    newest = caller.search({"sort_field": "create_time", "page_size": 3}).data["orders"]
    assert {row["id"] for row in newest} == set(changed["added"])
    assert {row["status"] for row in newest} == {"UNPAID"}
