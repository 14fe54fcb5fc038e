"""The service's side of request signing, written from the published description and vectors alone."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["expected_sign", "sign_is_valid", "webhook_signature"]


def expected_sign(
    app_secret: str, path: str, pairs: Sequence[tuple[str, str]], body: bytes, content_type: str | None
) -> str:
    """Return the only ``sign`` that is accepted for a request.

    :param path: as sent, without host and query.
    :param pairs: the decoded query; ``sign`` and ``access_token`` in it are left out.
    :param body: the raw bytes that arrived.
    :param content_type: the header as sent; bodies of ``multipart/form-data`` are not covered.
    """
    covered = sorted(
        ((name.encode(), value.encode()) for name, value in pairs if name not in {"sign", "access_token"}),
    )
    text = path.encode() + b"".join(name + value for name, value in covered)
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "multipart/form-data":
        text += body
    secret = app_secret.encode()
    return hmac.new(secret, secret + text + secret, "sha256").hexdigest()


def sign_is_valid(given: str, expected: str) -> bool:
    """Compare in constant time; upper-case hex is refused, as by the service."""
    return hmac.compare_digest(given.encode(), expected.encode())


def webhook_signature(app_key: str, app_secret: str, raw_body: bytes) -> str:
    """Return the ``Authorization`` header of a webhook: hex HMAC-SHA256 over the app key and the raw body."""
    return hmac.new(app_secret.encode(), app_key.encode() + raw_body, "sha256").hexdigest()
