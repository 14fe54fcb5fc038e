"""Control of single users: their tokens, shops and scopes, and whether they are still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request

from airflow_provider_tiktokshop.emulator.control import json_object
from airflow_provider_tiktokshop.emulator.ids import fingerprint, word

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Account
    from airflow_provider_tiktokshop.emulator.state import Emulator, World

__all__ = ["accounts_router"]

_CHANGES = {
    "active",
    "deauthorize",
    "expire_access",
    "expire_refresh",
    "granted_scopes",
    "inactive_shop_ids",
    "new_ciphers",
    "refresh_expires_at",
    "revoke_access",
    "shop_ids",
}


def accounts_router(emulator: Emulator) -> APIRouter:
    """Return the routes under ``/_emulator/accounts``."""
    router = APIRouter(prefix="/_emulator/accounts")

    @router.get("")
    async def accounts() -> dict[str, Any]:
        world = emulator.world
        return {"accounts": [_describe(world, account) for account in world.accounts.values()]}

    @router.get("/{open_id}")
    async def account(open_id: str) -> dict[str, Any]:
        return _describe(emulator.world, _find(emulator.world, open_id))

    @router.post("/{open_id}")
    async def change(open_id: str, request: Request) -> dict[str, Any]:
        world, changes = emulator.world, await json_object(request)
        found = _find(world, open_id)
        if set(changes) - _CHANGES:
            raise HTTPException(422, f"there are: {', '.join(sorted(_CHANGES))}")
        _change_account(world, found, changes)
        _change_grants(world, found, changes)
        return _describe(world, found)

    return router


def _find(world: World, open_id: str) -> Account:
    account = world.accounts.get(open_id)
    if account is None:
        raise HTTPException(404, f"no account {open_id!r}")
    return account


def _change_account(world: World, account: Account, changes: dict[str, Any]) -> None:
    if "active" in changes:
        account.active = bool(changes["active"])
    if "inactive_shop_ids" in changes:
        for shop in account.shops:
            shop.active = shop.id not in changes["inactive_shop_ids"]
    if changes.get("new_ciphers"):
        for shop in account.shops:
            del world.shop_by_cipher[shop.cipher]
            shop.cipher = "EMU_" + word(36, "new cipher", shop.cipher)
            world.shop_by_cipher[shop.cipher] = shop
    if changes.get("deauthorize"):
        world.tokens.revoke(account.open_id)


def _change_grants(world: World, account: Account, changes: dict[str, Any]) -> None:
    desk, now = world.tokens, int(world.clock.now())
    for grant in desk.grants.get(account.open_id, ()):
        grant.scopes = tuple(changes.get("granted_scopes", grant.scopes))
        grant.shop_ids = tuple(changes.get("shop_ids", grant.shop_ids))
        grant.expires_at = int(changes.get("refresh_expires_at", grant.expires_at))
    for access in desk.access.values():
        if access.grant.account is account:
            access.revoked = access.revoked or bool(changes.get("revoke_access"))
            access.expires_at = now if changes.get("expire_access") else access.expires_at
    for refresh in desk.refresh.values():
        if refresh.grant.account is account:
            if changes.get("expire_refresh"):
                refresh.expires_at = refresh.grant.expires_at = now
            elif "refresh_expires_at" in changes:
                refresh.expires_at = refresh.grant.expires_at


def _describe(world: World, account: Account) -> dict[str, Any]:
    return {
        "open_id": account.open_id,
        "user_type": account.user_type,
        "name": account.name,
        "region": account.region,
        "active": account.active,
        "shops": [{**shop.public(), "active": shop.active} for shop in account.shops],
        "category_assets": [asset.public() for asset in account.assets],
        "tokens": [
            {
                "access_token": token.access.value,
                "access_token_expire_in": token.access.expires_at,
                "access_token_usable": not token.access.revoked and world.clock.now() < token.access.expires_at,
                "refresh_token": token.value,
                "refresh_token_expire_in": token.expires_at,
                "refresh_token_fingerprint": fingerprint(token.value),
                "granted_scopes": list(token.grant.scopes),
                "shop_ids": list(token.grant.shop_ids),
            }
            for token in world.tokens.current(account.open_id)
        ],
    }
