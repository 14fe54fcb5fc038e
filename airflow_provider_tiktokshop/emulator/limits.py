"""Rate limits: a token bucket of one second per (app, shop, endpoint), and the quotas that last longer."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Limits", "TokenBucket"]


@dataclass(slots=True)
class TokenBucket:
    """Holds what one second allows, no more: a burst above it is refused."""

    rate: float
    level: float
    filled_at: float

    def take(self, now: float) -> float:
        """Take one token. Return 0.0, or how many seconds to wait when there is none."""
        capacity = max(1.0, self.rate)
        self.level = min(capacity, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.level >= 1.0:
            self.level -= 1.0
            return 0.0
        return (1.0 - self.level) / self.rate


@dataclass(slots=True)
class Limits:
    """All buckets and quota counters. Buckets run on real time: pacing is not something a test should fake."""

    buckets: dict[tuple[str, ...], TokenBucket] = field(default_factory=dict)
    used: Counter[tuple[str, int]] = field(default_factory=Counter)

    def wait(self, key: tuple[str, ...], rate: float) -> float:
        """Return 0.0 when a request may pass, else the seconds until one may. A rate of 0 means no limit."""
        if rate <= 0:
            return 0.0
        now = time.monotonic()
        bucket = self.buckets.get(key)
        if bucket is None or bucket.rate != rate:
            bucket = self.buckets[key] = TokenBucket(rate, max(1.0, rate), now)
        return bucket.take(now)

    def over_quota(self, name: str, limit: int, now: float, period: int) -> bool:
        """Count a request against ``limit`` requests per ``period`` seconds, and tell whether it is too many."""
        if limit <= 0:
            return False
        key = (name, int(now // period))
        self.used[key] += 1
        return self.used[key] > limit
