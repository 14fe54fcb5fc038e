"""Keeps the emulator on this machine: where it binds, and whose requests it answers."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.asgi import ASGIApp, Receive, Scope, Send

__all__ = ["LoopbackOnly", "is_loopback", "listen"]

_REFUSAL = b"Only loopback hosts serve."


def is_loopback(host: str) -> bool:
    """Tell whether a host names this machine and can be reached from nowhere else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket on a loopback address; port 0 takes a free one.

    :raises ValueError: when the host is not loopback.
    """
    if not is_loopback(host):
        raise ValueError(
            f"the emulator has made-up secrets and no authentication: it binds to loopback only, not {host!r}"
        )
    address = "127.0.0.1" if host == "localhost" else host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it, the second packet of an answer waits
    # 40 ms for the client's delayed acknowledgement of the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # A page of 100 orders is some 350 kB: with room for it, one send passes it to the kernel.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    try:
        listener.bind((address, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


class LoopbackOnly:
    """Refuses requests that a web page could send here: a foreign Host (DNS rebinding) or a foreign Origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what comes from this machine (ASGI)."""
        if scope["type"] == "http" and not _is_local(scope):
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_REFUSAL)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})
            return
        await self._app(scope, receive, send)


def _is_local(scope: Scope) -> bool:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    return (
        len(hosts) == 1
        and is_loopback(_host_of(f"//{hosts[0]}"))
        and all(is_loopback(_host_of(origin)) for origin in origins)
    )


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
