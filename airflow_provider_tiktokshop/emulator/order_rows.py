"""One order as JSON: the fields of the official response sample, written by hand so that a page costs little."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.emulator.ids import mix, number
from airflow_provider_tiktokshop.emulator.order_life import BUYERS
from airflow_provider_tiktokshop.emulator.regions import Region, region_of
from airflow_provider_tiktokshop.emulator.skus import SOLD_SKUS, sku_facts

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Shop
    from airflow_provider_tiktokshop.emulator.order_life import Life

__all__ = ["OrderWriter"]

_DAY = 86400
_PACKAGE_STATUS = {
    "AWAITING_COLLECTION": "PROCESSING",
    "IN_TRANSIT": "FULFILLING",
    "DELIVERED": "COMPLETED",
    "COMPLETED": "COMPLETED",
    "CANCELLED": "CANCELLED",
}
_REASONS = {
    "": "",
    "BUYER": "ecom_order_no_longer_needed",
    "SYSTEM": "ecom_order_payment_overdue",
    "SELLER": "ecom_order_out_of_stock",
}


class _Amounts(dict[int, str]):
    """Amounts as the API writes them, each formatted once: a page needs hundreds, and they repeat."""

    def __init__(self, region: Region) -> None:
        super().__init__()
        self._region = region

    def __missing__(self, minor: int) -> str:
        text = self[minor] = self._region.money(minor)
        return text


@dataclass(slots=True)
class _Sku:
    price: int
    off: int
    tax: int
    # The JSON members that are the same in each line item of this SKU, at full price and at a discount.
    full: str
    reduced: str


class OrderWriter:
    """Writes the orders of one shop."""

    def __init__(self, seed: int, shop: Shop) -> None:
        self.shop = shop
        self.region: Region = region_of(shop.region)
        self._salt = mix(seed ^ shop.number)
        self.warehouses = tuple(number(19, "7", seed, "warehouse", shop.id, place) for place in range(3))
        self.provider_id = number(19, "66", seed, "provider", shop.region)
        self.delivery_option = number(19, "70", seed, "delivery option", shop.region)
        zero = self.region.money(0)
        self._skus = tuple(self._sku(seed, place) for place in range(SOLD_SKUS))
        self._amounts = _Amounts(self.region)
        self._buyers = tuple(
            f'"user_id":"{self.buyer_id(buyer)}","buyer_email":"emu{buyer:04d}@chat.seller.example",'
            for buyer in range(BUYERS)
        )
        # What does not differ between the orders of a shop is put together once.
        self._constant = (
            f'"seller_note":"","fulfillment_type":"FULFILLMENT_BY_SELLER","delivery_type":"HOME_DELIVERY",'
            f'"delivery_option_id":"{self.delivery_option}","delivery_option_name":"Standard Shipping","is_cod":false,'
            f'"payment_method_name":"{self.region.payment_method}","is_sample_order":false,"is_replacement_order":false,'
            f'"is_exchange_order":false,"has_updated_recipient_address":false,"need_upload_invoice":"NO_NEED",'
            + self.region.order_fields
        )
        self._payment = (
            f'"payment":{{"currency":"{self.region.currency}","platform_discount":"{zero}",'
            f'"shipping_fee_seller_discount":"{zero}","shipping_fee_cofunded_discount":"{zero}","shipping_fee_tax":"{zero}",'
            + self.region.payment_fields
        )

    def buyer_id(self, buyer: int) -> str:
        """Return the user id of one of the shop's buyers."""
        return f"70{mix(self._salt ^ buyer) % 10**17:017d}"

    def write(
        self, order_id: int, life: Life, stage: int, times: tuple[int, ...], updated: int, *, detail: bool
    ) -> bytes:
        """Return the JSON of an order as it stands in ``stage`` of its life.

        :param times: when each stage began.
        :param updated: its ``update_time``.
        :param detail: add what only order detail returns.
        """
        region, bits = self.region, life.bits
        status, created = life.statuses[stage], times[0]
        reached = dict(zip(life.statuses[: stage + 1], times, strict=False))
        paid = reached.get("ON_HOLD") or reached.get("AWAITING_SHIPMENT")
        shipped, cancelled = reached.get("AWAITING_COLLECTION"), reached.get("CANCELLED")
        asked = cancelled is not None and life.buyer_asks_to_cancel
        initiator = "" if not cancelled else "BUYER" if asked else "SELLER" if paid else "SYSTEM"
        reason = _REASONS[initiator]
        package = f"1152{order_id % 10**15:015d}" if paid and not cancelled else ""
        tracking, provider, provider_id = "", "", ""
        if shipped:
            tracking = f"EMU{order_id % 10**11:011d}{region.code}"
            provider, provider_id = region.carrier, self.provider_id
        items, original, discount, tax = self._line_items(
            order_id,
            life,
            status,
            f'"cancel_reason":"{reason}","cancel_user":"{initiator}","rts_time":{shipped or 0},'
            f'"package_status":"{_PACKAGE_STATUS.get(status, "TO_FULFILL")}","package_id":"{package}",'
            f'"shipping_provider_id":"{provider_id}","shipping_provider_name":"{provider}","tracking_number":"{tracking}"}}',
        )
        since = f'"paid_time":{paid},' if paid else ""
        if shipped:
            since += f'"rts_time":{shipped},'
            if "IN_TRANSIT" in reached:
                since += f'"collection_time":{reached["IN_TRANSIT"]},'
            if "DELIVERED" in reached:
                since += f'"delivery_time":{reached["DELIVERED"]},'
        if cancelled:
            since += f'"cancel_time":{cancelled},"cancel_reason":"{reason}","cancellation_initiator":"{initiator}",'
            if asked:
                since += f'"request_cancel_time":{cancelled - 60},'
        address = region.address(life.buyer) if status not in {"UNPAID", "ON_HOLD"} else ""
        due = created + 3 * _DAY
        text = (
            f'{{"id":"{order_id}","status":"{status}","order_type":"NORMAL","create_time":{created},'
            f'"update_time":{updated},{since}{self._buyers[life.buyer]}'
            f'"buyer_message":"{region.note if bits >> 54 & 7 == 0 else ""}",{self._constant}'
            f'"shipping_type":"{life.shipping_type}","shipping_provider":"{provider}",'
            f'"shipping_provider_id":"{provider_id}","tracking_number":"{tracking}",'
            f'{region.detail_fields if detail else ""}"is_on_hold_order":{"true" if status == "ON_HOLD" else "false"},'
            f'"is_buyer_request_cancel":{"true" if asked else "false"},"warehouse_id":"{self.warehouses[life.warehouse]}",'
            f'"rts_sla_time":{due - _DAY},"tts_sla_time":{due},"cancel_order_sla_time":{due + 4 * _DAY},'
            f'"shipping_due_time":{due},"collection_due_time":{due + _DAY},"delivery_due_time":{due + 7 * _DAY},'
            f'"delivery_sla_time":{due + 6 * _DAY},{self._money_members(bits, original, discount, tax)}{address}"packages":['
        )
        packages = f'{{"id":"{package}"}}' if package else ""
        return f'{text}{packages}],"line_items":[{items}]}}'.encode()

    def _line_items(self, order_id: int, life: Life, status: str, rest: str) -> tuple[str, int, int, int]:
        bits, first = life.bits, 577_000_000_000_000_000 + order_id % 10**14 * 10
        reduced = bits >> 50 & 3 == 0
        shown = status
        original = discount = tax = 0
        items: list[str] = []
        for unit in range(life.units):
            # Units in pairs are of one SKU: there is no quantity, each unit is an item of its own.
            sku = self._skus[(bits >> 16 + unit // 2 * 5) % SOLD_SKUS]
            original += sku.price
            discount += sku.off if reduced else 0
            tax += sku.tax
            if status == "PARTIALLY_SHIPPING":
                shown = "AWAITING_SHIPMENT" if unit else "AWAITING_COLLECTION"
            members = sku.reduced if reduced else sku.full
            items.append(f'{{"id":"{first + unit}",{members},"display_status":"{shown}",{rest}')
        return ",".join(items), original, discount, tax

    def _money_members(self, bits: int, original: int, discount: int, tax: int) -> str:
        region, amounts = self.region, self._amounts
        fee = region.shipping_fee
        fee_off = fee if bits >> 52 & 3 == 0 else 0
        total = original - discount + fee - fee_off + tax
        taxes = amounts[tax]
        return (
            f'{self._payment}"sub_total":"{amounts[original - discount]}","shipping_fee":"{amounts[fee - fee_off]}",'
            f'"seller_discount":"{amounts[discount]}","shipping_fee_platform_discount":"{amounts[fee_off]}",'
            f'"original_total_product_price":"{amounts[original]}","original_shipping_fee":"{amounts[fee]}",'
            f'"tax":"{taxes}","product_tax":"{taxes}","total_amount":"{amounts[total]}"}},'
        )

    def _sku(self, seed: int, place: int) -> _Sku:
        region = self.region
        facts = sku_facts(seed, self.shop, region, place)
        price, off, tax = facts.price, facts.off, facts.tax
        members = {
            "sku_id": facts.sku_id,
            "product_id": facts.product_id,
            "product_name": facts.product_name,
            "sku_name": facts.sku_name,
            "seller_sku": facts.seller_sku,
            "sku_image": facts.image,
            "sku_type": "NORMAL",
            "currency": region.currency,
            "original_price": region.money(price),
            "platform_discount": region.money(0),
            "is_gift": False,
            "is_dangerous_good": False,
            "item_tax": [
                {"tax_type": "SALES_TAX", "tax_amount": region.money(tax), "tax_rate": f"{region.tax_rate:.2f}"}
            ],
        }
        full = members | {"sale_price": region.money(price), "seller_discount": region.money(0)}
        reduced = members | {"sale_price": region.money(price - off), "seller_discount": region.money(off)}
        return _Sku(price, off, tax, _inner(full), _inner(reduced))


def _inner(members: dict[str, object]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1]
