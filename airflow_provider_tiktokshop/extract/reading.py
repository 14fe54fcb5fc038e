"""Asks for pages, and for the children of their rows; hands each page to whoever keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from airflow_provider_tiktokshop.api.exceptions import QuotaExhausted, RateLimited
from airflow_provider_tiktokshop.api.paging import Page
from airflow_provider_tiktokshop.extract.children import Ask, Children
from airflow_provider_tiktokshop.extract.errors import ExtractionPaused
from airflow_provider_tiktokshop.extract.threads import Stop, Stopped, in_parallel
from airflow_provider_tiktokshop.extract.windows import PARALLEL
from airflow_provider_tiktokshop.streams.asking import complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_provider_tiktokshop.api.client import TikTokShopClient
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.extract.plan import Plan
    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.extract.windows import Window
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["PAUSE", "Reader", "Stopped", "in_parallel"]

PAUSE: Final = 120.0
"""Seconds from which a wait is not sat out: the worker is better used by others."""

_SHORT_WAITS: Final = 5
# No quota is longer than a day; whoever asks for more time has made a mistake.
_LONGEST_PAUSE: Final = 86_400.0
# A request that asks for the oldest moment there is must not be too old by the time it arrives.
_ON_THE_WAY: Final = 120

_Result = TypeVar("_Result")


class Reader:
    """Asks for the pages of a plan.

    :param plan: what is extracted.
    :param client: the client; it may be shared among threads.
    :param clock: the clock.
    """

    def __init__(self, plan: Plan, client: TikTokShopClient, clock: Clock) -> None:
        self.stop = Stop()
        self.windows = 1
        """How many windows are read side by side; with few of them their children are."""
        self._plan, self._client, self._clock = plan, client, clock
        self._firsts: dict[tuple[int | None, int | None], Page] = {}
        self._children = [Children(stream, self._asker(stream), self.stop) for stream in plan.below]

    def page(self, start: int | None, end: int | None, token: str | None) -> Page:
        """Return one page of the rows with a cursor in [start, end), ascending.

        :raises ExtractionPaused: a quota is used up, for longer than is worth waiting.
        :raises Stopped: another window has failed.
        """
        if token is None and (first := self._firsts.pop((start, end), None)) is not None:
            return first
        return self._page(start, end, token, self._plan.page_size)

    @property
    def gone(self) -> int:
        """How many parents the service knew no more when their children were asked for."""
        return sum(len(children.gone) for children in self._children)

    def look(self, windows: Sequence[Window]) -> list[int | None]:
        """Read the first pages of some windows, to give them when they are asked for.

        :returns: how many rows each window has, ``None`` where the service does not say.
        """

        def read(window: Window) -> int | None:
            page = self._firsts[window.start, window.end] = self._page(
                window.start, window.end, None, self._plan.page_size
            )
            return page.total_count

        return self._all(read, windows)

    def count(self, windows: Sequence[Window]) -> list[int | None]:
        """Return how many rows some windows have, ``None`` where the service does not say."""
        least = self._plan.source.paging.size_min
        return self._all(lambda window: self._page(window.start, window.end, None, least).total_count, windows)

    def keep(self, windows: Sequence[Window]) -> None:
        """Drop the first pages of all windows but these."""
        wanted = {(window.start, window.end) for window in windows}
        self._firsts = {edges: page for edges, page in self._firsts.items() if edges in wanted}

    def _all(self, ask: Callable[[Window], int | None], windows: Sequence[Window]) -> list[int | None]:
        answers: list[int | None] = [None] * len(windows)

        def one(number: int) -> None:
            answers[number] = ask(windows[number])

        in_parallel(one, range(len(windows)), self.stop)
        return answers

    def _page(self, start: int | None, end: int | None, token: str | None, page_size: int | None) -> Page:
        plan, source = self._plan, self._plan.source
        if source.history is not None and start is not None and end is not None:
            start = max(start, self.oldest(source.history))
            if start >= end:
                return Page([], None, 0, None, {})
        params, body = plan.request(start, end)
        return self._ask(source, plan.request_path(start), params, body, page_size, token, day=plan.date(start))

    def oldest(self, history: int) -> int:
        """Return the first moment that an endpoint looks back to, Unix seconds.

        :param history: seconds that it looks back.
        """
        return int(self._clock.now() + self._client.clock_offset) - history + _ON_THE_WAY

    def rows(self, read: list[Row], start: int | None = None, finished: set[str] | None = None) -> Iterator[list[Row]]:
        """Yield the rows to keep for the rows of a page: themselves, or the children of these parents, page by page.

        :param read: the rows of a page.
        :param start: start of the window that it is of.
        :param finished: ids of parents whose children are kept already; it grows with what is given. Where parents have
            parents of their own nobody can tell, and it stays as it is.
        """
        kept: Iterable[list[Row]] = [read] if read else []
        day = start if self._plan.date(start) is not None else None
        for children in self._children:
            threads = max(1, PARALLEL // max(1, self.windows))
            kept = children.of(kept, day, threads, finished if len(self._children) == 1 else None)
        yield from kept

    def check(self) -> None:
        """Raise ``Stopped`` if another window has failed."""
        if self.stop.is_set():
            raise Stopped

    def check_abandoned(self) -> None:
        """Raise ``Stopped`` if nobody waits for what is read any more."""
        if self.stop.abandoned:
            raise Stopped

    def _asker(self, stream: Stream) -> Callable[[Ask, str | None], Page]:
        plan, size = self._plan, stream.paging.size_max if stream.paging.token_in else None

        def fetch(ask: Ask, token: str | None) -> Page:
            path, params, body = plan.request_for(stream, ask.ids, ask.day)
            day = plan.date(ask.day)
            return self._ask(stream, path, params, body, size, token, parents=ask.ids, day=day)

        return fetch

    def _ask(
        self,
        stream: Stream,
        path: str,
        params: dict[str, object],
        body: dict[str, object],
        page_size: int | None,
        token: str | None,
        *,
        parents: tuple[str, ...] = (),
        day: str | None = None,
    ) -> Page:
        shop, asset = self._plan.shop, self._plan.asset
        page = self._patiently(
            lambda: self._client.page(
                stream.method,
                path,
                list_key=stream.list_key,
                params=params,  # type: ignore[arg-type]
                body=body or None,
                page_size=page_size,
                page_token=token,
                token_in=stream.paging.token_in,
                shop=shop if stream.needs_shop_cipher else None,
                category_asset_cipher=asset.cipher if asset and stream.needs_asset_cipher else None,
                patience=PAUSE,
            )
        )
        if not stream.added_fields and not stream.scalar:
            return page
        rows = complete(
            stream,
            page.rows,
            page.data,
            shop_id=shop.id if shop else None,
            parent_id=parents[0] if len(parents) == 1 else None,
            date=day,
        )
        return replace(page, rows=rows)

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
        wait = min(wait, _LONGEST_PAUSE)
        raise ExtractionPaused(
            f"{reason} Everything read so far is kept.",
            advice=f"Call it again in {wait:.0f} seconds; it goes on from there.",
            resume_after=wait,
        )
