"""Groups of shops, and the accounts of trade-in suppliers (no shop here is one: they hold nothing)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.emulator.data.tables import Table, table_of
from airflow_provider_tiktokshop.emulator.listing import Listing, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []


def _groups(scope: Scope) -> Table:
    rows = [
        {"shop_id": shop.id, "seller_id": scope.account.open_id, "shop_name": shop.name, "shop_region": shop.region}
        for shop in scope.shops
    ]
    return table_of(rows, {"shop_group": {"source": "SELLER", "shop_group_name": scope.account.name}})


def _balance(scope: Scope) -> Table:
    return table_of([{"amount": scope.records.money(0), "currency": scope.text("currency")}])


offer(
    Listing(
        name="shop_groups",
        method="GET",
        template="/seller/*/shop_groups",
        list_key="shop_group_data.shops",
        table=_groups,
        key=("shop_id",),
        token_in=None,
    ),
    Listing(
        name="trade_in_account_balances",
        method="GET",
        template="/finance/*/account_balances",
        list_key="available_balance",
        table=_balance,
        key=("currency",),
        token_in=None,
    ),
    Listing(
        name="trade_in_account_transactions",
        method="GET",
        template="/finance/*/account_transactions",
        list_key="flows",
        table=lambda _scope: table_of([]),
        key=("transaction_id",),
    ),
)
