"""An order's packages, tracking and price detail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.filling import ABSENT
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.orders import History

__all__ = [
    "external_id",
    "find_order",
    "package_detail",
    "packages",
    "price_detail",
    "provider_of",
    "tracking",
]

_PACKAGES = 1152 * 10**15
_PACKAGE_STATUS = {"IN_TRANSIT": "FULFILLING", "DELIVERED": "COMPLETED", "COMPLETED": "COMPLETED"}
# What is told of a parcel: the status that brings it, seconds after it, code and text.
_EVENTS = (
    ("AWAITING_COLLECTION", 0, 10001, "Label created", "LABEL_CREATED"),
    ("IN_TRANSIT", 0, 30001, "Parcel collected", "PICKED_UP"),
    ("IN_TRANSIT", 36_000, 30002, "Departed from sorting centre", "IN_TRANSIT"),
    ("DELIVERED", 0, 50001, "Parcel delivered", "DELIVERED"),
)


def find_order(records: ShopRecords, order_id: str) -> int:
    """Return the index of an order of this shop.

    :raises Refusal: 21001001 when it has none of that id.
    """
    index = records.orders.index_of(order_id)
    if index is None:
        raise refuse(21001001)
    return index


def _package_id(history: History) -> str | None:
    if history.paid is None or history.status in {"CANCELLED", "UNPAID"}:
        return None
    return str(_PACKAGES + history.order_id % 10**15)


def packages(records: ShopRecords) -> Table:
    """Return the packages of the shop: one for each order that is paid and not cancelled."""
    return records.made("packages", lambda: _packages(records))


def _packages(records: ShopRecords) -> Table:
    def entry(history: History) -> Entry:
        times = {"create_time": history.paid or 0, "update_time": history.updated, "order_pay_time": history.paid or 0}
        status = _PACKAGE_STATUS.get(history.status, "PROCESSING")
        return Entry(lambda: _package(records, history), times, {"status": status, "id": _package_id(history)})

    return Table({history.index: entry(history) for history in records.histories() if _package_id(history)})


def _package(records: ShopRecords, history: History) -> dict[str, Any]:
    order = records.order(history.index)
    return {
        "id": order["packages"][0]["id"],
        "orders": [
            {
                "id": order["id"],
                "skus": [
                    {
                        "id": first["sku_id"],
                        "name": first["sku_name"],
                        "image_url": first["sku_image"],
                        "quantity": len(items),
                    }
                    for first, items in records.skus_of(order)
                ],
            }
        ],
        "create_time": history.paid,
        "update_time": history.updated,
        "status": _PACKAGE_STATUS.get(history.status, "PROCESSING"),
        "tracking_number": order["tracking_number"],
        "shipping_provider_name": order["shipping_provider"],
        "shipping_provider_id": order["shipping_provider_id"],
        "order_line_item_ids": [item["id"] for item in order["line_items"]],
    }


def package_detail(records: ShopRecords, package_id: str) -> dict[str, Any]:
    """Return one package. Here its id is ``package_id``, and its status ``package_status``.

    :raises Refusal: 21042007 when the shop has no such package.
    """
    table = packages(records)
    number = int(package_id) - _PACKAGES if package_id.isascii() and package_id.isdigit() else -1
    index = records.orders.index_of(str(576 * 10**15 + number)) if 0 <= number < 10**15 else None
    if index is None or index not in table.entries:
        raise refuse(21042007, "Package not found")
    package, order = table.entries[index].make(), records.order(index)
    address = order.get("recipient_address")
    return {
        **{name: value for name, value in package.items() if name not in {"id", "status"}},
        "package_id": package_id,
        "package_status": package["status"],
        "package_sub_status": "",
        "ship_exception_reason": "",
        "split_and_combine_tag": "NONE",
        "has_multi_skus": len({item["sku_id"] for item in order["line_items"]}) > 1,
        "note_tag": "",
        "shipping_type": order["shipping_type"],
        "delivery_option_name": order["delivery_option_name"],
        "delivery_option_id": order["delivery_option_id"],
        "last_mile_tracking_number": order["tracking_number"],
        "handover_method": "DROP_OFF",
        "pickup_slot": ABSENT,
        "recipient_address": _address(address) if address else ABSENT,
        "sender_address": {"region_code": records.region.code, "full_address": f"Example Yard, {records.region.code}"},
        "weight": {"value": "0.35", "unit": "KILOGRAM"},
        "dimension": {"length": "20", "width": "15", "height": "5", "unit": "CM"},
        "insurance": {"claim_status": "NOT_STARTED"},
        "biz_extension_tags": [],
        "warehouse_id": order["warehouse_id"],
    }


def _address(address: dict[str, Any]) -> dict[str, Any]:
    wanted = ("full_address", "phone_number", "name", "postal_code", "address_detail", "region_code")
    lines = tuple(f"address_line{number}" for number in range(1, 5))
    return {name: address[name] for name in wanted + lines}


def tracking(records: ShopRecords, order_id: str) -> list[dict[str, Any]]:
    """Return what happened to an order's parcel so far, newest first."""
    history = records.orders.history(find_order(records, order_id))
    events = [
        {
            "description": text,
            "update_time_millis": (history.reached[status] + later) * 1000,
            "action_code": code,
            "action_code_name": name,
            "tracking_no": records.order(history.index)["tracking_number"],
        }
        for status, later, code, text, name in _EVENTS
        if status in history.reached and history.reached[status] + later <= max(records.now, history.updated)
    ]
    return sorted(events, key=lambda event: -event["update_time_millis"])


