"""Warehouses of a shop and how they ship."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.tables import Table, table_of
from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords

__all__ = ["delivery_options", "find_option", "find_warehouse", "warehouses"]


def warehouses(records: ShopRecords) -> Table:
    """Return the shop's warehouses: those that its orders ship from, and one for returns."""

    def row(warehouse_id: str, place: int) -> dict[str, Any]:
        address = json.loads("{" + records.region.address(place)[:-1] + "}")["recipient_address"]
        country, state, city = (level["address_name"] for level in address["district_info"])
        return {
            "id": warehouse_id,
            "entity_id": records.id("7068", 29, place),
            "name": f"Example Warehouse {place + 1}",
            "effect_status": "ENABLED",
            "type": "SALES_WAREHOUSE" if place < len(records.orders.writer.warehouses) else "RETURN_WAREHOUSE",
            "sub_type": "DOMESTIC_WAREHOUSE",
            "is_default": place == 0,
            "address": {
                "region": country,
                "state": state,
                "city": city,
                "distict": "",
                "town": "",
                "contact_person": address["name"],
                "postal_code": address["postal_code"],
                "full_address": address["full_address"],
                "region_code": records.region.code,
                "phone_number": address["phone_number"],
                "address_line1": address["address_line1"],
                "geolocation": {"latitude": "0.0", "longitude": "0.0"},
            },
        }

    ids = (*records.orders.writer.warehouses, records.id("7", 30))
    return records.fixed("warehouses", lambda: table_of([row(one, place) for place, one in enumerate(ids)]))


def delivery_options(records: ShopRecords) -> Table:
    """Return how the shop's warehouses ship: the option that its orders have, and one that none has."""
    options = ((records.orders.writer.delivery_option, "STANDARD"), (records.id("70", 31), "EXPRESS"))
    rows = [
        {
            "id": option,
            "name": f"{kind.title()} Shipping",
            "type": kind,
            "description": "",
            "dimension_limit": {"max_height": 60, "max_length": 60, "max_width": 60, "unit": "CM"},
            "weight_limit": {"max_weight": 20000, "min_weight": 0, "unit": "GRAM"},
            "platform": ["TIKTOK_SHOP"],
        }
        for option, kind in options
    ]
    return records.fixed("delivery options", lambda: table_of(rows))


def find_warehouse(records: ShopRecords, warehouse_id: str) -> None:
    """Check that the shop has a warehouse.

    :raises Refusal: 36009004 when it has not.
    """
    if warehouse_id not in {entry.make()["id"] for entry in warehouses(records).entries.values()}:
        raise refuse(36009004, "Invalid 'warehouse_id'")


def find_option(records: ShopRecords, option_id: str) -> None:
    """Check that the shop has a delivery option.

    :raises Refusal: 36009004 when it has not.
    """
    if option_id not in {entry.make()["id"] for entry in delivery_options(records).entries.values()}:
        raise refuse(36009004, "Invalid 'delivery_option_id'")
