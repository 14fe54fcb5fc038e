"""Slack's Web API on loopback, as far as it posts messages: it keeps what it is sent."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

__all__ = ["SlackSink"]

TOKEN = "xoxb-of-the-sink"


class SlackSink:
    """Answers ``chat.postMessage`` to whoever presents its token; a context manager."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.sink = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def connection(self) -> dict[str, object]:
        """The Airflow connection that leads here."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}/api/"
        return {"conn_type": "slack", "password": TOKEN, "extra": {"base_url": url, "timeout": 10}}

    def __enter__(self) -> SlackSink:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    sink: SlackSink


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/api/chat.postMessage" or self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer({"ok": False, "error": "invalid_auth"})
            return
        self.server.sink.messages.append(json.loads(body))
        self._answer({"ok": True, "ts": "1.0"})

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