def provider_of(records: ShopRecords) -> Table:
    """Return the carriers of the shop's market: the one of its orders, and one that no order uses."""
    writer = records.orders.writer
    return table_of(
        [
            {"id": writer.provider_id, "name": records.region.carrier},
            {"id": records.id("66", 77), "name": f"Other Carrier {records.region.code}"},
        ]
    )


def price_detail(records: ShopRecords, order_id: str) -> dict[str, Any]:
    """Return what an order costs, as a whole and by line item; the items add up to the whole."""
    order = records.order(find_order(records, order_id))
    payment, money, minor = order["payment"], records.money, records.minor
    currency = payment["currency"]
    rate = f"{records.region.tax_rate:.2f}" if records.region.tax_on_top else "0"
    items, count = [], len(order["line_items"])
    shipping = minor(payment["shipping_fee"])
    for place, item in enumerate(order["line_items"]):
        # What does not divide evenly goes with the first item.
        share = shipping // count + (shipping % count if place == 0 else 0)
        tax = sum(minor(part["tax_amount"]) for part in item["item_tax"])
        sale = minor(item["sale_price"])
        items.append(
            {
                "id": item["id"],
                "currency": currency,
                "total": money(sale + share + tax),
                "payment": money(sale + share + tax),
                "sku_list_price": item["original_price"],
                "sku_sale_price": item["sale_price"],
                "subtotal": item["sale_price"],
                "subtotal_deduction_seller": item["seller_discount"],
                "shipping_sale_price": money(share),
                "tax_amount": money(tax),
                "subtotal_tax_amount": money(tax),
                "tax_rate": rate,
                "seller_funded_product_promotions": [],
                "seller_funded_shipping_promotions": [],
            }
        )
    return {
        "currency": currency,
        "total": payment["total_amount"],
        "payment": payment["total_amount"],
        "sku_list_price": payment["original_total_product_price"],
        "sku_sale_price": payment["sub_total"],
        "subtotal": payment["sub_total"],
        "subtotal_deduction_seller": payment["seller_discount"],
        "subtotal_deduction_platform": payment["platform_discount"],
        "subtotal_tax_amount": payment["tax"],
        "shipping_list_price": payment["original_shipping_fee"],
        "shipping_sale_price": payment["shipping_fee"],
        "shipping_fee_deduction_platform": payment["shipping_fee_platform_discount"],
        "tax_amount": payment["tax"],
        "tax_rate": rate,
        "line_items": items,
    }


def external_id(records: ShopRecords, index: int, platform: str) -> str | None:
    """Return the id that a third platform gave to an order; one order in six came from Shopify."""
    if platform != "SHOPIFY" or records.bits(61, index) % 6:
        return None
    return f"SHOPIFY-{1001 + index}"
