"""What the shop earns: each completed order settles in the statement of its day, and each statement is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_tiktokshop.emulator.data.affiliation import commission
from airflow_provider_tiktokshop.emulator.data.aftersales import refunded_items
from airflow_provider_tiktokshop.emulator.data.records import DAY
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.orders import History

__all__ = [
    "Settled",
    "amounts",
    "find_statement",
    "order_transactions",
    "settled",
    "statement_id",
    "statement_of",
    "statement_transactions",
    "statements",
]

_COMMISSION_PERCENT = 6
_PAID_AFTER = 2 * DAY
_RETRIED_AFTER = 5 * DAY
_FAILS_EVERY = 23
_NAMED = ("sku_id", "sku_name", "product_id", "product_name")


class Settled(NamedTuple):
    """What one SKU of an order earns, in minor units. Costs are negative, and everything adds up to ``settlement``."""

    item: dict[str, Any]
    quantity: int
    gross: int
    discount: int
    refund_gross: int
    refund_discount: int
    shipping_actual: int
    shipping_paid: int
    shipping_help: int
    fee: int
    affiliate: int

    @property
    def revenue(self) -> int:
        """What is left of the price after discounts and refunds."""
        return self.gross - self.discount - self.refund_gross + self.refund_discount

    @property
    def shipping(self) -> int:
        """What shipping costs the seller."""
        return -self.shipping_actual + self.shipping_paid + self.shipping_help

    @property
    def fees(self) -> int:
        """All fees and taxes."""
        return -self.fee - self.affiliate

    @property
    def settlement(self) -> int:
        """What the seller gets."""
        return self.revenue + self.shipping + self.fees


def settled(records: ShopRecords, history: History) -> list[Settled]:
    """Return what an order earns by SKU."""
    return records.made(("settled", history.index), lambda: _settled(records, history))


def _settled(records: ShopRecords, history: History) -> list[Settled]:
    order = records.order(history.index)
    refunded = refunded_items(records, history, history.reached.get("COMPLETED", 1 << 38))
    payment, minor = order["payment"], records.minor
    rows: list[Settled] = []
    for place, (first, items) in enumerate(records.skus_of(order)):
        back = [item for item in items if item["id"] in refunded]
        gross = sum(minor(item["original_price"]) for item in items)
        discount = sum(minor(item["seller_discount"]) for item in items)
        refund_gross = sum(minor(item["original_price"]) for item in back)
        refund_discount = sum(minor(item["seller_discount"]) for item in back)
        kept = gross - discount - refund_gross + refund_discount
        shipped = (minor(payment["original_shipping_fee"]) * 5 // 4, minor(payment["shipping_fee"]))
        helped = minor(payment["shipping_fee_platform_discount"])
        # A parcel's costs go with the order's first SKU.
        actual, paid, help_ = (*shipped, helped) if place == 0 else (0, 0, 0)
        rows.append(
            Settled(
                {name: first[name] for name in _NAMED},
                len(items),
                gross,
                discount,
                refund_gross,
                refund_discount,
                actual,
                paid,
                help_,
                kept * _COMMISSION_PERCENT // 100,
                commission(records, history.index, kept),
            )
        )
    return rows


def amounts(records: ShopRecords, rows: list[Settled], prefix: str = "") -> dict[str, Any]:
    """Return the amounts of one or several SKUs as the finance endpoints name them."""
    money = records.money
    return {
        f"{prefix}settlement_amount": money(sum(row.settlement for row in rows)),
        f"{prefix}revenue_amount": money(sum(row.revenue for row in rows)),
        f"{prefix}shipping_cost_amount": money(sum(row.shipping for row in rows)),
        f"{prefix}fee_tax_amount": money(sum(row.fees for row in rows)),
        "revenue_breakdown": {
            "subtotal_before_discount_amount": money(sum(row.gross for row in rows)),
            "seller_discount_amount": money(-sum(row.discount for row in rows)),
            "refund_subtotal_before_discount_amount": money(-sum(row.refund_gross for row in rows)),
            "seller_discount_refund_amount": money(sum(row.refund_discount for row in rows)),
        },
        "shipping_cost_breakdown": {
            "actual_shipping_fee_amount": money(-sum(row.shipping_actual for row in rows)),
            "customer_paid_shipping_fee_amount": money(sum(row.shipping_paid for row in rows)),
            "shipping_fee_discount_amount": money(sum(row.shipping_help for row in rows)),
        },
        "fee_tax_breakdown": {
            "fee": {
                "platform_commission_amount": money(-sum(row.fee for row in rows)),
                "affiliate_commission_amount": money(-sum(row.affiliate for row in rows)),
            }
        },
    }


def statement_of(history: History) -> int | None:
    """Return the day (since 1970) at whose start the statement with this order is generated, or None."""
    completed = history.reached.get("COMPLETED")
    return None if completed is None else completed // DAY + 1


def statement_id(records: ShopRecords, day: int) -> str:
    """Return the id of a day's statement."""
    return records.id("7313", 31, day)


