"""Orders that creators brought, as the seller, the creator and the partner see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.affiliation import (
    PERCENT,
    content_of,
    creator_name,
    creator_of,
    live_id,
    video_id,
)
from airflow_provider_tiktokshop.emulator.data.money import settled, statement_of
from airflow_provider_tiktokshop.emulator.data.records import DAY
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.money import Settled
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.orders import History
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__ = ["CAMPAIGNS", "affiliate_orders", "campaign_id", "collaboration_id", "creator_orders", "partner_orders"]

CAMPAIGNS = 24


def collaboration_id(records: ShopRecords, product: int) -> str:
    """Return the id of the open collaboration for a product."""
    return records.id("7411", 111, product)


def campaign_id(number: int) -> str:
    """Return the id of a partner's campaign."""
    return f"7412{number:015d}"


def _brought(records: ShopRecords) -> list[History]:
    """The shop's paid orders that came through a creator."""

    def make() -> list[History]:
        return [
            history
            for history in records.histories()
            if history.paid is not None and creator_of(records, history.index) is not None
        ]

    return records.made("brought", make)


def _is_settled(records: ShopRecords, history: History) -> bool:
    day = statement_of(history)
    return day is not None and day * DAY <= records.now


def _sku(records: ShopRecords, history: History, row: Settled) -> dict[str, Any]:
    """One SKU of such an order under every name that the three sides' endpoints have for its fields."""
    money, currency = records.money, records.region.currency
    base = row.gross - row.discount
    done, kept = _is_settled(records, history), row.revenue

    def amount(minor: int) -> dict[str, str]:
        return {"amount": money(minor), "currency": currency}

    estimated = base * PERCENT // 100
    actual = row.affiliate if done else 0
    content = content_of(records, history.index, history.created) or ("VIDEO", 0)
    content_id = live_id(records, content[1]) if content[0] == "LIVE" else video_id(records, content[1])
    back = row.quantity if row.refund_gross else 0
    return {
        "id": row.item["sku_id"],
        "sku_id": row.item["sku_id"],
        "product_id": row.item["product_id"],
        "product_name": row.item["product_name"],
        "price": amount(base // row.quantity),
        "quantity": row.quantity,
        "content_type": content[0],
        "content_id": content_id,
        "creator_username": creator_name(creator_of(records, history.index) or 0),
        "shop_name": records.shop.name,
        "settlement_status": "SETTLED" if done else "UNSETTLED",
        "settle_status": "SETTLED" if done else "UNSETTLED",
        "commission_rate": str(PERCENT * 100),
        "standard_commission_rate": PERCENT * 100,
        "creator_standard_commission_rate": PERCENT * 100,
        "creator_commission_rate": PERCENT * 100,
        "estimated_commission_base": amount(base),
        "estimated_paid_commission": amount(estimated),
        "estimated_commission": amount(estimated),
        "estimated_standard_commission": amount(estimated),
        "estimated_creator_standard_commission": amount(estimated),
        "estimated_creator_commission": amount(estimated),
        "actual_commission_base": amount(kept if done else 0),
        "actual_paid_commission": amount(actual),
        "actual_commission": amount(actual),
        "actual_standard_commission": amount(actual),
        "actual_creator_standard_commission": amount(actual),
        "actual_creator_commission": amount(actual),
        "refunded_quantity": back,
        "returned_quantity": back,
        "last_update_time": history.updated,
    }


def _head(records: ShopRecords, history: History) -> dict[str, Any]:
    return {
        "id": str(history.order_id),
        "create_time": history.created,
        "delivery_time": history.reached.get("DELIVERED", 0),
        "status": "SETTLED" if _is_settled(records, history) else history.status,
    }


def _whole(records: ShopRecords, history: History) -> dict[str, Any]:
    return _head(records, history) | {"skus": [_sku(records, history, row) for row in settled(records, history)]}


def affiliate_orders(scope: Scope) -> Table:
    """Return the shop's orders that came through creators."""
    records = scope.records

    def table() -> Table:
        return Table({history.index: _order_entry(records, history) for history in _brought(records)})

    return records.made("affiliate orders", table)


def creator_orders(scope: Scope) -> Table:
    """Return the orders that a creator brought to any shop."""
    creators = [account for account in scope.world.accounts.values() if account.user_type == 1]
    number = creators.index(scope.account)
    found = [
        _order_entry(records, history)
        for records in map(scope.world.records, scope.world.shops.values())
        for history in _brought(records)
        if creator_of(records, history.index) == number
    ]
    return Table(dict(enumerate(found)))


def _order_entry(records: ShopRecords, history: History) -> Entry:
    return Entry(lambda: _whole(records, history), {"create_time": history.created}, {"id": str(history.order_id)})


def partner_orders(scope: Scope) -> Table:
    """Return what creators of a partner sold in the asset's market, a row for each SKU of an order."""
    market = scope.asset.target_market if scope.asset else ""
    found = [
        _partner_entry(records, history, row)
        for shop in scope.world.shops.values()
        if shop.region == market
        for records in (scope.world.records(shop),)
        for history in _brought(records)
        if (creator_of(records, history.index) or 0) % 2 == 0
        for row in settled(records, history)
    ]
    return Table(dict(enumerate(found)))


def _partner_entry(records: ShopRecords, history: History, row: Settled) -> Entry:
    campaign = campaign_id(history.index % CAMPAIGNS)

    def make() -> dict[str, Any]:
        own = _sku(records, history, row) | {"campaign_id": campaign}
        # An order's older form holds the SKU; the newer one is the SKU, and has the order's id.
        return own | _head(records, history) | {"skus": own}

    tags = {
        "campaign": campaign,
        "order_id": str(history.order_id),
        "product_id": row.item["product_id"],
        "settle_status": "SETTLED" if _is_settled(records, history) else "UNSETTLED",
    }
    return Entry(make, {"create_time": history.created}, tags)
