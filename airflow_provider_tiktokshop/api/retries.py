"""Which failures are worth another try, and after how long ("Rate limits" in the Partner Center documentation)."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop.api.errors import RateLimited, ReplyLost, ServiceUnavailable, TemporaryOrderError

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.errors import TikTokShopError

__all__ = ["generic_path", "is_repeatable", "pause_before_retry"]

_TRIES: Final = 5
_TRIES_OF_A_TEMPORARY_ERROR: Final = 3
_FIRST_PAUSE: Final = 1.0
_JITTER: Final = 0.5
_LONGEST_PAUSE: Final = 60.0

_READING_POST: Final = re.compile(r"/(?:(?:[a-z]+_)*(?:search|query)|performances|filter|check)$")
_ID: Final = re.compile(r"/[^/]*\d[^/]*")


def pause_before_retry(error: TikTokShopError, tries: int, *, repeatable: bool) -> float | None:
    """Return the seconds to wait before sending a request again, ``None`` when it must not be.

    :param error: what the last try ended in.
    :param tries: how often the request has been sent.
    :param repeatable: whether taking effect twice does no harm. Only then is a request sent again whose outcome is unknown.
    """
    if not error.retryable or tries >= _TRIES:
        return None
    if isinstance(error, TemporaryOrderError) and tries >= _TRIES_OF_A_TEMPORARY_ERROR:
        return None
    if isinstance(error, (ReplyLost, ServiceUnavailable)) and not repeatable:
        return None
    pause = _FIRST_PAUSE * 2.0 ** (tries - 1) + random.uniform(0.0, _JITTER)
    if isinstance(error, RateLimited) and error.retry_after is not None:
        pause = max(pause, error.retry_after)
    return min(pause, _LONGEST_PAUSE)


def is_repeatable(method: str, path: str) -> bool:
    """Tell whether a request may take effect twice: everything but a POST that is not a search."""
    return method != "POST" or _READING_POST.search(path) is not None


def generic_path(path: str) -> str:
    """Return a path with its ids blanked out, so that all orders share the rate budget of one endpoint.

    :param path: ``/order/202407/orders/576461413038785752/price_detail``.
    :returns: ``/order/202407/orders/{id}/price_detail``; the version stays.
    """
    # "", api, version, the rest
    parts = path.split("/", 3)
    if len(parts) < 4:
        return path
    return f"/{parts[1]}/{parts[2]}" + _ID.sub("/{id}", "/" + parts[3])
