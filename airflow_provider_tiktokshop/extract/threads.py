"""Does work in a few threads; the first failure stops the others."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Final

from airflow_provider_tiktokshop.extract.errors import ExtractionPaused
from airflow_provider_tiktokshop.extract.windows import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Stop", "Stopped", "in_parallel"]

# What a cancelled task may take to let pages in flight be dropped; Airflow kills it 5 seconds after SIGTERM.
_GRACE: Final = 3.0
# A signal that comes just before a thread blocks wakes it only at the end of a wait: the wait must have one.
_LOOK: Final = 0.5


class Stop(threading.Event):
    """Set when nothing more is to be asked for; what is on its way is still kept.

    ``abandoned``: whoever waited for the threads has gone, so that nothing more is to be written either.
    """

    abandoned = False


class Stopped(Exception):
    """Another window has failed; this one goes no further."""


def in_parallel(work: Callable[[int], None], numbers: Iterable[int], stop: Stop, most: int = PARALLEL) -> None:
    """Do ``work`` for every number, in at most eight threads; the first failure stops the others and is raised.

    :param work: called with one number; it watches ``stop``.
    :param numbers: begun in this order.
    :param stop: set on failure, and when this thread is interrupted.
    :param most: fewer threads than eight.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    count = 0
    for number in numbers:
        waiting.put(number)
        count += 1
    if count == 1 or most == 1:
        for _ in range(count):
            work(waiting.get())
        return
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def drain() -> None:
        failure: BaseException | None = None
        try:
            while not stop.is_set():
                work(waiting.get_nowait())
        except queue.Empty:
            pass
        except BaseException as raised:  # noqa: BLE001 - raised again in the thread that waits
            failure = raised
            stop.set()
        ended.put(failure)

    # Daemons: a task that is cancelled must be able to exit while a request is still in flight.
    threads = [threading.Thread(target=drain, name=f"window-{n}", daemon=True) for n in range(min(count, most))]
    try:
        for thread in threads:
            thread.start()
        failures = [failure for _ in threads if (failure := _wait_for(ended)) is not None]
    except BaseException:
        stop.abandoned = True
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join(_GRACE / len(threads))
        raise
    real = [failure for failure in failures if not isinstance(failure, Stopped)]
    if real:
        # A pause is raised only if nothing worse happened: the worse needs somebody to know.
        raise next((failure for failure in real if not isinstance(failure, ExtractionPaused)), real[0])


def _wait_for(ended: queue.SimpleQueue[BaseException | None]) -> BaseException | None:
    while True:
        with contextlib.suppress(queue.Empty):
            return ended.get(timeout=_LOOK)
