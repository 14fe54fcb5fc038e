"""Reads the rows of a stream that is asked for by the ids of its parent's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from airflow_provider_tiktokshop.api.exceptions import PagingError
from airflow_provider_tiktokshop.extract.rows import dig
from airflow_provider_tiktokshop.extract.threads import Stopped, in_parallel

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_tiktokshop.api.client import Page
    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["Ask", "Children"]

# Rows are handed on in pages of at least this many: one request often gives a single row.
_PAGE: Final = 100
# Requests of a group for each thread that sends them: enough that none waits long for the slowest of a group.
_DEEP: Final = 4


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

    def __init__(self, stream: Stream, fetch: Callable[[Ask, str | None], Page], stop: threading.Event) -> None:
        if stream.parent is None:
            raise ValueError(f"{stream.name} has no parent")
        self._stream, self._parent = stream, stream.parent
        self._fetch, self._stop = fetch, stop

    def of(self, parents: Iterable[list[Row]], day: int | None, threads: int) -> Iterator[list[Row]]:
        """Yield the rows that belong to ``parents``, in their order.

        :param parents: pages of them.
        :param day: start of the day that the parents are about.
        :param threads: how many requests may be under way at once.
        """
        gathered: list[Row] = []
        for page in parents:
            asks = self._asks(page, day if self._stream.cursors else None)
            deep = threads * _DEEP if threads > 1 else 1
            for start in range(0, len(asks), deep):
                for rows in self._answers(asks[start : start + deep], threads):
                    gathered += rows
                    if len(gathered) >= _PAGE:
                        yield gathered
                        gathered = []
        if gathered:
            yield gathered

    def _asks(self, parents: list[Row], day: int | None) -> list[Ask]:
        parent = self._parent
        wanted: dict[str, None] = {}
        for row in parents:
            value = dig(row, parent.field)
            if value not in {None, ""} and all(dig(row, name) == must for name, must in parent.only):
                wanted[str(value)] = None  # several parents may name one child
        ids = tuple(wanted)
        return [Ask(ids[start : start + parent.batch], day) for start in range(0, len(ids), parent.batch)]

    def _answers(self, asks: list[Ask], threads: int) -> Iterator[list[Row]]:
        """Yield the rows of each request in turn: first pages are read side by side, what follows them one by one."""
        firsts: list[Page | None] = [None] * len(asks)

        def read(number: int) -> None:
            firsts[number] = self._fetch(asks[number], None)

        in_parallel(read, range(len(asks)), self._stop, threads)
        if None in firsts:
            raise Stopped
        for number, ask in enumerate(asks):
            page, firsts[number] = firsts[number], None  # what has been given is not kept
            used: set[str] = set()
            while page is not None:
                yield page.rows
                token = page.next_page_token
                if token is None:
                    break
                if token in used:
                    raise PagingError(
                        "The service handed out a page token a second time.",
                        endpoint=f"{self._stream.method} {self._stream.path}",
                    )
                used.add(token)
                page = self._fetch(ask, token)
