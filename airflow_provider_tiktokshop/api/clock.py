"""The clock, handed in wherever time decides something, so that tests can turn it by hand."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["SYSTEM_CLOCK", "Clock", "SystemClock"]


class Clock(Protocol):
    """What the provider needs to know of time."""

    def now(self) -> float:
        """Return the wall clock, in Unix seconds."""
        ...

    def boottime(self) -> float:
        """Return seconds since boot, counted through suspend; only differences on one machine mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for ``seconds``."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return the wall clock, in Unix seconds."""
        return time.time()

    def boottime(self) -> float:
        """Return seconds since boot, counted through suspend where the platform can (Linux), else monotonic seconds."""
        # A laptop lid or a frozen VM stops CLOCK_MONOTONIC: an intent would then look younger than it is.
        clock_id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return time.clock_gettime(clock_id)

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for ``seconds``."""
        time.sleep(seconds)


SYSTEM_CLOCK: Clock = SystemClock()
