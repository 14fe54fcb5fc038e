"""The newer view of returns: requests and authorizations to send merchandise back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.aftersales import returns
from airflow_provider_tiktokshop.emulator.data.filling import ABSENT
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords

__all__ = ["eligibility", "merchandise", "requests"]


def _request_id(records: ShopRecords, index: int) -> str:
    return records.id("4037", 25, index)


def _rma_id(records: ShopRecords, index: int) -> str:
    return records.id("4038", 26, index)


def requests(records: ShopRecords) -> Table:
    """Return one aftersales request for each return."""

    def entry(index: int, entry: Entry) -> Entry:
        tags = entry.tags | {"id": _request_id(records, index)}
        return Entry(lambda: _request(records, index, entry), entry.times, tags)

    found = returns(records).entries
    return records.made("aftersales requests", lambda: Table({i: entry(i, one) for i, one in found.items()}))


def merchandise(records: ShopRecords) -> Table:
    """Return one authorization for each return that sends items back."""

    def entry(index: int, entry: Entry) -> Entry:
        status = "COMPLETED" if entry.tags["status"].endswith("COMPLETE") else "IN_PROGRESS"
        tags = entry.tags | {
            "id": _request_id(records, index),
            "rma_id": _rma_id(records, index),
            "package_id": "",
            "rma_status": status,
        }
        return Entry(lambda: _authorization(records, index, entry), entry.times, tags)

    back = {index: one for index, one in returns(records).entries.items() if one.tags["type"] == "RETURN_AND_REFUND"}
    return records.made("authorizations", lambda: Table({index: entry(index, one) for index, one in back.items()}))


def _lines(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "return_line_item_id": item["return_line_item_id"],
            "sub_return_line_item_id": "",
            "sku_id": item["sku_id"],
            "main_order_id": row["order_id"],
            "sku_return_request_id": row["return_id"],
        }
        for item in row["return_line_items"]
    ]


def _sku_request(row: dict[str, Any]) -> dict[str, Any]:
    """A return as the newer endpoints nest it: some of its fields have other names there."""
    renamed = {"discount_amount", "shipping_fee_amount", "partial_refund", "can_buyer_keep_item"}
    kept = {name: value for name, value in row.items() if name not in renamed}
    return kept | {
        "discount": {},
        "shipping_fee": {},
        "partial_refund_amount": ABSENT,
        "exchange_order_lines": [],
        "reshipment_order_id": "",
        "return_sub_line_items": [],
    }


def _request(records: ShopRecords, index: int, entry: Entry) -> dict[str, Any]:
    row = entry.make()
    back = [_plain_authorization(records, index, entry, row)] if row["return_type"] == "RETURN_AND_REFUND" else []
    return {
        "id": _request_id(records, index),
        "status": entry.tags["request_status"],
        "line_items": _lines(row),
        "sku_return_requests": [_sku_request(row)],
        "return_merchandise_authorizations": back,
    }


def _plain_authorization(records: ShopRecords, index: int, entry: Entry, row: dict[str, Any]) -> dict[str, Any]:
    done = entry.tags["status"].endswith("COMPLETE")
    return {
        "id": _rma_id(records, index),
        "package_id": "",
        "aftersales_request_id": _request_id(records, index),
        "status": "COMPLETED" if done else "IN_PROGRESS",
        "line_items": _lines(row),
    }


def _authorization(records: ShopRecords, index: int, entry: Entry) -> dict[str, Any]:
    row = entry.make()
    return _plain_authorization(records, index, entry, row) | {"sku_return_requests": [_sku_request(row)]}


def eligibility(records: ShopRecords, index: int) -> list[dict[str, Any]]:
    """Return, by SKU of an order, whether it may be returned: after delivery, and once."""
    status = records.orders.history(index).status
    fine = status in {"DELIVERED", "COMPLETED"} and index not in returns(records).entries
    rows: list[dict[str, Any]] = []
    for first, items in records.skus_of(records.order(index)):
        answer = {
            "request_type": "RETURN_AND_REFUND",
            "order_line_items_ids": [item["id"] for item in items],
            "eligible": fine,
            "ineligible_code": 0 if fine else 1,
            "ineligible_reason": "" if fine else "Not delivered, or returned before",
            "available_reason_names": [],
            "order_line_list": [{"order_line_item_id": item["id"], "sub_order_line_item_id": ""} for item in items],
        }
        rows.append({"sku_id": first["sku_id"], "line_item_eligibility": [answer]})
    return rows
