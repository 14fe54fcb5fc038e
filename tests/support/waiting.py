"""Wait for a condition, with a deadline and with words for what did not happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlinePassed(TimeoutError):
    """What was waited for did not happen in time."""


def wait_until(
    condition: Callable[[], T | None],
    *,
    timeout: float,
    what: str | Callable[[], str],
    interval: float = 0.1,
) -> T:
    """Return the condition's first true value.

    :param condition: asked every ``interval`` seconds; an exception that it raises ends the wait
    :param timeout: seconds
    :param what: what is being waited for, for the message; a callable is asked when the deadline has passed
    :raises DeadlinePassed: the condition was still false after ``timeout`` seconds
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise DeadlinePassed(f"not within {timeout:g} s: {what() if callable(what) else what}")
        time.sleep(interval)
