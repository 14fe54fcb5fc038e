"""The part of the HTTP stack below requests: keeps queries out of its sight, proves what was sent, ends slow replies.

urllib3 and requests put the URL into log lines, warnings and exception texts, and here a URL's query holds the app secret
and tokens. So they are only ever shown the path: the connection adds the query when it writes the request line.
"""

from __future__ import annotations

import http.client
import io
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, prepend_scheme_if_needed, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

__all__ = ["PROGRESS", "Adapter", "Progress", "Route", "tls_context"]

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


class _Once:
    """Makes a pool close what comes back to it: the next request opens its socket anew."""

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.close()
        super()._put_conn(conn)  # type: ignore[misc]


class _OncePool(_Once, _Pool):
    pass


class _OnceTlsPool(_Once, _TlsPool):
    pass


_POOLS: Final = {"http": _Pool, "https": _TlsPool}
_ONCE_POOLS: Final = {"http": _OncePool, "https": _OnceTlsPool}


@dataclass(frozen=True, slots=True)
class Route:
    """How requests reach one origin.

    :param pool: hands out connections, to the origin or to the proxy before it.
    :param before_path: what the request line has before the path: the origin itself, where a proxy asks for it.
    """

    pool: HTTPConnectionPool
    before_path: str


class Adapter(HTTPAdapter):
    """Knows the way of requests to proxies, and opens the connections of this module on it.

    :param pool_size: connections kept per host.
    :param once: keep none: every request gets a connection of its own.
    """

    def __init__(self, pool_size: int, *, once: bool = False) -> None:
        self._classes = _ONCE_POOLS if once else _POOLS
        super().__init__(pool_connections=8, pool_maxsize=pool_size, max_retries=0)

    def route(self, origin: str, proxies: dict[str, str], tls: Callable[[], ssl.SSLContext]) -> Route:
        """Return how to reach an origin.

        :param origin: scheme, host and port: ``https://host:port``.
        :param proxies: the proxies of the environment for it.
        :param tls: gives the context of every TLS connection on the way. It holds the CAs: left to requests, each connection
            loads them anew, which takes longer than all the rest of a request.
        """
        scheme = origin.partition(":")[0].lower()
        proxy = select_proxy(f"{origin}/", proxies)
        if proxy is None:
            pool = self.poolmanager.connection_from_url(origin, {"ssl_context": tls()} if scheme == "https" else None)
            return Route(pool, "")
        proxy = str(prepend_scheme_if_needed(proxy, "http"))  # type: ignore[no-untyped-call]
        proxy_scheme = proxy.partition(":")[0].lower()
        manager = self.proxy_manager_for(proxy, **({"proxy_ssl_context": tls()} if proxy_scheme == "https" else {}))
        secure = "https" in {scheme, proxy_scheme}
        pool = manager.connection_from_url(origin, {"ssl_context": tls()} if secure else None)
        forwards = scheme != "https" and not proxy_scheme.startswith("socks")
        return Route(pool, origin if forwards else "")

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools hand out connections of this module."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._classes

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pools behind a proxy hand out connections of this module."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._classes
        return manager


def tls_context(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts a bundle of CAs.

    :param bundle: a file or a directory of CA certificates; ``None`` for those that requests brings.
    :raises OSError: there is no such file.
    """
    context: ssl.SSLContext = create_urllib3_context()
    place = bundle or DEFAULT_CA_BUNDLE_PATH
    context.load_verify_locations(**{"capath" if Path(place).is_dir() else "cafile": place})
    return context
