"""Extracts a stream: every row of an interval, once, into files that a manifest describes."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.extract.errors import ExtractionPaused, IntervalError
from airflow_provider_tiktokshop.extract.filesystem import open_directory
from airflow_provider_tiktokshop.extract.personal import Pii, key_id, protector
from airflow_provider_tiktokshop.extract.plan import Plan, iso, make_plan
from airflow_provider_tiktokshop.extract.position import Trust
from airflow_provider_tiktokshop.extract.reading import PAUSE, Reader
from airflow_provider_tiktokshop.extract.run import Progress, Run
from airflow_provider_tiktokshop.extract.windows import Moment, moment, settled
from airflow_provider_tiktokshop.extract.writers import format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from airflow_provider_tiktokshop.api.client import TikTokShopClient
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.api.tokens import CategoryAsset, Shop
    from airflow_provider_tiktokshop.extract.manifest import Manifest
    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["Progress", "extract", "records", "settled_end"]


def extract(
    stream: str | Stream,
    client: TikTokShopClient,
    shop: Shop | None,
    start: Moment,
    end: Moment,
    output: Any,
    *,
    cursor_field: str | None = None,
    windows: int | None = None,
    filters: Mapping[str, Any] | None = None,
    format: str = "jsonl.gz",  # noqa: A002 - settled name
    pii: Pii = "keep",
    pii_key: bytes | str | None = None,
    lookback: Any = None,
    settle: Any = None,
    version: str | Mapping[str, str] | None = None,
    page_size: int | None = None,
    open_id: str | None = None,
    category_asset: CategoryAsset | None = None,
    rows_per_part: int | None = None,
    clock: Clock = SYSTEM_CLOCK,
    progress: Callable[[Progress], None] | None = None,
    now: Moment | None = None,
) -> Manifest:
    """Write every row of a stream whose cursor lies in [start, end) to files, each primary key once, and describe them.

    Calling it again for the same interval replaces the files; nothing is visible through the manifest until all is there.
    Calling it again after it was killed or paused, with the same options, goes on where it stopped.

    :param stream: the stream or its name.
    :param client: the client; its rate budget is shared by all windows.
    :param shop: the shop, ``None`` only for a stream that belongs to none. Its region decides which days figures are of.
    :param start: start of the interval, included: an aware datetime, ISO 8601 text with a zone, or Unix seconds.
    :param end: its end, excluded. An end that has just passed is waited for until it is ``settle`` seconds old. If it lies
        in the future, reading stops at ``now - settle`` and the manifest says so (``complete_until``).
    :param output: where to: a local path, ``UPath`` or ``ObjectStoragePath``. Files go to
        ``{output}/{stream}/shop_id={id}/start={start}/end={end}/``.
    :param cursor_field: the time field that the interval is about. Default: the stream's own.
    :param windows: how many windows to split the interval into; the rows are the same. Default: one an hour, at most 8,
        and more where so many rows cluster that threads would idle.
    :param filters: more conditions, as the endpoint names them.
    :param format: ``jsonl.gz`` or ``parquet``.
    :param pii: ``keep``, ``hash`` or ``drop`` the stream's personal fields.
    :param pii_key: key for ``hash``, at least 16 bytes.
    :param lookback: seconds (or timedelta) to reach back before ``start``. Default: the stream's own.
    :param settle: seconds (or timedelta) that ``end`` must lie in the past. Default: the stream's own.
    :param version: version of the endpoint, or a mapping from streams to versions where parents' matter too. Default: the
        newest known.
    :param page_size: rows of a page. Default: the most that the endpoint gives.
    :param open_id: whose authorization the client uses. Rows of a stream that belongs to no shop go to
        ``open_id={16 hex digits of its sha256}`` instead of ``shop_id={id}``.
    :param category_asset: an affiliate partner's market and category, for streams that need its cipher.
    :param rows_per_part: rows of a file. Default: 50,000 for ``jsonl.gz`` on a local disk, 10,000 otherwise.
    :param clock: the clock.
    :param progress: called after every page, from the threads that read.
    :param now: the present, instead of the clock's.
    :returns: the manifest, already written beside the files.
    :raises OptionError: an option or the interval cannot work; nothing was sent.
    :raises ExtractionPaused: a quota is used up or the end is not settled for more than two minutes: call again later.
    :raises UnstableWindowError: no reading of some window was consistent.
    :raises AnotherRunError: another run is writing the same interval.
    :raises TikTokShopError: what the service answered; what was read so far is kept for the next call.
    """
    plan = make_plan(
        stream,
        shop,
        start,
        end,
        cursor_field=cursor_field,
        windows=windows,
        filters=filters,
        lookback=lookback,
        settle=settle,
        version=version,
        page_size=page_size,
        open_id=open_id,
        category_asset=category_asset,
    )
    stored = {"format": format, "pii": pii, "pii_key_id": key_id(pii_key) if pii == "hash" else None}
    protect = protector(pii, plan.stream.personal_fields, pii_key)
    layout = format_of(format, plan.stream)
    directory = open_directory(output, *plan.place())
    with directory.lock():
        run = Run(
            plan,
            client,
            directory,
            layout=layout,
            protect=protect,
            stored=stored,
            rows_per_part=rows_per_part,
            clock=clock,
            progress=progress,
        )
        return run.run(lambda: settled_end(plan, client, clock, now))


def records(
    stream: str | Stream,
    client: TikTokShopClient,
    shop: Shop | None,
    start: Moment,
    end: Moment,
    *,
    cursor_field: str | None = None,
    lookback: Any = 0,
    settle: Any = None,
    version: str | Mapping[str, str] | None = None,
    page_size: int | None = None,
    open_id: str | None = None,
    category_asset: CategoryAsset | None = None,
    pii: Pii = "keep",
    pii_key: bytes | str | None = None,
    clock: Clock = SYSTEM_CLOCK,
    now: Moment | None = None,
    **filters: Any,
) -> Iterator[Row]:
    """Yield every row of a stream whose cursor lies in [start, end), each primary key once, without writing files.

    Rows come in the order of the cursor, while later pages are still to be read. A row that is updated meanwhile comes
    as it was first seen: its newer version belongs to a later interval. The primary keys given so far stay in memory.

    :param filters: more conditions, as the endpoint names them.
    :returns: the rows. Options are checked before the first one is asked for.
    :raises IntervalError: also when ``end`` lies in the future, because an iterator cannot say where it stopped.

    The other parameters and errors are those of :func:`extract`; look-back is none unless asked for.
    """
    plan = make_plan(
        stream,
        shop,
        start,
        end,
        cursor_field=cursor_field,
        filters=filters,
        lookback=lookback,
        settle=settle,
        version=version,
        page_size=page_size,
        open_id=open_id,
        category_asset=category_asset,
    )
    protect = protector(pii, plan.stream.personal_fields, pii_key)

    return _records(plan, client, clock, now, protect)


def _records(
    plan: Plan,
    client: TikTokShopClient,
    clock: Clock,
    now: Moment | None,
    protect: Callable[[Row], None] | None,
) -> Iterator[Row]:
    until = settled_end(plan, client, clock, now)
    if until < plan.end:
        raise IntervalError(f"The interval ends at {iso(plan.end)}, in the future.", advice="End it now at the latest.")
    reader, identity, trust = Reader(plan, client, clock), plan.identity(), Trust(tokens=not plan.filters)
    given: set[Hashable] = set()
    for window in plan.split(until, 1):
        for batch in plan.sweep(window, reader.page, trust):
            for row in chain.from_iterable(reader.rows(batch.rows, window.start if window else None)):
                key = identity.key(row)
                if key not in given:
                    given.add(key)
                    if protect is not None:
                        protect(row)
                    yield row


def settled_end(plan: Plan, client: TikTokShopClient, clock: Clock, now: Moment | None) -> int:
    """Return where reading ends, once everything before it is settled."""
    if plan.cursor is None:
        return plan.end
    # The service's clock decides what has happened; ours may be off by what it has told.
    present = clock.now() + client.clock_offset if now is None else moment(now, "now")
    history = plan.source.history
    if history is not None and plan.start < present - history:
        raise IntervalError(
            f"{plan.source.name} looks back {history // 86_400} days, and the interval starts at {iso(plan.start)}.",
            advice=f"Start it after {iso(int(present) - history)}.",
        )
    until, wait = settled(plan.start, plan.end, plan.settle, present)
    if wait >= PAUSE:
        raise ExtractionPaused(
            f"The interval ended at {iso(plan.end)} and is settled {plan.settle} seconds later.",
            advice=f"Call again in {wait:.0f} seconds.",
            resume_after=wait,
        )
    ready = clock.boottime() + wait
    while (left := ready - clock.boottime()) > 0:
        clock.sleep(left)
    return until
