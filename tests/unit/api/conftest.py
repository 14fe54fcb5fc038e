"""For the tests of the API layer: a server that misbehaves on demand, and a clock turned by hand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.fault_server import FakeClock, Server


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
