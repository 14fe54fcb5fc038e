"""Statements, transactions, payments, withdrawals and what is not settled yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.emulator.data import money, payouts
from airflow_provider_tiktokshop.emulator.data.sales import find_order
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Between, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.tables import Table
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []


def _transactions(scope: Scope) -> Table:
    day = money.find_statement(scope.records, scope.text("statement_id"))
    if day is None:
        raise refuse(36009004, "Invalid 'statement_id'")
    return money.statement_transactions(scope.records, day)


def _order_transactions(scope: Scope) -> Table:
    return money.order_transactions(scope.records, find_order(scope.records, scope.text("order_id")))


offer(
    Listing(
        name="statements",
        method="GET",
        template="/finance/*/statements",
        list_key="statements",
        table=lambda scope: money.statements(scope.records),
        ranges=(Between("statement_time", "statement_time_ge", "statement_time_lt"),),
        choices=(("payment_status", "status"),),
        sort="statement_time",
    ),
    Listing(
        name="statement_transactions",
        method="GET",
        template="/finance/*/statements/{statement_id}/statement_transactions",
        list_key="transactions",
        table=_transactions,
        sort="order_create_time",
        parent=Parent("statements", "id", "statement_id"),
    ),
    Listing(
        name="order_statement_transactions",
        method="GET",
        template="/finance/*/orders/{order_id}/statement_transactions",
        list_key="sku_transactions",
        table=_order_transactions,
        key=("statement_id", "sku_id"),
        token_in=None,
        parent=Parent("orders", "id", "order_id"),
    ),
    Listing(
        name="payments",
        method="GET",
        template="/finance/*/payments",
        list_key="payments",
        table=lambda scope: payouts.payments(scope.records),
        ranges=(Between("create_time", "create_time_ge", "create_time_lt"),),
        sort="create_time",
    ),
    Listing(
        name="withdrawals",
        method="GET",
        template="/finance/*/withdrawals",
        list_key="withdrawals",
        table=lambda scope: payouts.withdrawals(scope.records),
        ranges=(Between("create_time", "create_time_ge", "create_time_lt"),),
        choices=(("types", "type"),),
        sort="create_time",
        descending=True,
    ),
    Listing(
        name="unsettled_transactions",
        method="GET",
        template="/finance/*/orders/unsettled",
        list_key="transactions",
        table=lambda scope: payouts.unsettled(scope.records),
        ranges=(Between("order_create_time", "search_time_ge", "search_time_lt"),),
        sort="order_create_time",
    ),
)
