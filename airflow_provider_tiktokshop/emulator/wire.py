"""Sending answers over the real socket, and breaking connections on it."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from airflow_provider_tiktokshop.emulator.asgi import Receive, Scope, Send
    from airflow_provider_tiktokshop.emulator.faults import Cut

__all__ = ["Wire", "tracked"]

# Closing a socket that lingers for zero seconds sends RST instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire:
    """Knows the transport behind each request, by the address of its client."""

    def __init__(self) -> None:
        self.transports: dict[tuple[str, int], asyncio.Transport] = {}

    async def send(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        status: int,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        cut: Cut | None,
    ) -> None:
        """Send an answer, or as much of it as ``cut`` lets through."""
        if cut is not None and cut.bytes is None:
            await self.reset(scope, receive, fin=cut.how == "fin")
            return
        shown = body if cut is None else body[: cut.bytes]
        length = len(shown) if cut is None or cut.how == "cut" else len(body)
        headers = [*headers, (b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if len(shown) == length:
            await send({"type": "http.response.body", "body": shown})
            return
        await send({"type": "http.response.body", "body": shown, "more_body": True})
        await self.reset(scope, receive, fin=cut is not None and cut.how == "fin")

    async def reset(self, scope: Scope, receive: Receive, *, fin: bool = False) -> None:
        """Break the connection: RST, or FIN when ``fin``. Returns once the server has noticed."""
        transport = self.transports.get(tuple(scope["client"]))
        if transport is None:
            raise RuntimeError(
                "the connection of this request is not known: the server was started without its protocol"
            )
        if fin:
            transport.close()
        else:
            peer = transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


def tracked(protocol: type[Any], wire: Wire) -> type[Any]:
    """Return uvicorn's HTTP protocol class, made to tell ``wire`` of its connections."""

    class Tracked(protocol):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            self._peer = tuple(transport.get_extra_info("peername")[:2])
            wire.transports[self._peer] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            wire.transports.pop(self._peer, None)
            super().connection_lost(exc)

    return Tracked
