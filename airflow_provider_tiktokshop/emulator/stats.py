"""What the emulator saw: the numbers that tests and benchmarks judge by. No secret is in them, only fingerprints."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.ids import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Stats"]


@dataclass(slots=True)
class Stats:
    """Counters since the start or the last reset."""

    requests: dict[str, Counter[str]] = field(default_factory=dict)
    redemptions: Counter[str] = field(default_factory=Counter)
    codes_redeemed: Counter[str] = field(default_factory=Counter)
    codes_refused: int = 0
    reused: Counter[str] = field(default_factory=Counter)
    reused_tokens: Counter[str] = field(default_factory=Counter)
    presented: Counter[str] = field(default_factory=Counter)
    access_presented: Counter[str] = field(default_factory=Counter)
    presenting: Counter[str] = field(default_factory=Counter)
    presenting_peak: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    in_flight: int = 0
    in_flight_peak: int = 0
    faults_fired: Counter[str] = field(default_factory=Counter)
    rows_served: int = 0
    bytes_served: int = 0
    webhooks_built: int = 0
    webhooks_sent: int = 0

    def count(self, endpoint: str, outcome: str) -> None:
        """Count an answered request; ``outcome`` is the envelope code, or what happened instead of an answer."""
        self.requests.setdefault(endpoint, Counter())[outcome] += 1
        if outcome in {"36009002", "429"}:
            self.throttled += 1

    def access_token_presented(self, token: str) -> None:
        """Count a presented access token."""
        self.access_presented[fingerprint(token)] += 1

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as in flight while it is handled."""
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1

    @contextmanager
    def presentation(self, token: str) -> Iterator[None]:
        """Count a presented refresh token, and how often it is presented at the same time."""
        mark = fingerprint(token)
        self.presented[mark] += 1
        self.presenting[mark] += 1
        self.presenting_peak[mark] = max(self.presenting_peak[mark], self.presenting[mark])
        try:
            yield
        finally:
            self.presenting[mark] -= 1

    def as_dict(self) -> dict[str, Any]:
        """Return all counters for ``GET /_emulator/stats``."""
        return {
            "requests": {endpoint: dict(codes) for endpoint, codes in self.requests.items()},
            "requests_total": sum(sum(codes.values()) for codes in self.requests.values()),
            "redemptions": dict(self.redemptions),
            "redemptions_total": sum(self.redemptions.values()),
            "codes_redeemed": dict(self.codes_redeemed),
            "codes_refused": self.codes_refused,
            "reused_refresh_tokens": dict(self.reused),
            "reused_refresh_tokens_total": sum(self.reused.values()),
            "reused_by_token": dict(self.reused_tokens),
            "presented_refresh_tokens": dict(self.presented),
            "presented_access_tokens": dict(self.access_presented),
            "peak_concurrent_presentations": dict(self.presenting_peak),
            "peak_concurrent_presentations_of_one_token": max(self.presenting_peak.values(), default=0),
            "throttled": self.throttled,
            "in_flight": self.in_flight,
            "in_flight_peak": self.in_flight_peak,
            "faults_fired": dict(self.faults_fired),
            "rows_served": self.rows_served,
            "bytes_served": self.bytes_served,
            "webhooks_sent": self.webhooks_sent,
        }
