"""Whose data an answer is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Account, Asset, Shop
    from airflow_provider_tiktokshop.emulator.call import Call
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["Scope", "dig"]


def dig(tree: dict[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or None."""
    value: Any = tree
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


@dataclass(frozen=True, slots=True)
class Scope:
    """A user, the shop or asset asked about, and every parameter: path, query and body together."""

    world: World
    account: Account
    shops: list[Shop]
    shop: Shop | None
    asset: Asset | None
    params: dict[str, Any]

    @classmethod
    def of(cls, world: World, call: Call) -> Scope:
        """Return the scope of a call."""
        params = {**call.body, **call.query, **call.path_params}
        return cls(world, call.account, call.shops, call.shop, call.asset, params)

    @property
    def records(self) -> ShopRecords:
        """The records of the shop asked about; for endpoints without a shop those of the user's first one.

        :raises Refusal: 106013 when there is no shop at all.
        """
        shop = self.shop or next(iter(self.shops), None)
        if shop is None:
            raise refuse(106013)
        return self.world.records(shop)

    def text(self, name: str) -> str:
        """Return a parameter as text."""
        return str(self.params.get(name, ""))
