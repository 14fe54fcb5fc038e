"""What different resources say about the same order, statement or day agrees."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from tests.support.emulator_streams import Streams

DAY = 86400


@pytest.fixture(scope="module", params=[0, 1], ids=["GB", "US"])
def streams(module_caller, request) -> Streams:
    return Streams(module_caller, shop=request.param)


@pytest.fixture(scope="module")
def orders(streams) -> dict[str, dict]:
    found = {}
    token = ""
    while True:
        paging = {"page_token": token} if token else {}
        query = {"shop_cipher": streams.shop["cipher"], "page_size": 100, **paging}
        data = streams.caller.call("POST", "/order/202309/orders/search", query, {}, token=streams.token(0)).data
        found |= {order["id"]: order for order in data["orders"]}
        token = data["next_page_token"]
        if not token:
            return found


def total(rows, field):
    return sum((Decimal(row[field]) for row in rows), Decimal(0))


def test_a_statement_is_the_sum_of_its_transactions_and_its_payment_is_its_amount(streams):
    statements = streams.rows("statements", page_size=100)
    payments = {row["id"]: row for row in streams.rows("payments", page_size=100)}
    assert len(statements) > 20
    for statement in statements:
        rows = streams.rows("statement_transactions", statement_id=statement["id"], page_size=100)
        assert total(rows, "settlement_amount") == Decimal(statement["settlement_amount"])
        assert total(rows, "revenue_amount") == Decimal(statement["revenue_amount"])
        assert total(rows, "fee_tax_amount") == Decimal(statement["fee_amount"])
        payment = payments[statement["payment_id"]]
        assert payment["amount"] == {"value": statement["settlement_amount"], "currency": statement["currency"]}
        assert payment["status"] == statement["payment_status"]


def test_a_transaction_is_its_parts_and_what_the_order_says_of_it(streams, orders):
    statement = streams.rows("statements", page_size=100)[3]
    rows = streams.rows("statement_transactions", statement_id=statement["id"])
    for row in rows:
        parts = ("revenue_amount", "shipping_cost_amount", "fee_tax_amount", "adjustment_amount")
        assert sum(Decimal(row[part]) for part in parts) == Decimal(row["settlement_amount"])
        assert orders[row["order_id"]]["create_time"] == row["order_create_time"]
        assert orders[row["order_id"]]["status"] == "COMPLETED"
        own = streams.ask("order_statement_transactions", order_id=row["order_id"])
        assert own["settlement_amount"] == row["settlement_amount"]
        assert total(own["sku_transactions"], "settlement_amount") == Decimal(row["settlement_amount"])
        assert {sku["statement_id"] for sku in own["sku_transactions"]} == {statement["id"]}
        units = Counter(item["sku_id"] for item in orders[row["order_id"]]["line_items"])
        assert {sku["sku_id"]: int(sku["quantity"]) for sku in own["sku_transactions"]} == units


def test_every_paid_order_is_settled_or_unsettled_and_never_both(streams, orders):
    settled = {
        row["order_id"]
        for statement in streams.rows("statements", page_size=100)
        for row in streams.rows("statement_transactions", statement_id=statement["id"], page_size=100)
    }
    unsettled = {row["order_id"] for row in streams.rows("unsettled_transactions", page_size=100)}
    paid = {own for own, order in orders.items() if "paid_time" in order and order["status"] != "CANCELLED"}
    assert settled | unsettled == paid
    assert not settled & unsettled


def test_a_package_holds_its_orders_units_and_carries_its_tracking_number(streams, orders):
    packages = streams.rows("packages", page_size=50)
    assert {row["id"] for row in packages} == {one["id"] for order in orders.values() for one in order["packages"]}
    for package in packages:
        order = orders[package["orders"][0]["id"]]
        assert package["order_line_item_ids"] == [item["id"] for item in order["line_items"]]
        assert package["tracking_number"] == order["tracking_number"]
        assert sum(sku["quantity"] for sku in package["orders"][0]["skus"]) == len(order["line_items"])
    detail = streams.ask("package_detail", package_id=packages[0]["id"])
    assert detail["package_status"] == packages[0]["status"]
    assert detail["update_time"] == packages[0]["update_time"]


def test_tracking_tells_when_the_order_was_collected_and_delivered(streams, orders):
    order = next(order for order in orders.values() if order["status"] == "COMPLETED")
    times = {row["action_code"]: row["update_time_millis"] // 1000 for row in track(streams, order)}
    assert times[30001] == order["collection_time"]
    assert times[50001] == order["delivery_time"]
    waiting = next(order for order in orders.values() if order["status"] == "AWAITING_SHIPMENT")
    assert track(streams, waiting) == []


def track(streams, order):
    return streams.ask("order_tracking", order_id=order["id"]).get("tracking", [])


def test_an_orders_price_in_detail_adds_up_to_what_was_paid(streams, orders):
    for order in list(orders.values())[:15]:
        price = streams.ask("order_price_detail", order_id=order["id"])
        assert price["total"] == order["payment"]["total_amount"]
        assert total(price["line_items"], "total") == Decimal(price["total"])
        assert [item["id"] for item in price["line_items"]] == [item["id"] for item in order["line_items"]]


def test_a_return_is_about_units_that_were_delivered_and_refunds_what_they_cost(streams, orders):
    found = streams.rows("returns", page_size=50)
    assert {row["return_type"] for row in found} == {"RETURN_AND_REFUND", "REFUND"}
    for row in found:
        order = orders[row["order_id"]]
        assert row["create_time"] > order["delivery_time"]
        items = {item["id"]: item for item in order["line_items"]}
        assert {line["order_line_item_id"] for line in row["return_line_items"]} <= items.keys()
        prices = [Decimal(items[line["order_line_item_id"]]["sale_price"]) for line in row["return_line_items"]]
        assert sum(prices) == Decimal(row["refund_amount"]["refund_subtotal"])
        records = streams.ask("return_records", return_id=row["return_id"])["records"]
        assert records[0]["create_time"] == row["create_time"]
        assert records[-1]["create_time"] == row["update_time"]


def test_what_was_refunded_is_missing_in_the_settlement(streams, orders):
    done = "RETURN_OR_REFUND_REQUEST_COMPLETE"
    refunded = {row["order_id"]: row for row in streams.rows("returns", page_size=50) if row["return_status"] == done}
    compared = 0
    for order_id, row in refunded.items():
        if orders[order_id]["status"] == "COMPLETED":
            own = streams.ask("order_statement_transactions", order_id=order_id)
            if own.get("sku_transactions"):
                price = Decimal(orders[order_id]["payment"]["sub_total"])
                assert Decimal(own["revenue_amount"]) == price - Decimal(row["refund_amount"]["refund_subtotal"])
                compared += 1
    assert compared


def test_every_cancelled_order_has_one_cancellation_of_its_time(streams, orders):
    found = {row["order_id"]: row for row in streams.rows("cancellations", page_size=50)}
    cancelled = {own: order for own, order in orders.items() if order["status"] == "CANCELLED"}
    assert found.keys() == cancelled.keys()
    for own, row in found.items():
        assert row["update_time"] == cancelled[own]["cancel_time"]
        assert row["create_time"] == cancelled[own].get("request_cancel_time", cancelled[own]["cancel_time"])


def test_what_is_ordered_is_in_the_catalogue_at_its_price_and_in_stock_as_the_catalogue_says(streams, orders):
    products = {row["id"]: row for row in streams.rows("products", page_size=100)}
    skus = {sku["id"]: sku for row in products.values() for sku in row["skus"]}
    for order in orders.values():
        for item in order["line_items"]:
            assert item["product_id"] in products
            assert skus[item["sku_id"]]["price"]["sale_price"] == item["original_price"]
    for row in streams.ask("inventory", product_ids=list(products)[:20])["inventory"]:
        for sku in row["skus"]:
            held = {one["warehouse_id"]: one["available_quantity"] for one in sku["warehouse_inventory"]}
            assert held == {one["warehouse_id"]: one["quantity"] for one in skus[sku["id"]]["inventory"]}
    shipped_from = {order["warehouse_id"] for order in orders.values()}
    assert shipped_from <= {row["id"] for row in streams.ask("warehouses")["warehouses"]}


def test_products_add_up_to_the_shop_and_the_shop_to_its_orders(streams, orders):
    days = streams.ask("shop_performance", granularity="1D")["performance"]["intervals"]
    assert len(days) == 14
    shop = sum(Decimal(day["sales"]["gmv"]["amount"]) for day in days)
    products = streams.rows("shop_products_performance", page_size=100)
    skus = streams.rows("shop_skus_performance", page_size=100)
    assert shop == sum(Decimal(row["total_performance"]["gmv"]["amount"]) for row in products)
    assert shop == sum(Decimal(row["gmv"]["amount"]) for row in skus)
    amounts = [Decimal(row["total_performance"]["gmv"]["amount"]) for row in products]
    assert amounts == sorted(amounts, reverse=True)
    one = streams.ask("shop_performance", granularity="ALL")["performance"]["intervals"]
    assert len(one) == 1
    assert Decimal(one[0]["sales"]["gmv"]["amount"]) == shop
    assert one[0]["sales"]["orders_count"] == sum(day["sales"]["orders_count"] for day in days)
    assert shop < sum(Decimal(order["payment"]["sub_total"]) for order in orders.values())


def test_a_creators_commission_is_what_the_settlement_takes_off(streams, orders):
    rows = [row for row in streams.rows("affiliate_seller_orders", page_size=100) if row["status"] == "SETTLED"]
    assert rows
    for row in rows[:10]:
        assert row["create_time"] == orders[row["id"]]["create_time"]
        skus = streams.ask("order_statement_transactions", order_id=row["id"])["sku_transactions"]
        taken = sum(Decimal(sku["fee_tax_breakdown"]["fee"]["affiliate_commission_amount"]) for sku in skus)
        assert taken == -sum(Decimal(sku["actual_paid_commission"]["amount"]) for sku in row["skus"])


def test_time_brings_a_statement_and_pays_it(caller):
    caller.emulator.settings(check_timestamp=False)
    streams = Streams(caller)
    before = {row["id"]: row for row in streams.rows("statements", page_size=100)}
    unpaid = [row["id"] for row in before.values() if row["payment_status"] == "PROCESSING"]
    assert unpaid
    caller.emulator.clock(advance=2 * DAY)
    after = {row["id"]: row for row in streams.rows("statements", page_size=100)}
    assert after.keys() > before.keys()
    assert {after[own]["payment_status"] for own in unpaid} <= {"PAID", "FAILED"}
    assert all(after[own]["settlement_amount"] == row["settlement_amount"] for own, row in before.items())


def test_the_same_seed_gives_the_same_rows(caller):
    first = Streams(caller).rows("returns", page_size=50)
    caller.emulator.reset()
    caller.tokens.clear()
    assert Streams(caller).rows("returns", page_size=50) == first
