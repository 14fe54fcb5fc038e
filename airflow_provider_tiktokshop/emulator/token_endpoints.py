"""``GET /api/v2/token/get`` and ``/refresh``: no signature, no header, errors with HTTP 200."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson

from airflow_provider_tiktokshop.emulator.errors import Refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.emulator.call import Received
    from airflow_provider_tiktokshop.emulator.faults import Plan
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["TOKEN_PATHS", "exchange", "presented_token"]

_GET, _REFRESH = "/api/v2/token/get", "/api/v2/token/refresh"
TOKEN_PATHS = frozenset({_GET, _REFRESH})


@contextmanager
def presented_token(world: World, received: Received) -> Iterator[None]:
    """Count the refresh token of a request as presented for as long as the request is under way."""
    token = ""
    if received.path == _REFRESH and received.method == "GET":
        try:
            token = dict(received.pairs()).get("refresh_token", "")
        except Refusal:
            token = ""
    if not token:
        yield
        return
    with world.stats.presentation(token):
        yield


def exchange(world: World, received: Received, plan: Plan) -> bytes:
    """Redeem a code or a refresh token and return ``data``.

    :raises Refusal: with HTTP 200 and the documented code, save for what a gateway refuses before.
    """
    if not world.settings.ip_allowed:
        raise refuse(36009033)
    if world.limits.wait((world.app_key, "token", received.path), world.settings.token_rate_limit):
        raise refuse(36009002)
    try:
        query = dict(received.pairs())
    except Refusal as refusal:
        raise refuse(refusal.code, refusal.message, status=200) from None
    if query.get("app_key") != world.app_key:
        raise refuse(36009004, "Invalid 'app_key'", status=200)
    if query.get("app_secret") != world.app_secret:
        raise refuse(36009004, "Invalid 'app_secret'", status=200)
    code = received.path == _GET
    if query.get("grant_type") != ("authorized_code" if code else "refresh_token"):
        raise refuse(36009004, "Invalid 'grant_type'", status=200)
    name = "auth_code" if code else "refresh_token"
    if not query.get(name):
        raise refuse(36009004, f"Missing '{name}'", status=200)
    desk = world.tokens
    token = desk.redeem_code(query[name]) if code else desk.redeem_refresh_token(query[name])
    data = desk.reply(token)
    if plan.has("no_refresh_token"):
        data.pop("refresh_token", None)
        data.pop("refresh_token_expire_in", None)
    if plan.has("no_granted_scopes"):
        data.pop("granted_scopes", None)
    return orjson.dumps(data)
