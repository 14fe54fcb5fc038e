"""Every failure that talking to TikTok Shop can end in, as an exception that says what to do next.

The text of an exception never holds a URL query, a token, a secret or a signature, and is safe to log.
"""

from __future__ import annotations

import math
import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tiktokshop.api.codes import CODES, PARAMETER_CASES, CodeInfo
from airflow_provider_tiktokshop.api.exceptions import (
    AccessTokenExpired,
    AccessTokenInvalid,
    AccessTokenRefused,
    ApiError,
    AppKeyRefused,
    ClockSkewed,
    ConfigurationError,
    ExchangeError,
    ExchangeNotSpent,
    ExchangeRefused,
    ExchangeUnknown,
    InvalidRequest,
    IpNotAllowed,
    PagingError,
    QuotaExhausted,
    RateLimited,
    ReplyLost,
    RequestNotSent,
    ResultWindowTooLarge,
    ScopeMissing,
    ServiceUnavailable,
    ShopCipherError,
    ShopInactive,
    SignatureRefused,
    TemporaryOrderError,
    TikTokShopError,
    VersionRetired,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CODES",
    "AccessTokenExpired",
    "AccessTokenInvalid",
    "AccessTokenRefused",
    "ApiError",
    "AppKeyRefused",
    "ClockSkewed",
    "CodeInfo",
    "ConfigurationError",
    "ExchangeError",
    "ExchangeNotSpent",
    "ExchangeRefused",
    "ExchangeUnknown",
    "InvalidRequest",
    "IpNotAllowed",
    "PagingError",
    "QuotaExhausted",
    "RateLimited",
    "ReplyLost",
    "RequestNotSent",
    "ResultWindowTooLarge",
    "ScopeMissing",
    "ServiceUnavailable",
    "ShopCipherError",
    "ShopInactive",
    "SignatureRefused",
    "TemporaryOrderError",
    "TikTokShopError",
    "VersionRetired",
    "error_for",
    "http_date",
    "retry_after",
    "scrub",
]

# A pointer such as "For more details: https://..." says nothing that the advice does not say.
_POINTER: Final = re.compile(
    r"\s*(?:For|See|Please (?:see|refer to|check))\b[^.:]{0,60}:?\s*https?://.*$", re.IGNORECASE | re.DOTALL
)
_QUERY: Final = re.compile(r"(?<=[\w/])\?[^\s\"'<>]*=[^\s\"'<>]*")
# Tokens by their prefixes, and any run too long for a word, an id or a request id. A path is left alone.
_TOKEN_LIKE: Final = re.compile(r"\b(?:TTP_|ROW_|GCP_|EMU_)[\w+/=.-]+|(?<![\w/])[\w+=-][\w+/=.-]{39,}")
_LONGEST_MESSAGE: Final = 300
_QUOTES: Final = str.maketrans("", "", "'\"`\u2018\u2019\u201c\u201d")
_HOUR: Final = 3600.0
_DAY: Final = 86400.0


def error_for(
    code: int | None,
    message: object,
    http_status: int | None = None,
    request_id: str | None = None,
    endpoint: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> TikTokShopError:
    """Return the exception for a refusal: by code first, then by the HTTP status, then by words of the message.

    :param code: ``code`` of the envelope, ``None`` when the answer had none.
    :param message: ``message`` of the envelope, as received; it is scrubbed here.
    :param http_status: HTTP status of the answer.
    :param request_id: ``request_id`` of the envelope.
    :param endpoint: method and path, without query.
    :param headers: headers of the answer, for ``Retry-After``.
    :returns: the exception, not raised.
    """
    info = CODES.get(code) if code is not None else None
    if code == 36009004:
        info = _parameter_case(message) or info
    wait = retry_after(headers)
    if info is None:
        info = _by_status(code, http_status, wait)
    details: dict[str, Any] = {
        "code": code,
        "meaning": info.meaning,
        "advice": info.advice,
        "request_id": scrub(request_id) or None,
        "endpoint": endpoint,
        "http_status": http_status,
    }
    if issubclass(info.error, RateLimited):
        details["retry_after"] = wait
    elif issubclass(info.error, QuotaExhausted):
        # The day that a quota counts by begins in an unknown time zone: a whole day later it is certainly fresh.
        details["resume_after"] = wait or (_DAY if code == 45101004 else _HOUR)
    return info.error(scrub(message), **details)


def retry_after(headers: Mapping[str, str] | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait (RFC 9110, section 10.2.3), ``None`` without one.

    :param headers: headers of an answer, case-insensitive. A date counts from the answer's own ``Date``, so that a wrong
        clock on this side does not matter.
    """
    value = (headers or {}).get("Retry-After")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        moment = http_date(value)
        if moment is None:
            return None
        seconds = moment - (http_date((headers or {}).get("Date")) or time.time())
    return None if math.isnan(seconds) else max(0.0, seconds)


def http_date(value: str | None) -> float | None:
    """Return an HTTP date as Unix seconds, ``None`` when there is none or it is not one."""
    if not value:
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def scrub(message: object, *secrets: str | None) -> str:
    """Return a text from outside in a form that may be logged.

    :param message: the text; anything but a text counts as empty.
    :param secrets: values to blank out wherever they occur, should the service echo what it was sent.
    :returns: at most 300 characters in one line, without URL queries, tokens and pointers to documentation.
    """
    if not isinstance(message, str):
        return ""
    text = _POINTER.sub("", message[:4000])
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _TOKEN_LIKE.sub("***", _QUERY.sub("?***", text))
    printable = "".join([char for char in " ".join(text.split()) if char.isprintable()])
    return printable[:_LONGEST_MESSAGE].rstrip(" .")


def _parameter_case(message: object) -> CodeInfo | None:
    words = message.translate(_QUOTES).lower() if isinstance(message, str) else ""
    return next((info for pattern, info in PARAMETER_CASES if re.search(pattern, words)), None)


def _by_status(code: int | None, status: int | None, wait: float | None) -> CodeInfo:
    if status == 429:
        return CODES[36009002]
    if status is not None and status >= 500:
        if status == 503 and wait is not None:
            return CodeInfo(RateLimited, "The service is overloaded and names a time to come back.", "Try again then.")
        return CodeInfo(ServiceUnavailable, "The service failed on its side.", "Try again later.")
    if code is not None and 105000 <= code <= 105999:
        return CodeInfo(
            AccessTokenRefused, "The access was refused with a code that is not documented.", CODES[105000].advice
        )
    return CodeInfo(ApiError, "", "Look the code up on the endpoint's API page.")
