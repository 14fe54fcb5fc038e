"""Sign an Open API request, and verify the signature of a webhook.

Both are HMAC-SHA256 keyed with the app secret, written as lower-case hex ("Sign your API request" and "Webhooks overview"
in the Partner Center documentation). The signature covers bytes, so the bytes that were signed are the bytes to send:
serialise a body once, and build the URL from the very parameters that were signed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Final

__all__ = ["QueryValue", "sign_request", "string_to_sign", "verify_webhook", "wire_value"]

QueryValue = str | int | float | bool | Iterable[str | int] | None
"""What a query parameter may be given as; :func:`wire_value` says how it is written."""

# A token in the query is not covered by the signature: the service takes it from a header.
_UNSIGNED: Final = frozenset({"sign", "access_token", "x-tts-access-token"})


def wire_value(value: QueryValue) -> str:
    """Write one query value the way the service reads and signs it: decoded text, lists joined with commas.

    :param value: text as it is, numbers in decimal, booleans as ``true`` or ``false``, a list or tuple as one
        comma-joined value (``ids=1,2``), ``None`` as nothing.
    :returns: the text to sign, and to percent-encode into the URL.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return ",".join([wire_value(item) for item in value])


def string_to_sign(
    app_secret: str,
    path: str,
    query: Mapping[str, QueryValue],
    body: bytes | str | None = None,
    content_type: str | None = None,
) -> bytes:
    """Return the bytes that the signature of a request covers, app secret included: never log them.

    :param app_secret: the app's secret, which wraps the text on both sides.
    :param path: the path alone, without host and query, ids as sent: ``/order/202309/orders/search``.
    :param query: the parameters as decoded text. ``sign`` and ``access_token`` are left out; ``None`` counts as absent;
        an empty text is covered like any other.
    :param body: the exact bytes to be sent; text is taken as UTF-8.
    :param content_type: with the media type ``multipart/form-data`` (whatever its boundary) the body is not covered.
    :returns: secret + path + sorted keys and values + body + secret, as UTF-8.
    """
    parts = [app_secret, path]
    for key in sorted(query):
        value = query[key]
        if value is not None and key not in _UNSIGNED:
            parts.append(key)
            parts.append(value if isinstance(value, str) else wire_value(value))
    if not body or _is_multipart(content_type):
        parts.append(app_secret)
        return "".join(parts).encode()
    raw = body.encode() if isinstance(body, str) else body
    return b"".join(("".join(parts).encode(), raw, app_secret.encode()))


def sign_request(
    app_secret: str,
    path: str,
    query: Mapping[str, QueryValue],
    body: bytes | str | None = None,
    content_type: str | None = None,
) -> str:
    """Return the ``sign`` parameter of an Open API request.

    :param app_secret: the app's secret.
    :param path: the path alone: ``/order/202309/orders/search``.
    :param query: every other query parameter as decoded text (``app_key`` and ``timestamp`` among them). Percent-encode
        only when building the URL; a list is signed and sent as one comma-joined value.
    :param body: the exact bytes to be sent, if any. A GET has none.
    :param content_type: the request's content type; a ``multipart/form-data`` body is not covered.
    :returns: 64 lower-case hex digits. The service refuses upper case.
    """
    message = string_to_sign(app_secret, path, query, body, content_type)
    return hmac.digest(app_secret.encode(), message, "sha256").hex()


def verify_webhook(app_key: str, app_secret: str, raw_body: bytes | str, signature: str | None) -> bool:
    """Tell whether a webhook was sent by TikTok Shop to this app.

    The signature covers neither time nor address, so a genuine delivery can be sent again by anybody who has seen it:
    drop repeats by ``tts_notification_id`` and look at the age of ``timestamp`` as well.

    :param app_key: the app's key.
    :param app_secret: the app's secret.
    :param raw_body: the body exactly as received, before any JSON parsing; text is taken as UTF-8.
    :param signature: the ``Authorization`` header, 64 lower-case hex digits; ``None`` when the header is missing.
    :returns: ``True`` only for the right signature. The comparison takes the same time whatever differs.
    """
    raw = raw_body.encode() if isinstance(raw_body, str) else raw_body
    expected = hmac.digest(app_secret.encode(), app_key.encode() + raw, "sha256").hex()
    # Bytes, because compare_digest refuses text outside ASCII, and the header is whatever a stranger sent.
    return hmac.compare_digest(expected.encode(), (signature or "").encode("utf-8", "surrogateescape"))


def _is_multipart(content_type: str | None) -> bool:
    # Matching on the whole header would miss "multipart/form-data; boundary=...".
    return content_type is not None and content_type.partition(";")[0].strip().lower() == "multipart/form-data"
