"""Returns and cancellations of the shop's orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.filling import ABSENT
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.orders import History

__all__ = ["Return", "cancellations", "find_return", "refunded_items", "return_of", "return_records", "returns"]

_HOUR = 3600
_ONE_IN = 9
# How a return goes on, by type: hours after the request, status, and who moves.
_STEPS = {
    "RETURN_AND_REFUND": (
        (0, "RETURN_OR_REFUND_REQUEST_PENDING", "BUYER", "Customer asked to return the items"),
        (6, "AWAITING_BUYER_SHIP", "SELLER", "Seller approved the return"),
        (30, "BUYER_SHIPPED_ITEM", "BUYER", "Customer shipped the items"),
        (90, "RETURN_OR_REFUND_REQUEST_COMPLETE", "SYSTEM", "Refund completed"),
    ),
    "REFUND": (
        (0, "RETURN_OR_REFUND_REQUEST_PENDING", "BUYER", "Customer asked for a refund"),
        (20, "RETURN_OR_REFUND_REQUEST_COMPLETE", "SYSTEM", "Refund completed"),
    ),
    "REJECTED": (
        (0, "RETURN_OR_REFUND_REQUEST_PENDING", "BUYER", "Customer asked for a refund"),
        (26, "REFUND_OR_RETURN_REQUEST_REJECT", "SELLER", "Seller rejected the request"),
    ),
}
COMPLETE = "RETURN_OR_REFUND_REQUEST_COMPLETE"


@dataclass(frozen=True, slots=True)
class Return:
    """A return as it stands: each step taken so far with its time."""

    index: int
    return_id: str
    return_type: str
    steps: tuple[tuple[int, str, str, str], ...]

    @property
    def status(self) -> str:
        """Its status now."""
        return self.steps[-1][1]


def _life(records: ShopRecords, history: History) -> tuple[str, tuple[tuple[int, str, str, str], ...]] | None:
    delivered, bits = history.reached.get("DELIVERED"), records.bits(21, history.index)
    if delivered is None or bits % _ONE_IN:
        return None
    kind = ("RETURN_AND_REFUND", "RETURN_AND_REFUND", "REFUND", "REJECTED")[bits >> 8 & 3]
    start = delivered + _HOUR + (bits >> 16) % (48 * _HOUR)
    steps = tuple((start + hours * _HOUR, status, role, text) for hours, status, role, text in _STEPS[kind])
    return kind, steps


def return_of(records: ShopRecords, history: History) -> Return | None:
    """Return what the buyer sent back of an order, or None."""
    life = _life(records, history)
    if life is None:
        return None
    taken = tuple(step for step in life[1] if step[0] <= records.now)
    if not taken:
        return None
    kind = "REFUND" if life[0] == "REJECTED" else life[0]
    return Return(history.index, records.id("4035", 22, history.index), kind, taken)


def refunded_items(records: ShopRecords, history: History, before: int) -> set[str]:
    """Return the line items of an order whose refund was complete before a moment."""
    life = _life(records, history)
    if life is None or life[1][-1][1] != COMPLETE or life[1][-1][0] >= before:
        return set()
    return {item["id"] for item in _returned(records, history.index)}


def _returned(records: ShopRecords, index: int) -> list[dict[str, Any]]:
    """All units of the order's first SKU go back."""
    return next(iter(records.skus_of(records.order(index))))[1]


def _refund(records: ShopRecords, items: list[dict[str, Any]]) -> dict[str, Any]:
    subtotal = sum(records.minor(item["sale_price"]) for item in items)
    tax = sum(records.minor(part["tax_amount"]) for item in items for part in item["item_tax"])
    return {
        "currency": records.region.currency,
        "refund_total": records.money(subtotal + tax),
        "refund_subtotal": records.money(subtotal),
        "refund_tax": records.money(tax),
    }


def _line(records: ShopRecords, item: dict[str, Any], name: str, index: int, place: int) -> dict[str, Any]:
    return {
        f"{name}_line_item_id": records.id("4035", 23, index, place),
        "order_line_item_id": item["id"],
        "sku_id": item["sku_id"],
        "sku_name": item["sku_name"],
        "product_name": item["product_name"],
        "seller_sku": item["seller_sku"],
        "product_image": {"url": item["sku_image"]},
        "refund_amount": _refund(records, [item]),
        f"{name}_sub_line_items": ABSENT,
    }


def returns(records: ShopRecords) -> Table:
    """Return the shop's returns."""
    return records.made("returns", lambda: _returns(records))


def _returns(records: ShopRecords) -> Table:
    entries: dict[int, Entry] = {}
    for history in records.histories():
        found = return_of(records, history)
        if found is not None:
            entries[history.index] = _return_entry(records, history, found)
    return Table(entries)


