"""Reads a plan page by page for whoever keeps rows by their primary key, as databases do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.extract.position import Trust
from airflow_provider_tiktokshop.extract.reading import Reader
from airflow_provider_tiktokshop.extract.threads import gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tiktokshop.api.client import TikTokShopClient
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.extract.plan import Plan
    from airflow_provider_tiktokshop.extract.rows import Row

__all__ = ["pages"]


def pages(
    plan: Plan, client: TikTokShopClient, until: int, *, clock: Clock, protect: Callable[[Row], None] | None = None
) -> Iterator[list[Row]]:
    """Yield every row of a plan up to ``until``, in pages, its windows side by side. Nothing that was given is kept.

    The pages of different windows come in no order. A row that changes meanwhile may come again, later: whoever takes
    them keeps the latest of each primary key. What has changed out of the interval stays given.

    :param plan: what to read.
    :param client: the client.
    :param until: where reading ends, Unix seconds.
    :param clock: the clock.
    :param protect: changes a row's personal fields in place.
    :raises ExtractionError: also when a row has no primary key.
    """
    reader, identity, trust = Reader(plan, client, clock), plan.identity(), Trust(tokens=not plan.filters)
    windows = plan.split(until)
    reader.windows = len(windows)

    def read(number: int) -> Iterator[list[Row]]:
        window = windows[number]
        for batch in plan.sweep(window, reader.page, trust):
            reader.check()
            for rows in reader.rows(batch.rows, window.start if window else None):
                for row in rows:
                    identity.key(row)
                    if protect is not None:
                        protect(row)
                if rows:
                    yield rows

    yield from gathered(read, range(len(windows)), reader.stop)
