"""Paces requests, so that a run stays under the rate limit instead of bouncing off it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.clock import Clock

__all__ = ["RateBudget", "RateBudgets"]

# A limit that the service has lowered this far is an outage; going slower would not look different from being stuck.
_SLOWEST: Final = 0.1
# Requests that were in flight together are refused together: they are one signal, not many.
_ONE_SIGNAL: Final = 1.0
# Far from the rate that was last refused, the rate grows by a twentieth each second; within a tenth of it, by a
# two-hundredth of it: so it stays near the limit for long, and still notices soon that the limit was lifted.
_FAST: Final = 1 / 20
_SLOW: Final = 1 / 200
_NEAR: Final = 0.1
_LONGEST_PAUSE: Final = 60.0


class RateBudget:
    """Shares one rate among any number of threads, evenly spaced.

    Requests never leave in bursts: a limiter that allows one second's worth at once never refuses them as long as the
    rate is right. When it is not, the rate is halved and climbs back slowly.

    :param requests_per_second: the cap.
    :param clock: the clock to wait by.
    """

    def __init__(self, requests_per_second: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self._cap = float(requests_per_second)
        self._clock = clock
        self._lock = threading.Lock()
        self._rate = self._cap
        self._hurt_at = self._cap
        self._next_slot = float("-inf")
        self._last_signal = float("-inf")

    @property
    def rate(self) -> float:
        """Requests per second that are let through now."""
        return self._rate

    def acquire(self) -> None:
        """Wait for this thread's turn to send one request."""
        with self._lock:
            now = self._clock.boottime()
            slot = max(now, self._next_slot)
            # The next slot counts from this one and not from when the thread wakes up, so that oversleeping costs nothing.
            self._next_slot = slot + 1.0 / self._rate
        if slot > now:
            self._clock.sleep(slot - now)

    def throttled(self, retry_after: float | None = None) -> None:
        """Take note that the service refused a request for its rate: halve the rate, and hold everybody back.

        :param retry_after: seconds that the service asked to wait; at most 60 are waited.
        """
        with self._lock:
            now = self._clock.boottime()
            if now - self._last_signal >= _ONE_SIGNAL:
                self._last_signal = now
                self._hurt_at = self._rate
                self._rate = max(min(_SLOWEST, self._cap), self._rate / 2)
            pause = max(min(retry_after or 0.0, _LONGEST_PAUSE), 1.0 / self._rate)
            self._next_slot = max(self._next_slot, now + pause)

    def succeeded(self) -> None:
        """Take note that a request was let through: below the cap, the rate climbs a little."""
        if self._rate >= self._cap:
            return
        with self._lock:
            near = abs(self._rate - self._hurt_at) < self._hurt_at * _NEAR
            growth = self._hurt_at * _SLOW if near else self._rate * _FAST
            # Per success, so that one second's worth of successes adds up to the growth of a second.
            self._rate = min(self._cap, self._rate + growth / self._rate)


class RateBudgets:
    """Keeps one :class:`RateBudget` for each thing that the service limits separately.

    :param requests_per_second: the cap of each.
    :param clock: the clock to wait by.
    """

    def __init__(self, requests_per_second: float = 10.0, clock: Clock = SYSTEM_CLOCK) -> None:
        self._cap = requests_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._budgets: dict[tuple[str, ...], RateBudget] = {}

    def for_key(self, key: tuple[str, ...]) -> RateBudget:
        """Return the budget of a key, always the same object for the same key.

        :param key: app key, shop cipher (``-`` without a shop), and method with path.
        """
        budget = self._budgets.get(key)
        if budget is None:
            with self._lock:
                budget = self._budgets.setdefault(key, RateBudget(self._cap, self._clock))
        return budget
