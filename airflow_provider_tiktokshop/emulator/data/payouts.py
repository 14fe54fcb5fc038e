"""Where the shop's money goes: payments, movements to and from its bank account, and what is not settled yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.money import amounts, settled, statement_of, statements
from airflow_provider_tiktokshop.emulator.data.records import DAY
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.orders import History

__all__ = ["payments", "unsettled", "withdrawals"]

_HOUR = 3600


def payments(records: ShopRecords) -> Table:
    """Return the shop's payments: each statement has one, of its amount."""

    def entry(day: int) -> Entry:
        def make() -> dict[str, Any]:
            statement = statements(records).entries[day].make()
            amount = {"value": statement["settlement_amount"], "currency": records.region.currency}
            return {
                "id": statement["payment_id"],
                "create_time": day * DAY,
                "status": statement["payment_status"],
                "amount": amount,
                "settlement_amount": amount,
                "reserve_amount": {"value": records.money(0), "currency": records.region.currency},
                "payment_amount_before_exchange": amount,
                "exchange_rate": "1",
                "paid_time": statement["payment_time"],
                "bank_account": "****1234",
            }

        return Entry(make, {"create_time": day * DAY})

    return records.made("payments", lambda: Table({day: entry(day) for day in statements(records).entries}))


def withdrawals(records: ShopRecords) -> Table:
    """Return the movements of the shop's money: a paid statement is settled, and an hour later withdrawn."""

    def entry(day: int, place: int, kind: str, moment: int) -> Entry:
        def make() -> dict[str, Any]:
            return {
                "id": records.id("3459", 41, day, place),
                "type": kind,
                "amount": statements(records).entries[day].make()["settlement_amount"],
                "currency": records.region.currency,
                "status": "SUCCESS",
                "create_time": moment,
            }

        return Entry(make, {"create_time": moment}, {"type": kind})

    def table() -> Table:
        entries: dict[int, Entry] = {}
        for day, statement in statements(records).entries.items():
            paid = statement.tags["paid"]
            for place, kind in enumerate(("SETTLE", "WITHDRAW")):
                moment = paid + place * _HOUR
                if paid and moment <= records.now:
                    entries[day * 2 + place] = entry(day, place, kind, moment)
        return Table(entries)

    return records.made("withdrawals", table)


def unsettled(records: ShopRecords) -> Table:
    """Return what orders are going to earn, for those that are paid and in no statement yet."""

    def entry(history: History) -> Entry:
        def make() -> dict[str, Any]:
            estimate = amounts(records, settled(records, history), "est_")
            return {
                "id": str(history.order_id),
                "type": "ORDER",
                "status": "UNSETTLED",
                "currency": records.region.currency,
                "estimated_settlement": "",
                "unsettled_reason": "",
                "order_id": str(history.order_id),
                "order_create_time": history.created,
                "order_delivery_time": history.reached.get("DELIVERED", 0),
                "adjustment_id": "",
                "adjustment_order_id": "",
                **estimate,
            }

        return Entry(make, {"order_create_time": history.created})

    def table() -> Table:
        found = [history for history in records.histories() if _open(records, history)]
        rows = [row for history in found for row in settled(records, history)]
        money = records.money
        extra = {
            "sum_est_settlement_amount": money(sum(row.settlement for row in rows)),
            "sum_est_revenue_amount": money(sum(row.revenue for row in rows)),
            "sum_est_fee_amount": money(sum(row.fees + row.shipping for row in rows)),
        }
        return Table({history.index: entry(history) for history in found}, extra)

    return records.made("unsettled", table)


def _open(records: ShopRecords, history: History) -> bool:
    if history.paid is None or history.status == "CANCELLED":
        return False
    day = statement_of(history)
    return day is None or day * DAY > records.now
