"""The checks between a request and its answer, in the order in which a gateway can make them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from airflow_provider_tiktokshop.emulator.call import Call, Received
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.facts import Endpoint, match, other_methods, other_versions
from airflow_provider_tiktokshop.emulator.params import check_body, check_query
from airflow_provider_tiktokshop.emulator.signature import expected_sign, sign_is_valid

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Asset, Shop
    from airflow_provider_tiktokshop.emulator.state import World
    from airflow_provider_tiktokshop.emulator.tokens import Grant

__all__ = ["check_call", "find_endpoint"]

_OLDEST_SECONDS = 300
_NEWEST_SECONDS = 30
_TIMESTAMP = re.compile(r"[0-9]{10}")


def find_endpoint(received: Received) -> tuple[Endpoint, dict[str, str]]:
    """Return the endpoint of a request.

    :raises Refusal: 36009009 unknown path, 36009010 wrong method, 36009014 unknown version.
    """
    found = match(received.method, received.path)
    if found is None:
        if other_methods(received.path):
            raise refuse(36009010)
        raise refuse(36009014 if other_versions(received.method, received.path) else 36009009)
    return found


def check_call(world: World, received: Received, skew: float = 0.0) -> Call:
    """Check everything that stands between a request and its handler.

    :param skew: seconds by which the gateway's clock is off for this request.
    :raises Refusal: the documented code of the first check that fails.
    """
    settings = world.settings
    if not settings.ip_allowed:
        raise refuse(36009033)
    endpoint, path_params = find_endpoint(received)
    pairs = received.pairs()
    query = dict(pairs)
    _check_common(world, received, query, skew)
    expected = expected_sign(
        world.app_secret, received.path, pairs, received.body, received.headers.get("content-type")
    )
    # Nothing is documented about a body on GET; the one record of it tells of a refused signature.
    if not sign_is_valid(query["sign"], expected) or (received.method == "GET" and received.body):
        raise refuse(106001)
    token = received.headers["x-tts-access-token"]
    world.stats.access_token_presented(token)
    grant = world.tokens.find_access(token).grant
    _check_grant(endpoint, grant)
    shop = _check_shop(world, endpoint, grant, query)
    asset = _check_asset(endpoint, grant, query)
    _check_limits(world, endpoint, shop, asset, grant)
    strict = settings.unknown_params == "refuse"
    values = check_query(endpoint, query, strict=strict)
    body = _parse_body(world, received)
    check_body(endpoint, body, strict=strict)
    shops = [one for one in grant.account.shops if one.id in grant.shop_ids]
    return Call(received, endpoint, path_params, grant.account, shops, shop, asset, values, body)


def _check_common(world: World, received: Received, query: dict[str, str], skew: float) -> None:
    if query.get("app_key") != world.app_key:
        raise refuse(36009004, "Invalid 'app_key'" if "app_key" in query else "Missing 'app_key'")
    if "timestamp" not in query:
        raise refuse(36009004, "Missing 'timestamp'")
    if not _TIMESTAMP.fullmatch(query["timestamp"]):
        raise refuse(36009004, "Invalid 'timestamp'")
    if world.settings.check_timestamp:
        age = world.clock.gateway_now() + skew - int(query["timestamp"])
        if not -_NEWEST_SECONDS <= age <= _OLDEST_SECONDS:
            raise refuse(36009004, "Invalid 'timestamp'")
    if "sign" not in query:
        raise refuse(36009004, "Missing 'sign'")
    if not received.headers.get("x-tts-access-token"):
        raise refuse(36009004, "Missing header 'x-tts-access-token'")


def _check_grant(endpoint: Endpoint, grant: Grant) -> None:
    if not grant.account.active:
        raise refuse(36009044)
    if grant.account.user_type not in endpoint.user_types:
        raise refuse(101000)
    # Where several scopes are listed, each of them opens the endpoint.
    if endpoint.scopes and not set(endpoint.scopes) & set(grant.scopes) & set(grant.account.scopes):
        raise refuse(105005)


def _check_shop(world: World, endpoint: Endpoint, grant: Grant, query: dict[str, str]) -> Shop | None:
    optional = any(param.name == "shop_cipher" and not param.required for param in endpoint.query)
    if "shop_cipher" not in query:
        if endpoint.shop_cipher and not optional:
            raise refuse(106013)
        return None
    if not endpoint.shop_cipher and not optional:
        raise refuse(36009004, "Unexpected 'shop_cipher'")
    shop = world.shop_by_cipher.get(query["shop_cipher"])
    if shop is None or shop.id not in grant.shop_ids or shop not in grant.account.shops:
        raise refuse(101000)
    if not shop.active:
        raise refuse(36009043)
    return shop


def _check_asset(endpoint: Endpoint, grant: Grant, query: dict[str, str]) -> Asset | None:
    needed = endpoint.asset_cipher
    if "category_asset_cipher" not in query:
        if needed:
            raise refuse(36009004, "Missing 'category_asset_cipher'")
        return None
    if needed is None:
        raise refuse(36009004, "Unexpected 'category_asset_cipher'")
    asset = next((one for one in grant.account.assets if one.cipher == query["category_asset_cipher"]), None)
    if asset is None:
        raise refuse(101000)
    return asset


def _check_limits(world: World, endpoint: Endpoint, shop: Shop | None, asset: Asset | None, grant: Grant) -> None:
    settings, now = world.settings, world.clock.now()
    owner = shop.id if shop else asset.cipher if asset else grant.account.open_id
    wait = world.limits.wait((world.app_key, owner, endpoint.method, endpoint.path), settings.rate_limit)
    if wait:
        headers = (("retry-after", str(max(1, round(wait + 0.5)))),) if settings.retry_after else ()
        raise refuse(36009002, headers=headers)
    if world.limits.over_quota("sandbox", settings.sandbox_hourly, now, 3600):
        raise refuse(36009037)
    if endpoint.path.startswith(settings.daily_quota_path) and world.limits.over_quota(
        f"daily {owner}", settings.daily_quota, now, 86400
    ):
        raise refuse(45101004)


def _parse_body(world: World, received: Received) -> dict[str, Any]:
    if received.method == "GET":
        return {}
    media_type = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return {}
    mode = world.settings.post_body
    if not received.body:
        if mode == "required" and received.method == "POST":
            raise refuse(36009022)
        return {}
    if media_type != "application/json":
        raise refuse(36009004, "Invalid header 'content-type'")
    try:
        body = orjson.loads(received.body)
    except orjson.JSONDecodeError:
        raise refuse(36009022) from None
    if not isinstance(body, dict):
        raise refuse(36009022)
    if not body and mode == "no_empty_object":
        # Peers that take {} for "no body" leave it out of the signature: such a server answers like this.
        raise refuse(106001)
    return body
