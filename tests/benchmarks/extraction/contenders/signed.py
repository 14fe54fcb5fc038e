"""What requests calls an auth, for the tools that build on requests: all of the others do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from airflow_provider_tiktokshop.api.signing import sign_request

if TYPE_CHECKING:
    from requests import PreparedRequest

    from tests.benchmarks.extraction.contenders import Job

__all__ = ["search_params", "sign"]


def sign(request: PreparedRequest, app_key: str, app_secret: str, access_token: str) -> PreparedRequest:
    """Add app key, timestamp, signature and token to a request that is ready to be sent, over the bytes that it will send.

    It may be called again for the same request, as some tools do.
    """
    parts = urlsplit(request.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query.pop("sign", None)
    query |= {"app_key": app_key, "timestamp": str(int(time.time()))}
    content_type = request.headers.get("Content-Type")
    query["sign"] = sign_request(app_secret, parts.path, query, request.body, content_type)
    request.url = urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))
    request.headers["x-tts-access-token"] = access_token
    return request


def search_params(job: Job) -> dict[str, str]:
    """Return the query of an order search, as far as it is the same on every page."""
    return {"shop_cipher": job.cipher, "page_size": "100", "sort_field": "update_time", "sort_order": "ASC"}