def _return_entry(records: ShopRecords, history: History, found: Return) -> Entry:
    tags = {
        "return_id": found.return_id,
        "order_id": str(history.order_id),
        "buyer": records.orders.writer.buyer_id(history.life.buyer),
        "type": found.return_type,
        "status": found.status,
        "arbitration": "",
        "proposed": "",
        "request_status": "PENDING_REQUEST_REVIEW" if len(found.steps) == 1 else "REQUEST_REVIEW_COMPLETED",
    }
    times = {"create_time": found.steps[0][0], "update_time": found.steps[-1][0]}
    return Entry(lambda: _return_row(records, found), times, tags)


def _return_row(records: ShopRecords, found: Return) -> dict[str, Any]:
    items, pending = _returned(records, found.index), len(found.steps) == 1
    shipped = found.return_type == "RETURN_AND_REFUND" and len(found.steps) > 2
    action = {"action": "SELLER_RESPOND_REFUND", "deadline": found.steps[0][0] + 48 * _HOUR}
    return {
        "return_id": found.return_id,
        "order_id": str(records.orders.order_id(found.index)),
        "return_type": found.return_type,
        "return_status": found.status,
        "arbitration_status": "",
        "role": "BUYER",
        "return_reason": "ecom_order_delivered_refund_and_return_reason_example",
        "return_reason_text": "Example reason",
        "shipment_type": "PLATFORM",
        "handover_method": "DROP_OFF",
        "return_tracking_number": f"EMUR{found.index:09d}{records.region.code}" if shipped else "",
        "return_provider_name": records.region.carrier if shipped else "",
        "return_provider_id": records.orders.writer.provider_id if shipped else "",
        "pre_return_id": "",
        "next_return_id": "",
        "return_method": "SELLER_SHIPPED",
        "create_time": found.steps[0][0],
        "update_time": found.steps[-1][0],
        "seller_next_action_response": [action] if pending else [],
        "return_line_items": [_line(records, item, "return", found.index, p) for p, item in enumerate(items)],
        "refund_amount": _refund(records, items),
        "discount_amount": [{}],
        "shipping_fee_amount": [{}],
        "return_shipping_document_type": "SHIPPING_LABEL",
        "combined_return_id": "",
        "seller_proposed_return_type": "",
        "partial_refund": ABSENT,
    }


def find_return(records: ShopRecords, return_id: str) -> Return | None:
    """Return a return of this shop by its id."""
    known = records.made("return ids", lambda: {e.tags["return_id"]: i for i, e in returns(records).entries.items()})
    index = known.get(return_id)
    return return_of(records, records.orders.history(index)) if index is not None else None


def return_records(found: Return) -> list[dict[str, Any]]:
    """Return the history of a return."""
    return [
        {
            "event": "ORDER_RETURN",
            "role": role,
            "description": text,
            "reason_text": "Example reason",
            "note": "",
            "images": [],
            "videos": [],
            "create_time": moment,
        }
        for moment, _status, role, text in found.steps
    ]


def cancellations(records: ShopRecords) -> Table:
    """Return the shop's cancellations: one for each cancelled order."""
    return records.made("cancellations", lambda: _cancellations(records))


def _cancellations(records: ShopRecords) -> Table:
    entries: dict[int, Entry] = {}
    for history in records.histories():
        cancelled = history.reached.get("CANCELLED")
        if cancelled is None:
            continue
        asked = history.life.buyer_asks_to_cancel
        times = {"create_time": cancelled - 60 if asked else cancelled, "update_time": cancelled}
        tags = {
            "cancel_id": records.id("4036", 24, history.index),
            "order_id": str(history.order_id),
            "buyer": records.orders.writer.buyer_id(history.life.buyer),
            "type": "BUYER_CANCEL" if asked else "CANCEL",
            "status": "CANCELLATION_REQUEST_COMPLETE",
        }
        entries[history.index] = _cancellation_entry(records, history, times, tags)
    return Table(entries)


def _cancellation_entry(records: ShopRecords, history: History, times: dict[str, int], tags: dict[str, Any]) -> Entry:
    def make() -> dict[str, Any]:
        order = records.order(history.index)
        # Nothing was paid for an order that was cancelled for want of payment.
        items = order["line_items"] if history.paid else []
        return {
            "cancel_id": tags["cancel_id"],
            "order_id": order["id"],
            "cancel_type": tags["type"],
            "cancel_status": tags["status"],
            "role": order["cancellation_initiator"],
            "cancel_reason": order["cancel_reason"],
            "cancel_reason_text": "Example reason",
            **times,
            "seller_next_action_response": [],
            "refund_amount": _refund(records, items),
            "cancel_line_items": [
                _line(records, item, "cancel", history.index, place) for place, item in enumerate(order["line_items"])
            ],
        }

    return Entry(make, times, tags)
