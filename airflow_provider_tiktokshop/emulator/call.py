"""A request as it arrived: raw bytes first, because that is what a signature covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Account, Asset, Shop
    from airflow_provider_tiktokshop.emulator.facts import Endpoint

__all__ = ["Call", "Received"]


@dataclass(slots=True)
class Received:
    """One HTTP request."""

    method: str
    path: str
    query_string: bytes
    headers: dict[str, str]
    body: bytes

    def pairs(self) -> list[tuple[str, str]]:
        """Return the decoded query in the order sent.

        :raises Refusal: 36009004 for a query that is no UTF-8, or that repeats a name.
        """
        pairs: list[tuple[str, str]] = []
        try:
            for item in self.query_string.split(b"&"):
                if item:
                    raw_name, _, raw_value = item.partition(b"=")
                    pairs.append((_decode(raw_name), _decode(raw_value)))
        except UnicodeDecodeError:
            raise refuse(36009004, "Invalid query encoding") from None
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise refuse(36009004, f"Duplicate '{name}'")
        return pairs


def _decode(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")


@dataclass(slots=True)
class Call:
    """A request that passed every access check, ready for a handler."""

    received: Received
    endpoint: Endpoint
    path_params: dict[str, str]
    account: Account
    shops: list[Shop]
    shop: Shop | None
    asset: Asset | None
    query: dict[str, Any]
    body: dict[str, Any]

    def needed_shop(self) -> Shop:
        """Return the shop of an endpoint that cannot do without.

        :raises Refusal: 106013 when there is none.
        """
        if self.shop is None:
            raise refuse(106013)
        return self.shop
