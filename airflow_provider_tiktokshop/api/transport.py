"""The part of the HTTP stack below requests: keeps queries out of its sight, proves what was sent, ends slow replies.

urllib3 and requests put the URL into log lines, warnings and exception texts, and here a URL's query holds the app secret
and tokens. So they are only ever shown the path: the connection adds the query when it writes the request line.
"""

from __future__ import annotations

import http.client
import io
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket

__all__ = ["PROGRESS", "Adapter", "Progress"]

# http.client's own is 8 KiB: a page of 100 orders would take dozens of reads.
_BUFFER: Final = 256 * 1024


class Progress(threading.local):
    """How far this thread's request has come. One thread sends one request at a time."""

    query: str = ""
    """The query to write into the request line, with its question mark."""
    deadline: float = float("inf")
    """When the whole reply must have arrived, on :func:`time.monotonic`."""
    armed: bool = False
    """Set once the connection, TLS and a proxy's tunnel stand and the request itself begins."""
    sent: bool = False
    """Set just before the first byte of the request is handed to the system."""


PROGRESS: Final = Progress()


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until the deadline: the timeout of a socket starts anew with every byte that drips in."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._patience = sock.gettimeout()
        self._deadline = PROGRESS.deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the reply took longer than allowed in total")
        if self._patience is None or remaining < self._patience:
            self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineSocket:
    """The one method of a socket that ``http.client.HTTPResponse`` uses."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._sock), _BUFFER)


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(_DeadlineSocket(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = _Response
    # http.client prints requests to stdout when somebody raises this on its class; here it would print secrets.
    debuglevel = 0

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        PROGRESS.armed = True
        super().putrequest(method, url + PROGRESS.query, *args, **kwargs)

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        if PROGRESS.armed:
            PROGRESS.sent = True
        super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS: Final = {"http": _Pool, "https": _TlsPool}


class Adapter(HTTPAdapter):
    """The requests adapter that opens these connections. It never retries."""

    def __init__(self, pool_size: int) -> None:
        super().__init__(pool_connections=8, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools hand out connections of this module."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pools behind a proxy hand out connections of this module."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