def _days(records: ShopRecords) -> dict[int, list[History]]:
    """The orders of each statement there is."""

    def make() -> dict[int, list[History]]:
        days: dict[int, list[History]] = {}
        for history in records.histories():
            day = statement_of(history)
            if day is not None and day * DAY <= records.now:
                days.setdefault(day, []).append(history)
        return days

    return records.made("statement days", make)


def _payment_state(records: ShopRecords, day: int) -> tuple[str, int]:
    """Return a statement's payment status and when it was paid (0: it was not)."""
    now, start = records.now, day * DAY
    late = day % _FAILS_EVERY == 0
    paid = start + (_RETRIED_AFTER if late else _PAID_AFTER)
    if now >= paid:
        return "PAID", paid
    return ("FAILED" if late and now >= start + _PAID_AFTER else "PROCESSING"), 0


def _total(records: ShopRecords, day: int) -> list[Settled]:
    return [row for history in _days(records)[day] for row in settled(records, history)]


def statements(records: ShopRecords) -> Table:
    """Return the shop's statements, one a day on which orders were completed."""

    def entry(day: int) -> Entry:
        status, paid = _payment_state(records, day)

        def make() -> dict[str, Any]:
            rows, money = _total(records, day), records.money
            revenue = money(sum(row.revenue for row in rows))
            return {
                "id": statement_id(records, day),
                "statement_time": day * DAY,
                "currency": records.region.currency,
                "settlement_amount": money(sum(row.settlement for row in rows)),
                "revenue_amount": revenue,
                "net_sales_amount": revenue,
                "fee_amount": money(sum(row.fees for row in rows)),
                "shipping_cost_amount": money(sum(row.shipping for row in rows)),
                "payment_status": status,
                "payment_id": records.id("3458", 32, day),
                "payment_time": paid,
            }

        return Entry(make, {"statement_time": day * DAY}, {"status": status, "paid": paid})

    return records.made("statements", lambda: Table({day: entry(day) for day in _days(records)}))


def find_statement(records: ShopRecords, wanted: str) -> int | None:
    """Return the day of a statement of this shop, or None."""
    known = records.made("statement ids", lambda: {statement_id(records, day): day for day in _days(records)})
    return known.get(wanted)


def statement_transactions(records: ShopRecords, day: int) -> Table:
    """Return the transactions of a statement, with its totals beside the list."""

    def entry(history: History) -> Entry:
        def make() -> dict[str, Any]:
            rows = settled(records, history)
            return {
                "id": records.id("7314", 33, history.index),
                "type": "ORDER",
                "order_id": str(history.order_id),
                "order_create_time": history.created,
                "adjustment_id": "",
                "adjustment_order_id": "",
                "reserve_id": "",
                "associated_order_id": "",
                "reserve_status": "",
                "estimated_release_time": "",
                **amounts(records, rows),
                "supplementary_component": {"customer_payment_amount": _paid(records, history)},
            }

        return Entry(make, {"order_create_time": history.created})

    def table() -> Table:
        rows, money = _total(records, day), records.money
        extra = {
            "id": statement_id(records, day),
            "create_time": day * DAY,
            "status": _payment_state(records, day)[0],
            "currency": records.region.currency,
            "payable_amount": money(sum(row.settlement for row in rows)),
            "total_settlement_amount": money(sum(row.settlement for row in rows)),
            "total_settlement_breakdown": {
                "total_revenue_amount": money(sum(row.revenue for row in rows)),
                "total_shipping_cost_amount": money(sum(row.shipping for row in rows)),
                "total_fee_tax_amount": money(sum(row.fees for row in rows)),
            },
        }
        return Table({history.index: entry(history) for history in _days(records)[day]}, extra)

    return records.made(("statement", day), table)


def _paid(records: ShopRecords, history: History) -> str:
    total: str = records.order(history.index)["payment"]["total_amount"]
    return total


def order_transactions(records: ShopRecords, index: int) -> Table:
    """Return what an order earned by SKU: nothing until it is in a statement."""
    history = records.orders.history(index)
    day = statement_of(history)
    rows = settled(records, history) if day is not None and day * DAY <= records.now else []
    total = amounts(records, rows)
    extra = {
        "order_id": str(history.order_id),
        "order_create_time": history.created,
        "currency": records.region.currency,
        "revenue_amount": total["revenue_amount"],
        "fee_and_tax_amount": total["fee_tax_amount"],
        "shipping_cost_amount": total["shipping_cost_amount"],
        "settlement_amount": total["settlement_amount"],
    }

    def entry(row: Settled) -> Entry:
        return Entry(
            lambda: {
                "sku_id": row.item["sku_id"],
                "sku_name": row.item["sku_name"],
                "product_name": row.item["product_name"],
                "statement_id": statement_id(records, day or 0),
                "quantity": str(row.quantity),
                **amounts(records, [row]),
            }
        )

    return Table({place: entry(row) for place, row in enumerate(rows)}, extra)
