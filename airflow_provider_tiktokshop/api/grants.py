"""What an exchange gives, read from a whole answer or saved from a broken one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TokenGrant", "integer", "read_grant", "salvage_grant", "text"]

_ACCESS_LIFETIME: Final = 7 * 86400
# Below this a value cannot be a date of this century, so it is a duration; above the other no date can be written.
_SMALLEST_ABSOLUTE: Final = 1_000_000_000
_LARGEST_DATE: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What an exchange gave. The seller's name is left out on purpose: it can be a person's.

    :param open_id: the id of the user for this app.
    :param access_token: sent with every request.
    :param access_expires_at: absolute, in Unix seconds.
    :param refresh_token: spent to get the next pair; ``None`` when the answer had none: the old one stays.
    :param refresh_expires_at: absolute, in Unix seconds; may exceed 2**32; ``None`` for never or unknown.
    :param user_type: 0 seller, 1 creator, 3 partner.
    :param granted_scopes: scope keys; ``None`` when the answer did not list them.
    :param region: the seller's base region.
    :param received_at: when the answer arrived, in Unix seconds.
    :param request_id: the service's id of the exchange.
    :param complete: ``False`` when saved from a broken answer: every value that is there arrived whole, others may miss.
    """

    open_id: str | None
    access_token: str | None = field(repr=False)
    access_expires_at: int | None
    refresh_token: str | None = field(repr=False)
    refresh_expires_at: int | None
    user_type: int | None
    granted_scopes: tuple[str, ...] | None
    region: str | None
    received_at: float
    request_id: str | None
    complete: bool = True


def read_grant(envelope: Mapping[str, Any], now: float) -> TokenGrant:
    """Read the envelope of a successful exchange; what is missing or of another type becomes ``None``."""
    data = envelope.get("data")
    fields: Mapping[str, Any] = data if isinstance(data, dict) else {}
    access = text(fields.get("access_token"))
    scopes = fields.get("granted_scopes")
    return TokenGrant(
        open_id=text(fields.get("open_id")),
        access_token=access,
        access_expires_at=_access_expiry(access, fields.get("access_token_expire_in"), now),
        refresh_token=text(fields.get("refresh_token")),
        refresh_expires_at=_expiry(fields.get("refresh_token_expire_in"), now),
        user_type=integer(fields.get("user_type")),
        granted_scopes=tuple(s for s in scopes if isinstance(s, str)) if isinstance(scopes, list) else None,
        region=text(fields.get("seller_base_region")),
        received_at=now,
        request_id=text(envelope.get("request_id")),
        complete=access is not None,
    )


def salvage_grant(body: bytes, sent: str, now: float) -> TokenGrant | None:
    """Take whole values out of a reply that broke off or is not what it should be; ``None`` without a whole token."""

    def whole_text(name: str) -> str | None:
        # The closing quote is what makes a value whole: half a token is no token.
        match = re.search(rb'"%s"\s*:\s*("(?:[^"\\\x00-\x1f]|\\.)+")' % name.encode(), body)
        try:
            return text(orjson.loads(match[1])) if match else None
        except ValueError:
            return None

    def whole_number(name: str) -> int | None:
        # Digits are whole only when something follows them.
        match = re.search(rb'"%s"\s*:\s*"?(\d{1,15})\s*[",}\s]' % name.encode(), body)
        return int(match[1]) if match else None

    access, refresh = whole_text("access_token"), whole_text("refresh_token")
    if refresh == sent:
        # The service may echo what it was sent. If it truly stays valid, keeping the old one comes to the same.
        refresh = None
    if access is None and refresh is None:
        return None
    return TokenGrant(
        open_id=whole_text("open_id"),
        access_token=access,
        access_expires_at=_access_expiry(access, whole_number("access_token_expire_in"), now),
        refresh_token=refresh,
        refresh_expires_at=_expiry(whole_number("refresh_token_expire_in"), now) if refresh is not None else None,
        user_type=whole_number("user_type"),
        granted_scopes=None,
        region=whole_text("seller_base_region"),
        received_at=now,
        request_id=whole_text("request_id"),
        complete=False,
    )


def text(value: object) -> str | None:
    """Return a text that is one and not empty, else ``None``."""
    return value if isinstance(value, str) and value else None


def integer(value: object) -> int | None:
    """Return a JSON number, or a text of digits, as an integer, else ``None``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit() and len(value) < 19:
        return int(value)
    return int(value) if isinstance(value, int) or (isinstance(value, float) and value.is_integer()) else None


def _expiry(value: object, now: float) -> int | None:
    """Return an expiry as absolute Unix seconds. The name says "expire_in", the value is a date."""
    number = integer(value)
    if number is None or number <= 0:
        return None
    if number > _LARGEST_DATE:
        return number // 1000
    return number if number >= _SMALLEST_ABSOLUTE else int(now) + number


def _access_expiry(access_token: str | None, value: object, now: float) -> int | None:
    if access_token is None:
        return None
    return _expiry(value, now) or int(now) + _ACCESS_LIFETIME
