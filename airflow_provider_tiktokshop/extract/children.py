"""Reads the rows of a stream that is asked for by the ids of its parent's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from airflow_provider_tiktokshop.api.exceptions import ApiError, PagingError
from airflow_provider_tiktokshop.api.paging import Page
from airflow_provider_tiktokshop.extract.rows import dig
from airflow_provider_tiktokshop.extract.threads import Stopped, in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.extract.threads import Stop
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["Ask", "Children"]

# Rows are handed on in pages of at least this many: one request often gives a single row.
_PAGE: Final = 100
# Requests of a group for each thread that sends them: enough that none waits long for the slowest of a group.
_DEEP: Final = 4
# "There is no such order" and "no such return": what was there when its page was read has gone. It has no children, and
# asking again would stop every later run at the same place.
_GONE: Final = frozenset({21001001, 25020005})


class Ask(NamedTuple):
    """A request for children.

    :param ids: their parents.
    :param day: start of the day that they are about, Unix seconds, for figures.
    """

    ids: tuple[str, ...]
    day: int | None


class Children:
    """Asks for the children of parent rows, as many parents at a time as the endpoint takes.

    :param stream: the stream of the children.
    :param fetch: asks for one page.
    :param stop: set when nothing more is to be sent.
    """

    def __init__(self, stream: Stream, fetch: Callable[[Ask, str | None], Page], stop: Stop) -> None:
        if stream.parent is None:
            raise ValueError(f"{stream.name} has no parent")
        self._stream, self._parent = stream, stream.parent
        self._fetch, self._stop = fetch, stop
        self.gone: set[str] = set()
        """Parents that the service knows no more."""

    def of(
        self, parents: Iterable[list[Row]], day: int | None, threads: int, finished: set[str] | None = None
    ) -> Iterator[list[Row]]:
        """Yield the rows that belong to ``parents``, in their order.

        When a request fails, what came before it is given first: a quota that is used up may be smaller than a page of
        parents, and those would never come to an end if all that they cost was lost each time.

        :param parents: pages of them.
        :param day: start of the day that the parents are about.
        :param threads: how many requests may be under way at once.
        :param finished: ids of parents that are not asked for: their rows are kept already. It grows when rows are given,
            by those parents whose rows are now all given. ``None``: nobody keeps what comes before a failure.
        """
        gathered: list[Row] = []
        complete: list[str] = []
        failure: Exception | None = None
        try:
            for ask, rows, more in self._all(parents, day, threads, frozenset(finished or ())):
                if more and gathered:
                    # A parent that takes several requests begins a page, so that before it everything is whole.
                    self._finish(complete, finished)
                    yield gathered
                    gathered = []
                gathered += rows
                if not more:
                    complete += ask.ids
                if gathered and (more or len(gathered) >= _PAGE):
                    self._finish(complete, finished)
                    yield gathered
                    gathered = []
        except Exception as raised:  # noqa: BLE001 - raised again below
            failure = raised
        if (gathered and failure is None) or (finished is not None and (gathered or complete)):
            self._finish(complete, finished)
            yield gathered
        if failure is not None:
            raise failure

    @staticmethod
    def _finish(complete: list[str], finished: set[str] | None) -> None:
        if finished is not None:
            finished.update(complete)
            complete.clear()

    def _all(
        self, parents: Iterable[list[Row]], day: int | None, threads: int, finished: Collection[str]
    ) -> Iterator[tuple[Ask, list[Row], bool]]:
        """Yield the pages of every request in turn, and whether more of its pages follow."""
        deep = threads * _DEEP if threads > 1 else 1
        for page in parents:
            asks = self._asks(page, day if self._stream.cursors else None, finished)
            for start in range(0, len(asks), deep):
                yield from self._answers(asks[start : start + deep], threads)

    def _asks(self, parents: list[Row], day: int | None, finished: Collection[str]) -> list[Ask]:
        parent = self._parent
        wanted: dict[str, None] = {}
        for row in parents:
            value = dig(row, parent.field)
            if value not in {None, ""} and all(dig(row, name) == must for name, must in parent.only):
                wanted[str(value)] = None  # several parents may name one child
        ids = tuple(one for one in wanted if one not in finished)
        return [Ask(ids[start : start + parent.batch], day) for start in range(0, len(ids), parent.batch)]

    def _answers(self, asks: list[Ask], threads: int) -> Iterator[tuple[Ask, list[Row], bool]]:
        """Yield the pages of some requests: first pages are read side by side, what follows them one by one."""
        firsts: list[Page | None] = [None] * len(asks)

        def read(number: int) -> None:
            firsts[number] = self._first(asks[number])

        try:
            in_parallel(read, range(len(asks)), self._stop, threads)
            if None in firsts:
                raise Stopped  # noqa: TRY301 - on purpose: what is whole is given first
            for number, ask in enumerate(asks):
                page, firsts[number] = firsts[number], None  # what has been given is not kept
                if page is not None:
                    yield from self._pages(ask, page)
        except Exception:
            # What came side by side with the failure, and is whole, need not be asked for again.
            for ask, page in zip(asks, firsts, strict=True):
                if page is not None and page.next_page_token is None:
                    yield ask, page.rows, False
            raise

    def _first(self, ask: Ask) -> Page:
        try:
            return self._fetch(ask, None)
        except ApiError as refusal:
            if refusal.code not in _GONE:
                raise
        if len(ask.ids) == 1:
            self.gone.update(ask.ids)
            return Page([], None, 0, None, {})
        # One of several has gone, and the answer does not say which.
        half = len(ask.ids) // 2
        rows: list[Row] = []
        for ids in (ask.ids[:half], ask.ids[half:]):
            part = ask._replace(ids=ids)
            for _, read, _ in self._pages(part, self._first(part)):
                rows += read
        return Page(rows, None, len(rows), None, {})

    def _pages(self, ask: Ask, page: Page) -> Iterator[tuple[Ask, list[Row], bool]]:
        """Yield the pages of one request, of which the first has come."""
        used: set[str] = set()
        while True:
            token = page.next_page_token
            yield ask, page.rows, token is not None
            if token is None:
                return
            if token in used:
                raise PagingError(
                    "The service handed out a page token a second time.",
                    endpoint=f"{self._stream.method} {self._stream.path}",
                )
            used.add(token)
            page = self._fetch(ask, token)
