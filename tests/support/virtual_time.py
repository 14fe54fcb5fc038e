"""Threads whose time passes only while all of them sleep: what takes minutes takes a second, and is the same each time."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from airflow_provider_tiktokshop.api.clock import SystemClock
from airflow_provider_tiktokshop.api.http import HttpReply

NOW = 1_760_000_000.0


class VirtualClock(SystemClock):
    """Moves on to the next wake-up once every thread that uses it sleeps. Each wakes up alone."""

    def __init__(self) -> None:
        self.time = NOW
        self._wakeups: dict[threading.Thread, tuple[float, int]] = {}
        self._threads: set[threading.Thread] = set()
        self._turn = threading.Condition()
        self._count = 0

    def now(self) -> float:
        return self.time

    def boottime(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        me = threading.current_thread()
        with self._turn:
            self._threads.add(me)
            self._count += 1
            mine = self._wakeups[me] = (self.time + max(0.0, seconds), self._count)
            self._turn.notify_all()
            while not self._asleep() or min(self._wakeups.values()) != mine:
                # Now and then, because a thread that has ended tells nobody.
                self._turn.wait(0.05)
            del self._wakeups[me]
            self.time = max(self.time, mine[0])
            self._turn.notify_all()

    def _asleep(self) -> bool:
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        return self._threads <= self._wakeups.keys()


class LimitedService:
    """Order search with one row a second, a latency, and a limit that is kept as a token bucket of one second."""

    def __init__(self, clock: VirtualClock, *, limit: float, latency: float) -> None:
        self.clock, self.latency = clock, latency
        self.limit = limit
        self.answers: list[tuple[float, bool]] = []
        """When each request was decided upon, and whether it was let through."""
        self.drop: tuple[int, float] | None = None
        self._level, self._filled_at = limit, clock.time
        self._lock = threading.Lock()

    @property
    def refused(self) -> int:
        return sum(not passed for _, passed in self.answers)

    def rate(self, start: float, end: float) -> float:
        """Requests a second that were let through in [start, end)."""
        return sum(passed for at, passed in self.answers if start <= at < end) / (end - start)

    def send(self, method: str, url: str, *, body: bytes | None = None, **_options: Any) -> HttpReply:
        self.clock.sleep(self.latency / 2)
        with self._lock:
            passed = self._take()
        if not passed:
            reply = HttpReply(429, {}, b'{"code":36009002,"message":"busy","request_id":"R"}')
        else:
            query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
            reply = HttpReply(200, {}, self._page(query, orjson.loads(body or b"{}")))
        self.clock.sleep(self.latency / 2)
        return reply

    def close(self) -> None:
        pass

    def _take(self) -> bool:
        now = self.clock.time
        if self.drop is not None and len(self.answers) >= self.drop[0]:
            self.limit, self.drop = self.drop[1], None
        self._level = min(self.limit, self._level + (now - self._filled_at) * self.limit)
        self._filled_at = now
        passed = self._level >= 1 - 1e-9
        self._level -= passed
        self.answers.append((now, passed))
        return passed

    @staticmethod
    def _page(query: dict[str, str], asked: dict[str, Any]) -> bytes:
        start, end, size = asked["update_time_ge"], asked["update_time_lt"], int(query["page_size"])
        first = int(query.get("page_token") or start)
        last = min(end, first + size)
        data = {
            "orders": [{"id": str(at), "update_time": at} for at in range(first, last)],
            "total_count": end - start,
            "next_page_token": str(last) if last < end else "",
        }
        return orjson.dumps({"code": 0, "message": "Success", "request_id": "R", "data": data})
