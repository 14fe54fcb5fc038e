"""Receives one OAuth redirect on this machine (RFC 8252, section 7.3: loopback interface redirection)."""

from __future__ import annotations

import hmac
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from airflow_provider_tiktokshop.api.errors import TikTokShopError

__all__ = ["receive_redirect"]

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>TikTok Shop</title>
<body style="font-family: system-ui, sans-serif; margin: 4rem auto; max-width: 36rem"><h1>{title}</h1><p>{text}</p>"""


def receive_redirect(port: int, *, state: str, timeout: float) -> str:
    """Wait for the browser to be redirected to ``http://127.0.0.1:{port}/`` with our state, and return its query.

    Requests that carry another state, or none, are answered and ignored: any page open in the browser can send some.

    :param timeout: seconds.
    :return: the path and query of the redirect, for :meth:`AuthorizationFlow.finish`.
    :raises TikTokShopError: nothing came in time, or the port is taken.
    """
    try:
        server = _Server(port, state)
    except OSError as error:
        raise TikTokShopError(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}",
            advice="free the port, or leave --listen out and paste the address instead",
        ) from None
    with server:
        deadline = time.monotonic() + timeout
        while server.received is None:
            server.timeout = deadline - time.monotonic()
            if server.timeout <= 0:
                raise TikTokShopError(
                    f"no redirect arrived on 127.0.0.1:{port} within {timeout:.0f} s",
                    advice="check that the app's redirect URL in Partner Center is this address; without --listen the "
                    "address can be pasted",
                )
            server.handle_request()
        return server.received


class _Server(HTTPServer):
    received: str | None = None

    def __init__(self, port: int, state: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.state = state

    def handle_error(self, *_: object) -> None:
        """Say nothing: the traceback of a broken request would hold its query."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # A connection that a browser opens in advance and leaves silent must not block the redirect behind it.
    timeout = 5

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        brought = (query.get("state") or [""])[0]
        if not hmac.compare_digest(brought.encode(), self.server.state.encode()):
            self._answer(400, "Not this link", "This address belongs to another authorization, or was opened by hand.")
            return
        self._answer(200, "Received", "You can close this page and go back to the terminal.")
        self.server.received = self.path

    def log_message(self, *_: object) -> None:
        """Log nothing: the query holds the authorization code."""

    def _answer(self, status: int, title: str, text: str) -> None:
        body = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
