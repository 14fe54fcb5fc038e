"""One emulator process for all tests, and a caller with a signer of its own: ten lines, not the client's."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from airflow_provider_tiktokshop.testing import EmulatorProcess

SEARCH, DETAIL, SHOPS = "/order/202309/orders/search", "/order/202507/orders", "/authorization/202309/shops"


def sign(secret: str, path: str, query: dict[str, str], body: bytes = b"") -> str:
    text = path + "".join(name + query[name] for name in sorted(query))
    wrapped = secret.encode() + text.encode() + body + secret.encode()
    return hmac.new(secret.encode(), wrapped, hashlib.sha256).hexdigest()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> int:
        return self.json["code"]

    @property
    def data(self) -> Any:
        return self.json["data"]


@dataclass
class Caller:
    """Speaks to an emulator over plain sockets, correctly unless told otherwise."""

    emulator: EmulatorProcess
    tokens: dict[str, str] = field(default_factory=dict)

    def send(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        address = urlsplit(self.emulator.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def exchange(self, kind: str = "refresh", *, method: str = "GET", **changes: str | None) -> Answer:
        query: dict[str, str | None] = {
            "app_key": self.emulator.app_key,
            "app_secret": self.emulator.app_secret,
            "grant_type": "refresh_token" if kind == "refresh" else "authorized_code",
            **changes,
        }
        sent = {name: value for name, value in query.items() if value is not None}
        return self.send(method, f"/api/v2/token/{kind}?{urlencode(sent)}")

    def refresh(self, token: str) -> Answer:
        return self.exchange("refresh", refresh_token=token)

    def access_token(self, seller: int = 0) -> str:
        open_id = self.emulator.sellers[seller]["open_id"]
        if open_id not in self.tokens:
            self.tokens[open_id] = self.emulator.account(open_id)["tokens"][-1]["access_token"]
        return self.tokens[open_id]

    def call(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: Any = None,
        *,
        token: str | None = None,
        override: dict[str, str | None] | None = None,
        headers: dict[str, str | None] | None = None,
        raw_body: bytes | None = None,
        sent_body: bytes | None = None,
        unquoted: bool = False,
    ) -> Answer:
        """Sign and send. After signing, ``override`` changes the query (None takes a parameter away) and ``sent_body``
        replaces the body.
        """
        raw = raw_body if raw_body is not None else b"" if body is None else json.dumps(body).encode()
        params = {"app_key": self.emulator.app_key, "timestamp": str(int(time.time()))}
        params |= {name: str(value) for name, value in (query or {}).items()}
        params["sign"] = sign(self.emulator.app_secret, path, params, raw)
        changed: dict[str, str | None] = {**params, **(override or {})}
        sent = {name: value for name, value in changed.items() if value is not None}
        wanted = {
            "x-tts-access-token": token if token is not None else self.access_token(),
            "content-type": "application/json",
            **(headers or {}),
        }
        kept = {name: value for name, value in wanted.items() if value is not None}
        text = "&".join(f"{n}={v}" for n, v in sent.items()) if unquoted else urlencode(sent, quote_via=quote)
        return self.send(method, f"{path}?{text}", kept, (sent_body or raw) or None)

    def search(self, query: dict[str, Any] | None = None, body: Any = None, *, shop: int = 0, **more: Any) -> Answer:
        cipher = self.emulator.sellers[0]["shops"][shop]["cipher"]
        return self.call("POST", SEARCH, {"shop_cipher": cipher, "page_size": 50, **(query or {})}, body, **more)

    def all_rows(self, query: dict[str, Any] | None = None, body: Any = None, *, shop: int = 0) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        token = ""
        while True:
            answer = self.search({**(query or {}), **({"page_token": token} if token else {})}, body, shop=shop)
            assert answer.code == 0, answer.json
            rows += answer.data.get("orders", [])
            token = answer.data.get("next_page_token", "")
            if not token:
                return rows


@pytest.fixture(scope="session")
def emulator_process() -> Iterator[EmulatorProcess]:
    # The newest order is an hour old at least, so that what a test touches "now" is always newer.
    anchor = int(time.time()) // 3600 * 3600 - 3600
    with EmulatorProcess(
        sellers=2, shops_per_seller=2, creators=1, partners=1, orders=230, rate_limit=0, now=anchor
    ) as process:
        yield process


@pytest.fixture
def emulator(emulator_process: EmulatorProcess) -> EmulatorProcess:
    emulator_process.reset()
    return emulator_process


@pytest.fixture
def caller(emulator: EmulatorProcess) -> Caller:
    return Caller(emulator)


@pytest.fixture(scope="module")
def module_caller(emulator_process: EmulatorProcess) -> Caller:
    """A caller for tests that change nothing: the emulator is reset once for all of them."""
    emulator_process.reset()
    return Caller(emulator_process)
