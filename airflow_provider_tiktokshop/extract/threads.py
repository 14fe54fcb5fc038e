"""Does work in a few threads; the first failure stops the others."""

from __future__ import annotations

import contextlib
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from airflow_provider_tiktokshop.extract.errors import ExtractionPaused
from airflow_provider_tiktokshop.extract.windows import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Stop", "Stopped", "gathered", "in_parallel"]

_Item = TypeVar("_Item")

# What a cancelled task may take to let pages in flight be dropped; Airflow kills it 5 seconds after SIGTERM.
_GRACE: Final = 3.0
# Items that a thread may be ahead of whoever takes them: enough to keep it busy, few enough to keep memory flat.
_AHEAD: Final = 2
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
    _raise_worst(failures)


def gathered(
    read: Callable[[int], Iterator[_Item]], numbers: Iterable[int], stop: Stop, most: int = PARALLEL
) -> Iterator[_Item]:
    """Yield what ``read`` yields for every number, read in at most eight threads, as it comes.

    The threads stay two items each ahead of the caller. The first failure stops the others and is raised; so does a
    caller who takes no more.

    :param read: called with one number; it watches ``stop``.
    :param numbers: begun in this order.
    :param stop: set on failure, and when the caller takes no more.
    :param most: fewer threads than eight.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    count = 0
    for number in numbers:
        waiting.put(number)
        count += 1
    most = min(count, most)
    if most <= 1:
        for _ in range(count):
            yield from read(waiting.get())
        return
    ready: queue.Queue[_Item | _Ended] = queue.Queue(most * _AHEAD)

    def hand_over(item: _Item | _Ended) -> None:
        while not stop.is_set() or isinstance(item, _Ended):
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=_LOOK)
                return
            if stop.abandoned:
                return

    def drain() -> None:
        failure: BaseException | None = None
        try:
            while not stop.is_set():
                try:
                    number = waiting.get_nowait()
                except queue.Empty:
                    break
                for item in read(number):
                    hand_over(item)
        except BaseException as raised:  # noqa: BLE001 - raised again in the thread that waits
            failure = raised
            stop.set()
        hand_over(_Ended(failure))

    threads = [threading.Thread(target=drain, name=f"window-{n}", daemon=True) for n in range(most)]
    failures: list[BaseException] = []
    ended = 0
    try:
        for thread in threads:
            thread.start()
        while ended < most:
            item = _wait_for(ready)
            if isinstance(item, _Ended):
                ended += 1
                failures += [item.failure] if item.failure is not None else []
            elif not stop.is_set():
                yield item
    finally:
        if ended < most:
            stop.abandoned = True
            stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join(_GRACE / most)
    _raise_worst(failures)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A thread has no more to give.

    :param failure: why, if not because all is read.
    """

    failure: BaseException | None


def _raise_worst(failures: list[BaseException]) -> None:
    real = [failure for failure in failures if not isinstance(failure, Stopped)]
    if real:
        # A pause is raised only if nothing worse happened: the worse needs somebody to know.
        raise next((failure for failure in real if not isinstance(failure, ExtractionPaused)), real[0])


def _wait_for(ended: queue.SimpleQueue[_Item] | queue.Queue[_Item]) -> _Item:
    while True:
        with contextlib.suppress(queue.Empty):
            return ended.get(timeout=_LOOK)
