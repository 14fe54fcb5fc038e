"""Money: statements, transactions, payments."""

from __future__ import annotations

from types import MappingProxyType

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

_SOUTH_EAST_ASIA = ("ID", "MY", "PH", "SG", "TH", "VN")

statements = Stream(
    name="statements",
    family="finance",
    doc="Get Statements",
    method="GET",
    path="/finance/{version}/statements",
    version="202309",
    list_key="statements",
    primary_key=("id",),
    cursors=(
        Cursor(
            field="statement_time",
            ge="statement_time_ge",
            lt="statement_time_lt",
            where="query",
            sort_field="statement_time",
        ),
    ),
    default_cursor="statement_time",
    lookback=60 * DAY,
    filters=(Filter(name="payment_status", where="query", known=("FAILED", "PAID", "PROCESSING")),),
    scope="seller.finance.info",
    note=(
        "A statement's payment status changes for weeks after its statement time, so the last 60 days are read "
        "again. There are none before July 2023."
    ),
)

statement_transactions = Stream(
    name="statement_transactions",
    family="finance",
    doc="Get Transactions by Statement",
    method="GET",
    path="/finance/{version}/statements/{statement_id}/statement_transactions",
    version="202501",
    list_key="transactions",
    primary_key=("statement_id", "id"),
    lookback=3 * DAY,
    parent=Parent(stream="statements", field="id", param="statement_id", where="path", into="statement_id"),
    params=MappingProxyType({"sort_field": "order_create_time", "sort_order": "ASC"}),
    scope="seller.finance.info",
    carry=("currency",),
    note=(
        "A statement's transactions are final once it is generated, daily at 00:00 UTC; three days are read again "
        "for statements that come late."
    ),
)

order_statement_transactions = Stream(
    name="order_statement_transactions",
    family="finance",
    doc="Get Transactions by Order",
    method="GET",
    path="/finance/{version}/orders/{order_id}/statement_transactions",
    version="202501",
    list_key="sku_transactions",
    primary_key=("order_id", "statement_id", "sku_id"),
    paging=Paging(token_in=None),
    lookback=30 * DAY,
    parent=Parent(stream="orders", field="id", param="order_id", where="path", into="order_id"),
    scope="seller.finance.info",
    carry=("currency", "order_create_time"),
    note=(
        "One request an order. Orders are settled weeks after their last change, so those of the last 30 days are "
        "asked for again; statement_transactions has the same money for far fewer requests."
    ),
)

payments = Stream(
    name="payments",
    family="finance",
    doc="Get Payments",
    method="GET",
    path="/finance/{version}/payments",
    version="202605",
    list_key="payments",
    primary_key=("id",),
    cursors=(
        Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="query", sort_field="create_time"),
    ),
    default_cursor="create_time",
    lookback=60 * DAY,
    scope="seller.finance.info",
    personal_fields=("bank_account",),
    not_in=_SOUTH_EAST_ASIA,
    note="A payment is paid after it is created, so the last 60 days are read again.",
)

withdrawals = Stream(
    name="withdrawals",
    family="finance",
    doc="Get Seller Financial Transactions",
    method="GET",
    path="/finance/{version}/withdrawals",
    version="202309",
    list_key="withdrawals",
    primary_key=("id",),
    cursors=(Cursor(field="create_time", ge="create_time_ge", lt="create_time_lt", where="query"),),
    default_cursor="create_time",
    lookback=30 * DAY,
    params=MappingProxyType({"types": ["WITHDRAW", "SETTLE", "TRANSFER", "REVERSE", "PAYMENT", "REFUND"]}),
    filters=(
        Filter(
            name="types",
            where="query",
            kind="texts",
            known=("PAYMENT", "REFUND", "REVERSE", "SETTLE", "TRANSFER", "WITHDRAW"),
        ),
    ),
    scope="seller.finance.info",
    note="All types of money movement. A status settles after creation, so the last 30 days are read again.",
)

unsettled_transactions = Stream(
    name="unsettled_transactions",
    family="finance",
    doc="Get Unsettled Transactions",
    method="GET",
    path="/finance/{version}/orders/unsettled",
    version="202507",
    list_key="transactions",
    primary_key=("id",),
    params=MappingProxyType({"sort_field": "order_create_time", "sort_order": "ASC"}),
    filters=(
        Filter(name="search_time_ge", where="query", kind="integer"),
        Filter(name="search_time_lt", where="query", kind="integer"),
    ),
    scope="seller.finance.info",
    note=(
        "Estimates as they are now: a row vanishes when it is settled, so each run replaces the one before. "
        "Nothing before 2025."
    ),
)

trade_in_account_transactions = Stream(
    name="trade_in_account_transactions",
    family="finance",
    doc="Get TradeIn Account Transactions",
    method="GET",
    path="/finance/{version}/account_transactions",
    version="202609",
    list_key="flows",
    primary_key=("transaction_id",),
    paging=Paging(size_max=20),
    cursors=(Cursor(field="create_time", ge="start_time", lt="end_time", where="query", kind="datetime"),),
    default_cursor="create_time",
    filters=(Filter(name="flow_type", where="query", known=("RECHARGE", "REVERSE", "WITHDRAW")),),
    note="Only for trade-in suppliers.",
)

trade_in_account_balances = Stream(
    name="trade_in_account_balances",
    family="finance",
    doc="Get TradeIn Supplier Account Balance",
    method="GET",
    path="/finance/{version}/account_balances",
    version="202609",
    list_key="available_balance",
    primary_key=("shop_id", "currency"),
    paging=Paging(token_in=None),
    filters=(Filter(name="currency", where="query", required=True),),
    shop_field="shop_id",
    note="Only for trade-in suppliers.",
)

STREAMS = (
    statements,
    statement_transactions,
    order_statement_transactions,
    payments,
    withdrawals,
    unsettled_transactions,
    trade_in_account_transactions,
    trade_in_account_balances,
)
