"""Reads windows in parallel threads: asks for pages, sweeps, and hands each page to whoever keeps it."""

from __future__ import annotations

import queue
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from airflow_provider_tiktokshop.api.exceptions import QuotaExhausted, RateLimited
from airflow_provider_tiktokshop.extract.children import Children
from airflow_provider_tiktokshop.extract.errors import ExtractionPaused
from airflow_provider_tiktokshop.extract.windows import PARALLEL
from airflow_provider_tiktokshop.streams.asking import complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_tiktokshop.api.client import Page, TikTokShopClient
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.extract.plan import Plan
    from airflow_provider_tiktokshop.extract.rows import Row

__all__ = ["PAUSE", "Reader", "Stopped", "in_parallel"]

PAUSE: Final = 120.0
"""Seconds from which a wait is not sat out: the worker is better used by others."""

_SHORT_WAITS: Final = 5
# What a cancelled task may take to let pages in flight be dropped; Airflow kills it 5 seconds after SIGTERM.
_GRACE: Final = 3.0

_Result = TypeVar("_Result")


class Stopped(Exception):
    """Another window has failed; this one goes no further."""


class Reader:
    """Asks for the pages of a plan.

    :param plan: what is extracted.
    :param client: the client; it may be shared among threads.
    :param clock: the clock.
    """

    def __init__(self, plan: Plan, client: TikTokShopClient, clock: Clock) -> None:
        self.stop = threading.Event()
        self._plan, self._client, self._clock = plan, client, clock
        self._children = [Children(plan, child, client) for child in plan.below]
        self._whole = not (plan.source.added_fields or plan.source.scalar)

    def page(self, start: int | None, end: int | None, token: str | None) -> Page:
        """Return one page of the rows with a cursor in [start, end), ascending.

        :raises ExtractionPaused: a quota is used up, for longer than is worth waiting.
        :raises Stopped: another window has failed.
        """
        plan, source = self._plan, self._plan.source
        params, body = plan.request(start, end)
        page = self._patiently(
            lambda: self._client.page(
                source.method,
                plan.request_path(start),
                list_key=source.list_key,
                params=params,
                body=body or None,
                page_size=plan.page_size,
                page_token=token,
                token_in=source.paging.token_in,
                shop=plan.shop if source.needs_shop_cipher else None,
            )
        )
        if self._whole:
            return page
        shop_id = plan.shop.id if plan.shop else None
        return replace(page, rows=complete(source, page.rows, page.data, shop_id=shop_id, date=plan.date(start)))

    def rows(self, read: list[Row]) -> list[Row]:
        """Return the rows to keep for the rows of a page: themselves, or the children of these parents."""
        for children in self._children:
            if read:
                read = self._patiently(partial(children.of, read))
        return read

    def check(self) -> None:
        """Raise ``Stopped`` if another window has failed."""
        if self.stop.is_set():
            raise Stopped

    def _patiently(self, ask: Callable[[], _Result]) -> _Result:
        wait = PAUSE
        for _ in range(_SHORT_WAITS):
            self.check()
            try:
                return ask()
            except QuotaExhausted as refusal:
                wait = refusal.resume_after
                reason = str(refusal)
            except RateLimited as refusal:
                if refusal.retry_after is None or refusal.retry_after < PAUSE:
                    raise
                wait = refusal.retry_after
                reason = str(refusal)
            if wait >= PAUSE:
                break
            self._clock.sleep(wait)
        raise ExtractionPaused(
            f"{reason} Everything read so far is kept.",
            advice=f"Call it again in {wait:.0f} seconds; it goes on from there.",
            resume_after=wait,
        )


def in_parallel(work: Callable[[int], None], numbers: Iterable[int], stop: threading.Event) -> None:
    """Do ``work`` for every number, in at most eight threads; the first failure stops the others and is raised.

    :param work: called with one number; it watches ``stop``.
    :param numbers: begun in this order.
    :param stop: set on failure, and when this thread is interrupted.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    count = 0
    for number in numbers:
        waiting.put(number)
        count += 1
    if count == 1:
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
    threads = [threading.Thread(target=drain, name=f"window-{n}", daemon=True) for n in range(min(count, PARALLEL))]
    try:
        for thread in threads:
            thread.start()
        failures = [failure for _ in threads if (failure := ended.get()) is not None]
    except BaseException:
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join(_GRACE / len(threads))
        raise
    real = [failure for failure in failures if not isinstance(failure, Stopped)]
    if real:
        # A pause is raised only if nothing worse happened: the worse needs somebody to know.
        raise next((failure for failure in real if not isinstance(failure, ExtractionPaused)), real[0])
