"""One order as JSON: the fields of the official response sample, written by hand so that a page costs little."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.emulator.ids import mix, number
from airflow_provider_tiktokshop.emulator.regions import Region, region_of

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Shop
    from airflow_provider_tiktokshop.emulator.order_life import Life

__all__ = ["OrderWriter"]

_DAY = 86400
_SKUS = 40
_NAMES = ("T-Shirt", "Phone Case", "Lip Gloss", "Yoga Mat", "Water Bottle", "Desk Lamp", "Socks, 3 pairs", "Hair Clip")
_COLOURS = ("Blue", "Black", "Rosé", "Green", "White")
_STAGE = {
    "AWAITING_COLLECTION": 1,
    "PARTIALLY_SHIPPING": 1,
    "IN_TRANSIT": 2,
    "DELIVERED": 3,
    "COMPLETED": 4,
}
_PACKAGE = ("TO_FULFILL", "PROCESSING", "FULFILLING", "COMPLETED", "COMPLETED")


@dataclass(frozen=True, slots=True)
class _Sku:
    fixed: str  # the JSON members that are the same in each line item of this SKU
    price: int
    tax: int


class OrderWriter:
    """Writes the orders of one shop."""

    def __init__(self, seed: int, shop: Shop) -> None:
        self.shop = shop
        self.region: Region = region_of(shop.region)
        self._salt = mix(seed ^ shop.number)
        self.warehouses = tuple(number(19, "7", seed, "warehouse", shop.id, place) for place in range(3))
        self._provider = number(19, "66", seed, "provider", shop.region)
        self._option = number(19, "70", seed, "delivery option", shop.region)
        self._skus = tuple(self._sku(seed, place) for place in range(_SKUS))

    def buyer_id(self, buyer: int) -> str:
        """Return the user id of one of the shop's buyers."""
        return f"70{mix(self._salt ^ buyer) % 10**17:017d}"

    def write(
        self, order_id: int, life: Life, stage: int, times: tuple[int, ...], updated: int, *, detail: bool
    ) -> bytes:
        """Return the JSON of an order as it stands in ``stage`` of its life.

        :param times: when each stage began, up to ``stage``.
        :param updated: its ``update_time``.
        :param detail: add what only order detail returns.
        """
        region, money = self.region, self.region.money
        status, bits, created = life.statuses[stage], life.bits, times[0]
        reached = dict(zip(life.statuses, times[: stage + 1], strict=False))
        paid = reached.get("AWAITING_SHIPMENT") or reached.get("ON_HOLD")
        shipped = reached.get("AWAITING_COLLECTION")
        collected, delivered = reached.get("IN_TRANSIT"), reached.get("DELIVERED")
        cancelled = reached.get("CANCELLED")
        progress = _STAGE.get(status, 0)
        package = f"1152{order_id % 10**15:015d}" if paid and not (cancelled and not shipped) else ""
        tracking = f"EMU{order_id % 10**11:011d}{self.shop.region}" if shipped else ""
        provider = region.carrier if shipped else ""
        initiator = ("BUYER" if life.buyer_asks_to_cancel else "SYSTEM" if not paid else "SELLER") if cancelled else ""
        reason = {"BUYER": "ecom_order_no_longer_needed", "SYSTEM": "ecom_order_payment_overdue"}.get(
            initiator, "ecom_order_out_of_stock" if cancelled else ""
        )
        lines: list[str] = []
        original = discount = tax = 0
        base_line = 577_000_000_000_000_000 + order_id % 10**14 * 10
        for unit in range(life.units):
            sku = self._skus[(bits >> 16 + unit // 2 * 5) % _SKUS]
            off = sku.price // 10 if bits >> 50 & 3 == 0 else 0
            original += sku.price
            discount += off
            tax += sku.tax
            line_status = "AWAITING_SHIPMENT" if status == "PARTIALLY_SHIPPING" and unit else status
            lines.append(
                f'{{"id":"{base_line + unit}",{sku.fixed},"display_status":"{line_status}",'
                f'"sale_price":"{money(sku.price - off)}","seller_discount":"{money(off)}","platform_discount":"{money(0)}",'
                f'"cancel_reason":"{reason}","cancel_user":"{initiator}","rts_time":{shipped or 0},'
                f'"package_status":"{"CANCELLED" if cancelled else _PACKAGE[progress]}","package_id":"{package}",'
                f'"shipping_provider_id":"{self._provider if shipped else ""}","shipping_provider_name":"{provider}",'
                f'"tracking_number":"{tracking}"}}'
            )
        fee = region.shipping_fee
        fee_off = fee if bits >> 52 & 3 == 0 else 0
        sub_total = original - discount
        total = sub_total + fee - fee_off + (tax if region.tax_on_top else 0)
        buyer = life.buyer
        address = region.address(buyer) if status not in {"UNPAID", "ON_HOLD"} else ""
        due = created + 3 * _DAY
        note = region.note if bits >> 54 & 7 == 0 else ""
        since = "".join(
            f'"{name}":{moment},'
            for name, moment in (
                ("paid_time", paid),
                ("rts_time", shipped),
                ("collection_time", collected),
                ("delivery_time", delivered),
                ("cancel_time", cancelled),
                ("request_cancel_time", cancelled - 60 if cancelled and life.buyer_asks_to_cancel else None),
            )
            if moment
        )
        if cancelled:
            since += f'"cancel_reason":"{reason}","cancellation_initiator":"{initiator}",'
        packages = f'{{"id":"{package}"}}' if package else ""
        text = (
            f'{{"id":"{order_id}","status":"{status}","order_type":"NORMAL","create_time":{created},'
            f'"update_time":{updated},{since}"user_id":"{self.buyer_id(buyer)}",'
            f'"buyer_email":"emu{buyer:04d}@chat.seller.example","buyer_message":"{note}",'
            f'"seller_note":"","fulfillment_type":"FULFILLMENT_BY_SELLER","delivery_type":"HOME_DELIVERY",'
            f'"delivery_option_id":"{self._option}","delivery_option_name":"Standard Shipping",'
            f'"shipping_type":"{life.shipping_type}","shipping_provider":"{provider}",'
            f'"shipping_provider_id":"{self._provider if shipped else ""}","tracking_number":"{tracking}",'
            f'"payment_method_name":"{region.payment_method}",{region.detail_fields if detail else ""}"is_cod":false,'
            f'"is_sample_order":false,"is_on_hold_order":{"true" if status == "ON_HOLD" else "false"},'
            f'"is_replacement_order":false,"is_exchange_order":false,'
            f'"is_buyer_request_cancel":{"true" if cancelled and life.buyer_asks_to_cancel else "false"},'
            f'"has_updated_recipient_address":false,"need_upload_invoice":"NO_NEED",'
            f'"warehouse_id":"{self.warehouses[life.warehouse]}",{region.order_fields}'
            f'"rts_sla_time":{created + 2 * _DAY},"tts_sla_time":{due},"cancel_order_sla_time":{created + 7 * _DAY},'
            f'"shipping_due_time":{due},"collection_due_time":{due + _DAY},"delivery_due_time":{due + 7 * _DAY},'
            f'"delivery_sla_time":{due + 6 * _DAY},'
            f'"payment":{{"currency":"{region.currency}","sub_total":"{money(sub_total)}",'
            f'"shipping_fee":"{money(fee - fee_off)}","seller_discount":"{money(discount)}","platform_discount":"{money(0)}",'
            f'"shipping_fee_seller_discount":"{money(0)}","shipping_fee_platform_discount":"{money(fee_off)}",'
            f'"shipping_fee_cofunded_discount":"{money(0)}","original_total_product_price":"{money(original)}",'
            f'"original_shipping_fee":"{money(fee)}","tax":"{money(tax)}","product_tax":"{money(tax)}",'
            f'"shipping_fee_tax":"{money(0)}",{region.payment_fields}"total_amount":"{money(total)}"}},'
            f'{address}"packages":[{packages}],"line_items":[{",".join(lines)}]}}'
        )
        return text.encode()

    def _sku(self, seed: int, place: int) -> _Sku:
        region = self.region
        price = region.price(mix(self._salt ^ place << 20))
        tax = int(price * region.tax_rate) if region.tax_on_top else 0
        name, colour = _NAMES[place // len(_COLOURS) % len(_NAMES)], _COLOURS[place % len(_COLOURS)]
        members = {
            "sku_id": number(19, "1729", seed, "sku", self.shop.id, place),
            "product_id": number(19, "1729", seed, "product", self.shop.id, place // len(_COLOURS)),
            "product_name": f"Example {name}",
            "sku_name": f"{colour}, M",
            "seller_sku": f"EMU-{place // len(_COLOURS):02d}-{colour[:3].upper()}",
            "sku_image": f"https://images.example.com/emulator/{self.shop.id}/{place}/1080x1080.jpeg",
            "sku_type": "NORMAL",
            "currency": region.currency,
            "original_price": region.money(price),
            "is_gift": False,
            "is_dangerous_good": False,
            "needs_prescription": False,
            "handling_duration_days": "2",
            "item_tax": [
                {"tax_type": "SALES_TAX", "tax_amount": region.money(tax), "tax_rate": f"{region.tax_rate:.2f}"}
            ],
        }
        return _Sku(json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1], price, tax)
