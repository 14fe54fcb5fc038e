"""The emulator's own time, which a test can move."""

from __future__ import annotations

import time
from email.utils import formatdate

__all__ = ["EmulatorClock"]


class EmulatorClock:
    """Real time plus an offset. ``skew`` shifts only what a caller sees of it: the Date header and the timestamp check."""

    def __init__(self, anchor: int | None = None) -> None:
        self.offset = 0.0
        self.skew = 0.0
        self.advanced = 0.0
        self.anchor = anchor if anchor is not None else int(time.time()) // 3600 * 3600

    def now(self) -> float:
        """Return the emulator's time in Unix seconds: expiries and page tokens go by it."""
        return time.time() + self.offset

    def gateway_now(self) -> float:
        """Return the time that the gateway believes in."""
        return self.now() + self.skew

    def data_now(self, *, live: bool) -> int:
        """Return the time up to which orders have happened: the anchor plus what was advanced, or now if ``live``."""
        return int(self.now()) if live else int(self.anchor + self.advanced)

    def advance(self, seconds: float) -> None:
        """Move time on; orders move with it."""
        self.offset += seconds
        self.advanced += seconds

    def set(self, moment: float) -> None:
        """Make it ``moment`` now."""
        self.advance(moment - self.now())

    def date_header(self, extra_skew: float = 0.0) -> str:
        """Return the HTTP ``Date`` of an answer."""
        return formatdate(self.gateway_now() + extra_skew, usegmt=True)
