"""A server that answers what it is told over a real socket, faults included, and a clock turned by hand."""

from __future__ import annotations

import json
import socket
import struct
import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl

APP_KEY = "appkey1"
APP_SECRET = "c0ffee-app-secret-c0ffee"
ACCESS_TOKEN = "TTP_current-access-token"
SECRETS = (APP_SECRET, ACCESS_TOKEN, "TTP_old-refresh-token", "the-auth-code")


class FakeClock:
    """Time passes only while somebody sleeps."""

    def __init__(self, now: float = 1_760_000_000.0) -> None:
        self.time = now
        self.sleeps: list[float] = []
        self.wakeups: list[float] = []
        self._lock = threading.Lock()
        self._read = threading.local()

    def now(self) -> float:
        return self.time

    def boottime(self) -> float:
        with self._lock:
            self._read.at = self.time
            return self.time

    def sleep(self, seconds: float) -> None:
        with self._lock:
            # Counted from when this thread looked at the clock, so that threads sleep side by side.
            wakeup = getattr(self._read, "at", self.time) + seconds
            self._read.at = wakeup
            self.sleeps.append(seconds)
            self.wakeups.append(wakeup)
            self.time = max(self.time, wakeup)


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))


Step = Callable[[socket.socket, Seen], bool]


@dataclass
class Server:
    """Runs one step per request, in order; the last one again and again."""

    listener: socket.socket
    steps: deque[Step] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def will(self, *steps: Step) -> None:
        self.steps.extend(steps)

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def stop(self) -> None:
        self.listener.close()
        for connection in self._open:
            connection.close()

    def _serve(self, connection: socket.socket, number: int) -> None:
        reader = connection.makefile("rb")
        try:
            while (first := reader.readline()).strip():
                method, target, _ = first.decode().split(" ")
                headers = {}
                while line := reader.readline().strip():
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = reader.read(int(headers.get("content-length", 0)))
                path, _, query = target.partition("?")
                with self._lock:
                    seen = Seen(method, path, query, headers, body, number)
                    self.seen.append(seen)
                    step = self.steps.popleft() if len(self.steps) > 1 else self.steps[0]
                if not step(connection, seen):
                    break
        except (OSError, ValueError):
            pass
        finally:
            reader.close()
            connection.close()
            self.closed.release()


def raw(data: bytes, *, keep: bool = False) -> Step:
    """Send these bytes; then close, unless ``keep``."""

    def step(connection: socket.socket, _: Seen) -> bool:
        connection.sendall(data)
        return keep

    return step


def message(status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> bytes:
    """Write an HTTP message; ``length`` overrides the Content-Length."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body) if length is None else length)}
    fields.update(headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value != "")
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Step:
    return raw(message(status, body, headers), keep=True)


def envelope(
    code: int = 0,
    message: str = "Success",
    data: object = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Step:
    body = json.dumps({"code": code, "message": message, "request_id": "REQ1", "data": data}).encode()
    return answer(status, body, headers)


def reset(after: bytes = b"") -> Step:
    """Send these bytes, then reset the connection."""

    def step(connection: socket.socket, _: Seen) -> bool:
        if after:
            connection.sendall(after)
            _wait_until_read(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return step


def _wait_until_read(connection: socket.socket) -> None:
    """Wait until the other side has taken what was sent: a reset would throw away the rest."""
    ends = [f"{port:04X}" for port in (connection.getpeername()[1], connection.getsockname()[1])]
    for _ in range(1000):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if [fields[1].split(":")[1], fields[2].split(":")[1]] == ends and fields[4].split(":")[1] != "00000000":
                break
        else:
            return
        threading.Event().wait(0.005)


def drip(data: bytes, gap: float) -> Step:
    """Send one byte at a time; keep the connection."""

    def step(connection: socket.socket, _: Seen) -> bool:
        for i in range(len(data)):
            connection.sendall(data[i : i + 1])
            threading.Event().wait(gap)
        return True

    return step


def http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)


def told(error: BaseException) -> str:
    """Everything that a report of an exception could show."""
    texts = [str(error), repr(error), repr(error.args), repr(vars(error))]
    texts += traceback.format_exception(error)
    seen: BaseException | None = error
    while seen is not None:
        texts += [repr(seen), str(seen)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)


def assert_tells_no_secret(text: str) -> None:
    for secret in (*SECRETS, "app_secret=", "sign=", "?app_key"):
        assert secret not in text
