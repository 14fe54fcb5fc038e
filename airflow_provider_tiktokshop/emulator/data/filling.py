"""Completes a row: what is known of it as it is, every other documented field with a plausible value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.ids import mix
from airflow_provider_tiktokshop.emulator.shapes import documented_names

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.regions import Region

__all__ = ["ABSENT", "Filler", "hash_of"]


class _Absent:
    """Marks a documented field that this row does not have."""


ABSENT = _Absent()

_MONEY = (
    "amount", "fee", "price", "gmv", "tax", "subsidy", "commission", "discount", "reimbursement", "total", "cost",
    "revenue", "refund", "incentive", "deduction", "subtotal", "payment", "commission_deposit", "value",
)  # fmt: skip
_LINKS = ("url", "uri", "avatar", "image", "cover", "link", "urls", "thumb_url")
_RATES = ("rate", "ratio", "ctr", "percentage", "ctor", "percent")


@cache
def _nature(name: str, kind: str) -> str:
    last = name.rsplit("_", 1)[-1]
    if kind in {"date", "datetime", "bool"}:
        return kind
    if kind == "int":
        if "millis" in name:
            return "millis"
        return (
            "time" if last in {"time", "timestamp", "deadline"} else "size" if last in {"width", "height"} else "count"
        )
    if last in {"id", "ids"}:
        return "id"
    if last == "currency":
        return "currency"
    if last in {"region", "country"} or name.endswith(("region_code", "country_code", "target_market")):
        return "region"
    if last == "date":
        return "date"
    if last in {"time", "timestamp"}:
        return "time text"
    if last in _RATES:
        return "rate"
    if last in _LINKS:
        return "link"
    if last in _MONEY:
        return "money"
    if last in {"count", "quantity", "cnt", "num", "number", "views", "likes", "comments", "shares"}:
        return "count text"
    return "text"


@dataclass(slots=True)
class Filler:
    """Fills rows for one market.

    :param moment: what times are that nothing is known of, in Unix seconds.
    """

    region: Region
    moment: int
    salt: int = 0

    def fill(self, shape: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return a row with every documented field, in the documented types, and no other.

        A known field that this version does not document is left out.

        :raises KeyError: a known field is documented nowhere.
        """
        row: dict[str, Any] = {}
        for name, kind in shape.items():
            if name not in known:
                row[name] = self._make(name, kind)
            elif known[name] is not ABSENT:
                row[name] = self._fit(name, kind, known[name])
        if len(row) < len(known):
            for name in known.keys() - shape.keys():
                if name not in documented_names():
                    raise KeyError(f"no endpoint documents a field {name!r}")
        return row

    def _fit(self, name: str, kind: Any, value: Any) -> Any:
        if isinstance(kind, dict) and isinstance(value, dict):
            return self.fill(kind, value)
        if isinstance(kind, list) and isinstance(value, list):
            return [self._fit(name, kind[0], item) for item in value]
        if isinstance(kind, (dict, list)) or isinstance(value, (dict, list)):
            # Another version has a field of that name and of another kind.
            return self._make(name, kind)
        if kind == "string" and type(value) is int:
            return str(value)
        if kind == "int" and type(value) is str:
            return int(value)
        return value

    def _make(self, name: str, kind: Any) -> Any:
        if isinstance(kind, dict):
            return self.fill(kind, {})
        if isinstance(kind, list):
            return [self._make(name, kind[0])]
        nature = _nature(name, kind)
        if nature == "money":
            return self.region.money(0)
        if nature == "time":
            return self.moment
        bits = mix(self.salt ^ hash_of(name))
        if nature == "id":
            return f"74{bits % 10**17:017d}"
        if nature == "text":
            return f"Example {name.rsplit('_', 1)[-1]}"
        return self._rare(nature, bits)

    def _rare(self, nature: str, bits: int) -> Any:
        moment = datetime.fromtimestamp(self.moment, UTC)
        return {
            "bool": False,
            "currency": self.region.currency,
            "region": self.region.code,
            "date": moment.date().isoformat(),
            "datetime": moment.isoformat().replace("+00:00", "Z"),
            "time text": str(self.moment),
            "millis": self.moment * 1000,
            "size": 100,
            "count": bits % 20,
            "count text": str(bits % 20),
            "rate": f"0.{bits % 90 + 10}",
            "link": f"https://images.example.com/emulator/{bits % 10**6}.jpeg",
        }[nature]


@lru_cache(4096)
def hash_of(name: str) -> int:
    """Return bits that depend on a name only (Python's own hash differs from process to process)."""
    value = 0
    for byte in name.encode():
        value = mix(value ^ byte)
    return value
