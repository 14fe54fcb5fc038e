"""Paces requests, so that a run stays under the rate limit instead of bouncing off it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.clock import Clock

__all__ = ["HeldBack", "RateBudget", "RateBudgets"]

# A limit that the service has lowered this far is an outage; going slower would not look different from being stuck.
_SLOWEST: Final = 0.1
# Requests that were in flight together are refused together: they are one signal, not many. After a signal all hold
# still for as long, so that the limiter is full again: what it then lets through tells what it allows.
_ONE_SIGNAL: Final = 1.0
# Two refusals in a row that say the same of the limit, this closely, have found it. One alone may have had another reason.
_AGREE: Final = 0.1
# Growth of the rate each second: while the limit is in doubt; just below one that was found, for so many requests and for
# twice as many each time that it is found again; and after that. So a limit is refused seldom, one that was lifted is
# noticed, and a refusal that had nothing to do with the rate costs little.
_DOUBTED: Final = 1 / 4
_FOUND: Final = 1 / 400
_SINCE: Final = 1 / 20
_REQUESTS_BELOW: Final = 200
_MOST_REQUESTS_BELOW: Final = 3200
_NEAR: Final = 0.1
_LONGEST_PAUSE: Final = 60.0
# Fewer answers than this say little of the limit.
_EVIDENCE: Final = 5
# Refusals of requests that were on their way together; fewer may be chance.
_SEVERAL: Final = 3
# Seconds for which a rate must have been served before its refusal means that the limit has dropped.
_LONG: Final = 3.0
# How far below the limit that was learnt to go on.
_BELOW: Final = 0.95
# Slots that nobody was free to use are made up for within this many seconds. A limiter holds a second's worth.
_CREDIT: Final = 0.25


class HeldBack(Exception):
    """The service has asked for no request for longer than the caller would wait.

    :param seconds: how long still.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class RateBudget:
    """Shares one rate among any number of threads, evenly spaced.

    Requests never leave in bursts: a limiter that allows one second's worth at once never refuses them as long as the
    rate is right. When it is not, everybody holds still for a second. How many requests were let through since the last
    such pause, against what a limiter holds and refills, is what it allows, and just below that the rate goes on. It climbs
    fast until the next refusal has told the same, because the first may have had a reason of its own, and slowly from then
    on. Without that much to go by it is halved. A limit that has just dropped shows in the requests that were on their way
    when the first was refused: the part of them that is let through tells what it dropped to.

    :param requests_per_second: the cap.
    :param clock: the clock to wait by.
    """

    def __init__(self, requests_per_second: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self._cap = float(requests_per_second)
        self._clock = clock
        self._lock = threading.Lock()
        self._rate = self._cap
        self._too_high = self._cap
        self._allowed, self._stay_below, self._dropped = 0.0, 0, False
        self._next_slot = float("-inf")
        self._last_signal = float("-inf")
        self._resume = float("-inf")
        self._rate_before, self._passed, self._turned_away = self._cap, 0, 0
        self._refusals = 0
        self._asked, self._not_before = 0.0, float("-inf")
        self._served, self._served_since = 0, float("inf")

    @property
    def rate(self) -> float:
        """Requests per second that are let through now."""
        return self._rate

    def acquire(self, patience: float = float("inf")) -> None:
        """Wait for this thread's turn to send one request.

        :param patience: seconds; when the service has asked to wait for as long or longer, do not.
        :raises HeldBack: it has.
        """
        while True:
            with self._lock:
                now = self._clock.boottime()
                if self._asked >= patience and now < self._not_before:
                    raise HeldBack(self._not_before - now)
                behind = now - self._next_slot
                slot = self._next_slot if behind <= _CREDIT else now
                # The next slot counts from this one and not from when the thread wakes up, so that oversleeping costs
                # nothing.
                self._next_slot = slot + 1.0 / self._rate
                refusals = self._refusals
            if slot <= now:
                return
            self._clock.sleep(slot - now)
            # A refusal that came meanwhile holds back those who were waiting, too.
            if refusals == self._refusals:
                return

    def throttled(self, retry_after: float | None = None) -> None:
        """Take note that the service refused a request for its rate: go slower, and hold everybody back.

        :param retry_after: seconds that the service asked to wait; at least one and at most 60 are waited.
        """
        with self._lock:
            now = self._clock.boottime()
            resume = now + max(min(retry_after or 0.0, _LONGEST_PAUSE), _ONE_SIGNAL)
            if now - self._last_signal >= _ONE_SIGNAL:
                self._last_signal, self._rate_before = now, self._rate
                self._passed, self._turned_away = 0, int(now - self._served_since > _LONG)
                self._slow_down(now)
                self._next_slot = resume
            else:
                self._turned_away += self._turned_away > 0
                self._slow_down_more()
            self._next_slot = self._resume = max(self._next_slot, resume)
            if retry_after and now + retry_after > self._not_before:
                self._asked, self._not_before = retry_after, now + retry_after
            self._refusals += 1
            self._served, self._served_since = 0, float("inf")

    def succeeded(self) -> None:
        """Take note that a request was let through: below the cap, the rate climbs a little."""
        with self._lock:
            now = self._clock.boottime()
            if now < self._resume:
                # It was on its way with those that were refused, and says what of them the service let through.
                self._passed += 1
                return
            self._served += 1
            # From the first answer on, so that the time that requests are on their way does not count.
            self._served_since = min(self._served_since, now)
            if self._rate >= self._cap:
                return
            if not self._stay_below:
                growth = self._rate * _DOUBTED
            elif self._served < self._stay_below and self._rate < self._too_high * (1 + _NEAR):
                growth = self._too_high * _FOUND
            else:
                growth = self._rate * _SINCE
            # Per success, so that one second's worth of successes adds up to the growth of a second.
            self._rate = min(self._cap, self._rate + growth / self._rate)

    def _slow_down(self, now: float) -> None:
        # A full limiter, and what it was refilled with since. From few answers one does not conclude all too much.
        allowed = self._served / (_ONE_SIGNAL + max(0.0, now - self._served_since))
        if not self._served:
            self._too_high, self._rate = self._rate, self._rate / 2
            self._stay_below = max(self._stay_below, _REQUESTS_BELOW)
        elif self._served < _EVIDENCE and allowed < self._rate / 4:
            self._too_high, self._rate = self._rate, self._rate / 4
        else:
            found = self._dropped or abs(allowed - self._allowed) <= _AGREE * allowed
            self._stay_below = min(max(2 * self._stay_below, _REQUESTS_BELOW), _MOST_REQUESTS_BELOW) if found else 0
            self._too_high = min(self._rate, allowed)
            self._rate = _BELOW * self._too_high
        self._allowed, self._dropped = allowed, False
        self._rate = max(min(_SLOWEST, self._cap), self._rate)

    def _slow_down_more(self) -> None:
        # What was served since the last pause tells of a limit that has been there all the while. One that has just dropped
        # shows in what becomes of the requests that were on their way: most are refused.
        if self._turned_away < _SEVERAL or self._turned_away <= self._passed:
            return
        allowed = self._rate_before * (self._passed + 1) / (self._passed + self._turned_away + 1)
        if allowed < self._too_high:
            self._too_high = self._allowed = allowed
            # So many at once have no reasons of their own, and the next refusal tells more exactly what this one told.
            self._stay_below, self._dropped = max(self._stay_below, _REQUESTS_BELOW), True
            self._rate = max(min(_SLOWEST, self._cap), _BELOW * allowed)


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
