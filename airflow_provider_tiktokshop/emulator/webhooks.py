"""Webhooks as the service sends them: signed over app key and raw body, delivered to loopback only."""

from __future__ import annotations

import asyncio
import http.client
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from airflow_provider_tiktokshop.emulator.ids import number
from airflow_provider_tiktokshop.emulator.loopback import is_loopback
from airflow_provider_tiktokshop.emulator.signature import webhook_signature

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["build_event", "deliver"]

# The service gives a receiver this long before it counts the delivery as failed.
_TIMEOUT_SECONDS = 3.0
_OWNER_IS_SELLER = frozenset({19, 21, 22, 23, 24, 35, 52})
_OWNER_IS_CREATOR = frozenset({17, 20, 55})
# The documented sample of this type has no notification id.
_WITHOUT_ID = frozenset({3})
_ORDER, _PACKAGE, _PRODUCT = "576461413038785752", "1152921504606846001", "1729592969712207008"


def _default_data(kind: int, now: int) -> dict[str, Any]:
    samples: dict[int, dict[str, Any]] = {
        1: {"order_id": _ORDER, "order_status": "AWAITING_SHIPMENT", "is_on_hold_order": False, "update_time": now},
        3: {"order_id": _ORDER, "update_time": now},
        4: {
            "sc_type": "COMBINE",
            "role_type": "ROLE_USER",
            "package_list": [{"package_id": _PACKAGE, "order_id_list": [_ORDER]}],
            "update_time": now,
        },
        # Product ids are bare integers in three of the types, and strings in the others.
        5: {
            "product_id": int(_PRODUCT),
            "status": "PRODUCT_FIRST_PASS_REVIEW",
            "suspended_reason": "",
            "update_time": now,
        },
        6: {"message": "The seller has withdrawn the authorization."},
        7: {"message": "The authorization expires soon.", "expiration_time": str(now + 30 * 86400)},
        11: {
            "order_id": _ORDER,
            "cancellations_role": "BUYER",
            "cancel_status": "CANCELLATION_REQUEST_PENDING",
            "cancel_id": "4035318504086604200",
            "create_time": now,
        },
        12: {
            "order_id": _ORDER,
            "return_role": "BUYER",
            "return_type": "REFUND",
            "return_status": "RETURN_OR_REFUND_REQUEST_PENDING",
            "return_id": "4035318504086604100",
            "create_time": now,
            "update_time": now,
        },
        15: {
            "product_id": _PRODUCT,
            "change_source": "SELLER_CENTER",
            "changed_fields": ["title"],
            "update_time": now,
        },
        16: {"product_id": int(_PRODUCT), "product_types": ["GPR_PRODUCT"], "update_time": now},
        20: {"cancel_time": now},
        37: {"product_id": int(_PRODUCT), "audit": {"status": "PRE_APPROVED"}, "update_time": now},
    }
    return samples.get(kind, {"update_time": now})


def build_event(world: World, request: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return raw body and headers of an event.

    :param request: ``type``; optional ``data``, ``shop_id``, ``open_id``, ``timestamp``, ``tts_notification_id`` and
        ``bad_signature``. What is left out is made up; the owner defaults to the first seller or creator.
    :raises ValueError: when ``type`` is missing, or there is nobody the event could belong to.
    """
    kind = request.get("type")
    if type(kind) is not int:
        raise ValueError("type is the number of a webhook type")
    now = int(world.clock.now())
    world.stats.webhooks_built += 1
    event: dict[str, Any] = {"type": kind}
    if kind not in _WITHOUT_ID:
        made_up = number(19, "73", world.options.seed, "webhook", world.stats.webhooks_built)
        event["tts_notification_id"] = request.get("tts_notification_id", made_up)
    event |= _owner(world, kind, request)
    event["timestamp"] = request.get("timestamp", now)
    event["data"] = request.get("data", _default_data(kind, now))
    raw = orjson.dumps(event)
    sign = webhook_signature(world.app_key, world.app_secret, raw)
    if request.get("bad_signature"):
        sign = sign[::-1]
    return raw, {"authorization": sign, "content-type": "application/json"}


def _owner(world: World, kind: int, request: dict[str, Any]) -> dict[str, str]:
    wanted = 1 if kind in _OWNER_IS_CREATOR else 0
    accounts = [one for one in world.accounts.values() if one.user_type == wanted]
    if kind in _OWNER_IS_CREATOR or kind in _OWNER_IS_SELLER:
        open_id = request.get("open_id") or (accounts[0].open_id if accounts else None)
        if open_id is None:
            raise ValueError(f"type {kind} belongs to a user, and there is none of that kind")
        return {"creator_open_id" if wanted else "seller_open_id": open_id}
    shops = [shop for one in accounts for shop in one.shops if request.get("open_id") in {None, one.open_id}]
    shop_id = request.get("shop_id") or (shops[0].id if shops else None)
    if shop_id is None:
        raise ValueError(f"type {kind} belongs to a shop, and there is none")
    return {"shop_id": shop_id}


async def deliver(world: World, url: str, raw: bytes, headers: dict[str, str], copies: int) -> list[dict[str, Any]]:
    """Post an event ``copies`` times, one after the other, and return what the receiver answered.

    :raises ValueError: when the URL is not plain HTTP on loopback.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise ValueError("the emulator delivers webhooks to http:// on loopback only")
    answers: list[dict[str, Any]] = []
    for _ in range(copies):
        world.stats.webhooks_sent += 1
        answers.append(await asyncio.to_thread(_post, url, raw, headers))
    return answers


def _post(url: str, raw: bytes, headers: dict[str, str]) -> dict[str, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), raw, headers)
        answer = connection.getresponse()
        return {"status": answer.status, "body": answer.read(1000).decode("utf-8", "replace")}
    except (OSError, http.client.HTTPException) as error:
        return {"status": None, "error": type(error).__name__}
    finally:
        connection.close()
