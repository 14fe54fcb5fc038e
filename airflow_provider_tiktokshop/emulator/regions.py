"""What differs by market: currency, decimals, tax, addresses. All of it invented."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

__all__ = ["Region", "region_of"]

# code: currency, decimals, tax rate, tax on top, country, states, cities, dialling code, shipping fee in minor units, price scale
_MARKETS: dict[str, tuple[str, int, float, bool, str, str, str, str, int, int]] = {
    "GB": ("GBP", 2, 0.20, False, "United Kingdom", "England", "London", "+44", 399, 1),
    "US": ("USD", 2, 0.08, True, "United States", "California", "San Jose", "+1", 499, 1),
    "DE": ("EUR", 2, 0.19, False, "Deutschland", "Nordrhein-Westfalen", "Köln", "+49", 490, 1),
    "FR": ("EUR", 2, 0.20, False, "France", "Île-de-France", "Paris", "+33", 490, 1),
    "ES": ("EUR", 2, 0.21, False, "España", "Andalucía", "Málaga", "+34", 490, 1),
    "IT": ("EUR", 2, 0.22, False, "Italia", "Lombardia", "Milano", "+39", 490, 1),
    "IE": ("EUR", 2, 0.23, False, "Ireland", "Leinster", "Dublin", "+353", 490, 1),
    "MX": ("MXN", 2, 0.16, False, "México", "Jalisco", "Guadalajara", "+52", 5900, 20),
    "BR": ("BRL", 2, 0.17, False, "Brasil", "São Paulo", "São Paulo", "+55", 1490, 5),
    "JP": ("JPY", 0, 0.10, False, "日本", "東京都", "渋谷区", "+81", 600, 2),
    "ID": ("IDR", 0, 0.11, False, "Indonesia", "Jawa Barat", "Bandung", "+62", 12000, 150),
    "MY": ("MYR", 2, 0.06, False, "Malaysia", "Selangor", "Shah Alam", "+60", 590, 4),
    "PH": ("PHP", 2, 0.12, False, "Philippines", "Metro Manila", "Quezon City", "+63", 5500, 55),
    "SG": ("SGD", 2, 0.09, False, "Singapore", "Central", "Singapore", "+65", 299, 1),
    "TH": ("THB", 2, 0.07, False, "ประเทศไทย", "กรุงเทพมหานคร", "บางรัก", "+66", 4000, 35),
    "VN": ("VND", 0, 0.08, False, "Việt Nam", "Hà Nội", "Cầu Giấy", "+84", 22000, 250),
}
_ADDRESSES = 64


@dataclass(frozen=True, slots=True)
class Region:
    """One market. The ``*_fields`` are JSON members that only this market has, each followed by a comma."""

    code: str
    currency: str
    decimals: int
    tax_rate: float
    tax_on_top: bool
    shipping_fee: int
    scale: int
    carrier: str
    payment_method: str
    note: str
    order_fields: str
    payment_fields: str
    detail_fields: str
    addresses: tuple[str, ...]

    def money(self, minor: int) -> str:
        """Return an amount as the API does: a decimal string with the currency's decimals."""
        if self.decimals == 0:
            return str(minor)
        return f"{minor // 100}.{minor % 100:02d}"

    def price(self, bits: int) -> int:
        """Return a plausible price in minor units."""
        return (299 + bits % 40 * 100) * self.scale

    def address(self, buyer: int) -> str:
        """Return the recipient_address member of one of the shop's buyers, followed by a comma."""
        return self.addresses[buyer % _ADDRESSES]


def _members(**fields: object) -> str:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return text + "," if text else ""


def _address(code: str, country: str, state: str, city: str, dial: str, place: int) -> str:
    street = f"{place + 1} Example Street"
    initials = "ABCDEFGHJKLMNPRSTVW"
    first, last = initials[place % 19] + "**", initials[place // 3 % 19] + "**"
    districts = [("Country", country, "L0"), ("State", state, "L1"), ("City", city, "L2")]
    address: dict[str, object] = {
        "full_address": f"{country}, {state}, {city}, ***",
        "phone_number": f"({dial})**********{place:02d}",
        "name": f"{first} {last}",
        "first_name": first,
        "last_name": last,
        "address_detail": street,
        "address_line1": street,
        "address_line2": "",
        "address_line3": "",
        "address_line4": "",
        "district_info": [
            {"address_level_name": level_name, "address_name": name, "address_level": level}
            for level_name, name, level in districts
        ],
        "postal_code": f"{10000 + place * 37}",
        "region_code": code,
    }
    if code == "GB":
        address["post_town"] = city
    if code == "US":
        address["delivery_preferences"] = {"drop_off_location": "Front Door"}
    if code == "JP":
        address |= {"first_name_local_script": "ジ**", "last_name_local_script": "ド**"}
    return _members(recipient_address=address)


@cache
def region_of(code: str) -> Region:
    """Return what is particular to a market."""
    currency, decimals, tax_rate, on_top, country, state, city, dial, fee, scale = _MARKETS[code]
    order_fields: dict[str, object] = {
        "GB": {"commerce_platform": "TIKTOK_SHOP"},
        "BR": {"cpf": "000.000.000-00", "cpf_name": "J*** S***"},
        "ID": {"commerce_platform": "TIKTOK_SHOP", "fulfillment_priority_level": 600},
        "TH": {"fast_dispatch_sla_time": 0},
    }.get(code, {})  # type: ignore[assignment]
    payment_fields: dict[str, object] = {
        "US": {"retail_delivery_fee": "0.00", "item_insurance_fee": "0.00", "item_insurance_tax": "0.00"},
        "ID": {"buyer_service_fee": "0", "shipping_insurance_fee": "0", "handling_fee": "0"},
        "TH": {"small_order_fee": "0.00"},
    }.get(code, {})  # type: ignore[assignment]
    detail = {"payment_card_type": "Credit", "payment_method_code": "CCDC_VISA"}
    if code == "BR":
        detail |= {"channel_entity_national_registry_id": "00.000.000/0001-00", "payment_auth_code": "EMU000000"}
    return Region(
        code,
        currency,
        decimals,
        tax_rate,
        on_top,
        fee,
        scale,
        carrier=f"Example Carrier {code}",
        payment_method="Card",
        note="Please ship soon & merci & grüße",
        order_fields=_members(**order_fields),
        payment_fields=_members(**payment_fields),
        detail_fields=_members(**detail),
        addresses=tuple(_address(code, country, state, city, dial, place) for place in range(_ADDRESSES)),
    )
