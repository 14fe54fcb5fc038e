"""For the tests of the API layer: a server that misbehaves on demand, and a clock turned by hand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from airflow_provider_tiktokshop.api.client import StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.http import Http
from airflow_provider_tiktokshop.api.oauth import OAuthClient
from tests.support.fault_server import ACCESS_TOKEN, FakeClock, Server
from tests.support.open_api import app


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(socket.create_server(("127.0.0.1", 0)))
    threading.Thread(target=server.run, daemon=True).start()
    yield server
    server.stop()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def client(server: Server, clock: FakeClock) -> Iterator[TikTokShopClient]:
    client = TikTokShopClient(app(server.url), StaticToken(ACCESS_TOKEN), clock=clock)
    yield client
    client.close()


@pytest.fixture
def oauth(server: Server, clock: FakeClock) -> Iterator[OAuthClient]:
    http = Http(read_timeout=0.3, clock=clock)
    yield OAuthClient(app(server.url), http, clock)
    http.close()
