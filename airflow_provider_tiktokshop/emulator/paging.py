"""Pages of sorted keys, and page tokens: opaque, bound to their request, full of characters that need encoding."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from array import array

    from airflow_provider_tiktokshop.emulator.call import Call
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["Matched", "PageRequest", "Position", "begin_page", "take_page"]

# Sorted keys, and the part [low, high) of them that a request matches.
Matched = tuple["array[int]", int, int]

_LAYOUT = struct.Struct(">qqdI16s")
_MAC_BYTES = 12
# Every token holds "+", "/" and "=": a client that forgets to encode one of them signs something else than it sends.
_HEAD, _TAIL = "6A+", "/x=="
_KEPT_SNAPSHOTS = 200


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next page starts.

    ``place`` is the last key served (keyset) or the number of a kept result (snapshot), and -1 on the first page; ``as_of``
    is what "now" was on the first page; ``served`` counts the rows so far.
    """

    place: int
    as_of: int
    issued_at: float
    served: int


@dataclass(slots=True)
class PageRequest:
    """One page, asked for. ``kept`` is the result of the first page, where the mode keeps it."""

    position: Position
    bound_to: bytes
    size: int
    ascending: bool
    kept: Matched | None


def begin_page(world: World, call: Call, size: int, token: str, *, ascending: bool) -> PageRequest:
    """Open the page token of a call, if there is one.

    :raises Refusal: 36009004 when the token is not one of ours, is expired, or belongs to other parameters.
    """
    settings, now = world.settings, world.clock.now()
    unchanging = sorted((name, str(value)) for name, value in call.query.items() if name != "page_token")
    owner = call.shop.id if call.shop else call.asset.cipher if call.asset else call.account.open_id
    body = orjson.dumps(_without_token(call.body), option=orjson.OPT_SORT_KEYS)
    bound_to = hashlib.blake2b(
        repr((settings.page_tokens, call.received.path, owner, unchanging, body)).encode(), digest_size=16
    ).digest()
    position, kept = Position(-1, int(now), now, 0), None
    if token:
        position = _open(world.app_secret, token, bound_to, now, settings.page_token_ttl)
        if settings.page_tokens == "snapshot":
            keys = world.snapshots.get(position.place)
            if keys is None:
                raise refuse(36009004, "Invalid 'page_token': its result is no longer kept")
            kept = keys, 0, len(keys)
    return PageRequest(position, bound_to, size, ascending, kept)


def _without_token(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without its page token: some endpoints take it there."""
    kept = {name: value for name, value in body.items() if name != "page_token"}
    if isinstance(kept.get("pagination"), dict):
        kept["pagination"] = _without_token(kept["pagination"])
    return kept


def take_page(world: World, request: PageRequest, matched: Matched) -> tuple[array[int], str]:
    """Return the keys of the page in the order asked for, and the token of the next page ("" when there is none)."""
    mode, position, (keys, low, high) = world.settings.page_tokens, request.position, matched
    if mode == "keyset":
        if position.place >= 0 and request.ascending:
            low = bisect_right(keys, position.place, low, high)
        elif position.place >= 0:
            high = bisect_left(keys, position.place, low, high)
    elif request.ascending:
        low = min(high, low + position.served)
    else:
        high = max(low, high - position.served)
    ascending = keys[low : min(high, low + request.size)]
    page = ascending if request.ascending else keys[max(low, high - request.size) : high][::-1]
    if high - low <= len(page):
        return page, ""
    place = page[-1] if mode == "keyset" else 0
    if mode == "snapshot":
        place = position.place if request.kept else _keep(world, matched)
    following = Position(place, position.as_of, world.clock.now(), position.served + len(page))
    return page, _seal(world.app_secret, following, request.bound_to)


def _keep(world: World, matched: Matched) -> int:
    keys, low, high = matched
    number = max(world.snapshots, default=-1) + 1
    world.snapshots[number] = keys[low:high]
    world.snapshots.pop(number - _KEPT_SNAPSHOTS, None)
    return number


def _mac(secret: str, raw: bytes) -> bytes:
    return hashlib.blake2b(raw, key=secret.encode()[:64], digest_size=_MAC_BYTES).digest()


def _seal(secret: str, position: Position, bound_to: bytes) -> str:
    raw = _LAYOUT.pack(position.place, position.as_of, position.issued_at, position.served, bound_to)
    return _HEAD + base64.b64encode(raw + _mac(secret, raw)).decode() + _TAIL


def _open(secret: str, token: str, bound_to: bytes, now: float, lifetime: float) -> Position:
    invalid = refuse(36009004, "Invalid 'page_token'")
    if not (token.startswith(_HEAD) and token.endswith(_TAIL)):
        raise invalid
    try:
        raw = base64.b64decode(token[len(_HEAD) : -len(_TAIL)], validate=True)
    except (binascii.Error, ValueError):
        raise invalid from None
    raw, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(raw) != _LAYOUT.size or mac != _mac(secret, raw):
        raise invalid
    place, as_of, issued_at, served, bound = _LAYOUT.unpack(raw)
    if bound != bound_to:
        raise refuse(36009004, "Invalid 'page_token': it belongs to a request with other parameters")
    if lifetime and now - issued_at > lifetime:
        raise refuse(36009004, "Invalid 'page_token': expired")
    return Position(place, as_of, issued_at, served)
