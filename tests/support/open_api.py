"""What the tests of the API layer have in common: an app, a shop, a token reply, and the service's check of a signature."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import Shop
from tests.support.fault_server import APP_KEY, APP_SECRET, Seen

SEARCH = "/order/202309/orders/search"
SHOP = Shop("7494", "ROW_cipher+/=", "GB", "LOCAL", "GBLC1")
OLD = "TTP_old-refresh-token"
CODE = "the-auth-code"
FULL = {
    "access_token": "TTP_new-access",
    "access_token_expire_in": 1_760_604_800,
    "refresh_token": "TTP_new-refresh",
    "refresh_token_expire_in": 4_875_145_688,
    "open_id": "open1",
    "seller_name": "Jane Doe",
    "seller_base_region": "GB",
    "user_type": 0,
    "granted_scopes": ["seller.order.info", "seller.shop.info"],
}


def app(url: str = "", **values: Any) -> App:
    urls: dict[str, Any] = {"api_url": url, "auth_url": url} if url else {}
    return App(APP_KEY, APP_SECRET, **urls, **values)


def assert_signed(seen: Seen, timestamp: int | None = None) -> dict[str, str]:
    """Check a request as the service does, from what arrived."""
    query = seen.query
    sign = query.pop("sign")
    assert seen.raw_query.endswith(f"&sign={sign}")
    assert len(seen.raw_query.split("&")) == len(query) + 1
    text = seen.path + "".join(key + query[key] for key in sorted(query))
    signed = APP_SECRET.encode() + text.encode() + seen.body + APP_SECRET.encode()
    assert sign == hmac.new(APP_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert query["app_key"] == APP_KEY
    assert len(query["timestamp"]) == 10
    if timestamp is not None:
        assert query["timestamp"] == str(timestamp)
    return query
