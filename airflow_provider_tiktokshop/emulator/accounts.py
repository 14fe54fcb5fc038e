"""Who uses the app: sellers with shops, creators, partners with category assets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_provider_tiktokshop.emulator.ids import digest, number, word

__all__ = ["SELLER", "Account", "Asset", "Shop", "build_accounts"]

SELLER, CREATOR, PARTNER = 0, 1, 3
_REGIONS = ("GB", "US", "DE", "FR", "ES", "IT", "ID", "TH", "MY", "PH", "VN", "SG", "MX", "BR", "JP", "IE")


@dataclass(slots=True)
class Shop:
    """A shop; ``number`` is its place among all shops and part of its order ids."""

    number: int
    id: str
    name: str
    region: str
    seller_type: str
    cipher: str
    code: str
    active: bool = True

    def public(self) -> dict[str, str]:
        """Return it as Get Authorized Shops does."""
        return {
            "id": self.id,
            "name": self.name,
            "region": self.region,
            "seller_type": self.seller_type,
            "cipher": self.cipher,
            "code": self.code,
        }


@dataclass(slots=True)
class Asset:
    """A category asset of a partner."""

    cipher: str
    target_market: str
    category_id: int
    category_name: str

    def public(self) -> dict[str, Any]:
        """Return it as Get Authorized Category Assets does."""
        return {
            "cipher": self.cipher,
            "target_market": self.target_market,
            "category": {"id": self.category_id, "name": self.category_name},
        }


@dataclass(slots=True)
class Account:
    """A user who can consent."""

    open_id: str
    user_type: int
    name: str
    region: str
    scopes: tuple[str, ...]
    shops: list[Shop] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    active: bool = True


def build_accounts(
    seed: int, sellers: int, shops_per_seller: int, creators: int, partners: int, scopes: dict[int, tuple[str, ...]]
) -> list[Account]:
    """Return every account of this seed. The first ones stay the same when more are asked for."""
    accounts: list[Account] = []
    for index in range(sellers):
        shops = [_shop(seed, index, place, shops_per_seller) for place in range(shops_per_seller)]
        region = shops[0].region if shops else _REGIONS[0]
        name = f"Example Seller {index + 1}"
        accounts.append(Account(_open_id(seed, "seller", index), SELLER, name, region, scopes[SELLER], shops))
    accounts.extend(
        Account(_open_id(seed, "creator", index), CREATOR, "", "US", scopes[CREATOR]) for index in range(creators)
    )
    for index in range(partners):
        assets = [
            Asset("EMU_ASSET_" + word(28, seed, "asset", index, place), market, 1001 + place, "AFFILIATE_CREATOR")
            for place, market in enumerate(("US", "GB"))
        ]
        name = f"Example Partner {index + 1}"
        accounts.append(Account(_open_id(seed, "partner", index), PARTNER, name, "US", scopes[PARTNER], assets=assets))
    return accounts


def _open_id(seed: int, kind: str, index: int) -> str:
    return "EMU_" + word(28, seed, "open_id", kind, index)


def _shop(seed: int, seller: int, place: int, shops_per_seller: int) -> Shop:
    local = shops_per_seller == 1
    # A seller's place in the list of regions depends on the seed only, so that adding sellers changes nobody.
    start = 0 if seller == 0 else digest(seed, "region", seller)[0]
    region = _REGIONS[(start + place) % len(_REGIONS)]
    shop_id = number(19, "7", seed, "shop", seller, place)
    kind = "LC" if local else "CB"
    return Shop(
        number=seller * 100 + place,
        id=shop_id,
        name=f"Example Shop {seller + 1} {region}" + (f" {place + 1}" if place >= len(_REGIONS) else ""),
        region=region,
        seller_type="LOCAL" if local else "CROSS_BORDER",
        cipher="EMU_" + word(36, seed, "cipher", seller, place),
        code=f"{region}{kind}{word(8, seed, 'code', seller, place).upper()}",
    )
