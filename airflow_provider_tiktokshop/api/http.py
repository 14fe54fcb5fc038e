"""Sends one HTTP request and says exactly one of: here is the reply, it was not sent, the reply is lost."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from urllib3.util import Retry, Timeout

from airflow_provider_tiktokshop.api.app import is_loopback
from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.api.errors import ReplyLost, RequestNotSent
from airflow_provider_tiktokshop.api.transport import PROGRESS, Adapter, tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.api.transport import Route

__all__ = ["Http", "HttpReply"]

_READ_AT_A_TIME: Final = 256 * 1024
# A reply may pause for the read timeout now and then, but as a whole it must not take longer than this many of them.
_READ_TIMEOUTS_IN_TOTAL: Final = 4.0
_HEADERS: Final = {
    "User-Agent": "airflow-provider-tiktokshop",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}
_NO_RETRIES: Final = Retry(0, read=False)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole reply, whatever its status.

    :param status: HTTP status.
    :param headers: headers, looked up without regard to case.
    :param body: the body, decompressed.
    :param received_at: when the last byte arrived, in Unix seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: float = 0.0


class Http:
    """Pools of connections, set up as a ``requests.Session`` would; safe to share among threads.

    Redirects are not followed (a reply that is one is handed out), ``~/.netrc`` is ignored, cookies are not kept, nothing
    is retried. Proxies and CA bundles come from the environment as usual, except that this machine is never reached
    through a proxy.

    :param connect_timeout: seconds to wait for a connection.
    :param read_timeout: seconds to wait for the next bytes of a reply. The whole reply may take four times as long.
    :param pool_size: connections kept open per host; as many as there are threads.
    :param largest_reply: bytes of a body, decompressed, beyond which a reply is given up.
    :param clock: the clock that stamps replies.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        pool_size: int = 32,
        largest_reply: int = 64 * 1024 * 1024,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._largest_reply = largest_reply
        self._clock = clock
        self._session = requests.Session()
        self._kept, self._once = Adapter(pool_size), Adapter(pool_size, once=True)
        self._routes: dict[str, tuple[Route, Route]] = {}
        self._tls: dict[str | None, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        read_timeout: float | None = None,
        fresh_connection: bool = False,
    ) -> HttpReply:
        """Send one request, once.

        :param method: HTTP method in upper case.
        :param url: the URL, percent-encoded; the query is sent byte for byte.
        :param headers: headers to send.
        :param body: the exact bytes of the body; ``None`` sends none.
        :param read_timeout: seconds, instead of this object's.
        :param fresh_connection: open a connection for this request alone, so that one that the service has closed in the
            meantime cannot make the outcome unknown.
        :returns: the reply, whatever its status.
        :raises RequestNotSent: when provably no byte of the request was sent.
        :raises ReplyLost: when some of it was and no whole reply came back.
        """
        base, mark, query = url.partition("?")
        patience = self._read_timeout if read_timeout is None else read_timeout
        failure: RequestNotSent | ReplyLost
        progress = PROGRESS
        progress.query = mark + query
        progress.deadline = time.monotonic() + self._connect_timeout + patience * _READ_TIMEOUTS_IN_TOTAL
        progress.armed = progress.sent = False
        chunks: list[bytes] = []
        status: int | None = None
        try:
            # Behind "https://" and at least one letter of the host.
            end = base.find("/", len("https://"))
            origin, path = (base, "/") if end < 0 else (base[:end], base[end:])
            kept, once = self._routes.get(origin) or self._find_routes(origin)
            route = once if fresh_connection else kept
            # Not through requests' own layers: they take twice the time of what is below them, and know nothing to add.
            response = route.pool.urlopen(
                method,
                route.before_path + path,
                body=body,
                headers=_headers(headers, body),
                retries=_NO_RETRIES,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=self._connect_timeout, read=patience),
                preload_content=False,
                decode_content=False,
            )
            status = response.status
            _read_body(response, chunks, self._largest_reply)
            return HttpReply(status, response.headers, b"".join(chunks), self._clock.now())
        except Exception as error:  # noqa: BLE001 - requests, urllib3, http.client, ssl and zlib each raise their own
            endpoint = f"{method} {urlsplit(base).path}"
            failure = _failure(error, progress.sent, endpoint, urlsplit(base).netloc, status, chunks)
        finally:
            progress.query = ""
        # Outside the except block and "from None": the original holds the request, and its text may hold anything.
        raise failure from None

    def close(self) -> None:
        """Close every pooled connection."""
        with self._lock:
            routes, self._routes = self._routes, {}
        for kept, once in routes.values():
            kept.pool.close()
            once.pool.close()
        self._kept.close()
        self._once.close()
        self._session.close()

    def _find_routes(self, origin: str) -> tuple[Route, Route]:
        """Ask the environment, once for each origin, for the way there: with kept connections, and with fresh ones."""
        with self._lock:
            settings = self._session.merge_environment_settings(origin, {}, None, None, None)
            proxies = {} if is_loopback(urlsplit(origin).hostname) else dict(settings["proxies"])
            bundle = settings["verify"] if isinstance(settings["verify"], str) else None

            def tls() -> ssl.SSLContext:
                if (context := self._tls.get(bundle)) is None:
                    context = self._tls[bundle] = tls_context(bundle)
                return context

            routes = self._kept.route(origin, proxies, tls), self._once.route(origin, proxies, tls)
            self._routes[origin] = routes
            return routes


def _headers(headers: Mapping[str, str] | None, body: bytes | None) -> dict[str, str]:
    given = headers or {}
    named = {name.lower() for name in given}
    merged = {name: value for name, value in _HEADERS.items() if name.lower() not in named}
    merged.update(given)
    if body is not None:
        merged["Content-Length"] = str(len(body))
    return merged


class _TooLargeError(Exception):
    """The reply is larger than any that the service documents."""


def _read_body(raw: Any, chunks: list[bytes], limit: int) -> None:
    """Read a body into ``chunks``, one system call at a time, so that what arrived before a failure is kept."""
    size = 0
    try:
        while chunk := raw.read1(_READ_AT_A_TIME, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise _TooLargeError  # noqa: TRY301
    except BaseException:
        raw.close()
        raise
    finally:
        raw.release_conn()


def _failure(
    error: Exception, sent: bool, endpoint: str, host: str, status: int | None, chunks: list[bytes]
) -> RequestNotSent | ReplyLost:
    """Return what to raise. Only class names of the original are told: its text may hold what must not be told."""
    reason = _reason(error)
    if not sent:
        return RequestNotSent(
            f"No request reached {host}: {reason}.",
            endpoint=endpoint,
            advice="Check the network, the proxy settings and the URL of the host.",
        )
    received = sum(map(len, chunks))
    state = f"after HTTP {status} and {received} bytes of the body" if status is not None else "before any answer"
    lost = ReplyLost(
        f"The connection to {host} failed {state}: {reason}.",
        endpoint=endpoint,
        http_status=status,
        advice="Whether the request took effect is unknown.",
    )
    lost._partial = b"".join(chunks)  # noqa: SLF001
    return lost


def _reason(error: Exception) -> str:
    """Name the innermost cause by its class, which is enough to tell a reset from a timeout."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        inner = getattr(cause, "reason", None)
        args = [arg for arg in cause.args if isinstance(arg, BaseException)]
        cause = inner if isinstance(inner, BaseException) else args[0] if args else cause.__cause__ or cause.__context__
    return type(seen[-1]).__name__
