"""Runs the emulator on loopback, and only there."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import uvicorn

from airflow_provider_tiktokshop.emulator.app import build_app
from airflow_provider_tiktokshop.emulator.loopback import LoopbackOnly, listen
from airflow_provider_tiktokshop.emulator.wire import Wire, tracked

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import FrameType

    from airflow_provider_tiktokshop.emulator.state import Emulator

__all__ = ["serve"]


class _Server(uvicorn.Server):
    """Tells when it listens, and ends with exit code 0 on SIGTERM and SIGINT."""

    def __init__(self, config: uvicorn.Config, emulator: Emulator, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._emulator = emulator
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the name is uvicorn's
        self.should_exit = True
        self._emulator.world.faults.release()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal again once it has shut down; the emulator is done then and ends cleanly.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(emulator: Emulator, on_ready: Callable[[], None], *, exit_with_stdin: bool = False) -> None:
    """Run until SIGTERM or SIGINT.

    :param on_ready: called once the socket listens and ``emulator.url`` is set.
    :param exit_with_stdin: also end when standard input closes, so that no emulator outlives who started it.
    """
    options = emulator.options
    listener = listen(options.host, options.port)
    host, port = listener.getsockname()[:2]
    emulator.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    wire = Wire()
    config = uvicorn.Config(
        LoopbackOnly(build_app(emulator, wire)),
        http=_protocol(),
        loop="asyncio",
        ws="none",
        lifespan="off",
        # A query holds secrets: there is no access log, and errors name no URL.
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
        backlog=1024,
    )
    config.load()
    config.http_protocol_class = tracked(config.http_protocol_class, wire)
    server = _Server(config, emulator, on_ready)
    if exit_with_stdin:
        threading.Thread(target=_watch_stdin, args=(server,), daemon=True).start()
    with listener:
        server.run(sockets=[listener])


def _protocol() -> Literal["httptools", "h11"]:
    return "httptools" if find_spec("httptools") else "h11"


def _watch_stdin(server: _Server) -> None:
    # Not sys.stdin: its lock, held by a thread that waits, makes the interpreter abort when it ends.
    while os.read(0, 4096):
        pass
    server.should_exit = True
