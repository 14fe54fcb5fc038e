"""Page tokens: opaque, bound to the request they came from, and full of characters that need encoding."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass

from airflow_provider_tiktokshop.emulator.errors import refuse

__all__ = ["Position", "binding", "open_token", "seal_token"]

_LAYOUT = struct.Struct(">qqdI16s")
_MAC_BYTES = 12
# Every token holds "+", "/" and "=": a client that forgets to encode one of them signs something else than it sends.
_HEAD, _TAIL = "6A+", "/x=="


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next page starts.

    ``place`` is the last key served (keyset), the number of rows served (offset) or the number of a kept result
    (snapshot, with the rows served in ``served``). ``as_of`` is what "now" was on the first page.
    """

    place: int
    as_of: int
    issued_at: float
    served: int


def binding(*parts: object) -> bytes:
    """Return 16 bytes that stand for the parameters that must not change while paging."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def _mac(secret: str, raw: bytes) -> bytes:
    return hashlib.blake2b(raw, key=secret.encode()[:64], digest_size=_MAC_BYTES).digest()


def seal_token(secret: str, position: Position, bound_to: bytes) -> str:
    """Return the token for a position."""
    raw = _LAYOUT.pack(position.place, position.as_of, position.issued_at, position.served, bound_to)
    return _HEAD + base64.b64encode(raw + _mac(secret, raw)).decode() + _TAIL


def open_token(secret: str, token: str, bound_to: bytes, now: float, lifetime: float) -> Position:
    """Return the position inside a token.

    :param lifetime: seconds after which a token expires; 0 means never.
    :raises Refusal: 36009004 when the token is not one of ours, is expired, or belongs to other parameters.
    """
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
