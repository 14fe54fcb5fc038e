"""Streams as dlt resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop import streams as catalogue
from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.dlt_source.hints import table_hints
from airflow_provider_tiktokshop.dlt_source.owners import is_hook, owners_of
from airflow_provider_tiktokshop.dlt_source.reading import BEHIND, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from dlt import Pipeline
    from dlt.extract import DltResource, DltSource

    from airflow_provider_tiktokshop.api.client import Shop, TikTokShopClient
    from airflow_provider_tiktokshop.api.tokens import CategoryAsset
    from airflow_provider_tiktokshop.dlt_source.owners import Hook
    from airflow_provider_tiktokshop.extract.personal import Pii
    from airflow_provider_tiktokshop.extract.rows import Row
    from airflow_provider_tiktokshop.extract.windows import Moment
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["caught_up", "tiktokshop_resource", "tiktokshop_source"]


def tiktokshop_resource(
    stream: str | Stream,
    connection: TikTokShopClient | Hook,
    shops: Iterable[Shop] | Iterable[Mapping[str, str]] | None = None,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    chunk: Any = None,
    cursor_field: str | None = None,
    windows: int | None = None,
    filters: Mapping[str, Any] | None = None,
    lookback: Any = None,
    settle: Any = None,
    version: str | Mapping[str, str] | None = None,
    page_size: int | None = None,
    pii: Pii = "keep",
    pii_key: bytes | str | None = None,
    open_id: str | None = None,
    category_asset: CategoryAsset | None = None,
    max_table_nesting: int | None = None,
) -> DltResource:
    """Return a stream as a dlt resource, of the stream's name, for ``pipeline.run``.

    Rows are merged by their primary key and ``shop_id``, which is added to them: of several versions the newest stays,
    and whatever is loaded twice is there once. Three ways to read:

    - ``start`` and ``end``: the rows of this interval, as an Airflow run has one. dlt's state is not used.
    - ``start`` alone: the first run reads from there to the present, each later one from where the last one that was
      loaded had ended, for each shop by itself. ``start`` moved forward skips what is before it.
    - a stream that has only a present (warehouses, unsettled transactions, …) is read whole; what a shop has no more is
      removed. ``start`` and ``end`` mean nothing to it.

    :param stream: the stream or its name.
    :param connection: a ``TikTokShopHook``, or a client for a script without Airflow.
    :param shops: whose rows. With a hook ``[{"open_id": …, "shop_id": …}]``, by default the hook's own shop where it names
        one, else ``hook.targets(stream)``. With a client its shops, by default ``client.shops()``.
    :param start: an aware datetime, ISO 8601 text with a zone, or Unix seconds; included.
    :param end: excluded. One that has just passed is waited for until it is settled.
    :param chunk: seconds or timedelta that one run goes on at most. See :func:`caught_up`.
    :param cursor_field: the time field that intervals are about. Default: the stream's own.
    :param windows: how many windows are read side by side. Default: one an hour, at most 8.
    :param filters: more conditions, as the endpoint names them. Other filters have a state of their own.
    :param lookback: seconds or timedelta to reach back before the start. Default: the stream's own.
    :param settle: seconds or timedelta that the end must lie in the past. Default: the stream's own.
    :param version: version of the endpoint, or a mapping from streams to versions.
    :param page_size: rows of a page.
    :param pii: ``keep``, ``hash`` or ``drop`` the stream's personal fields; dropped ones have no column.
    :param pii_key: key for ``hash``, at least 16 bytes. With a hook by default the connection's.
    :param open_id: with a client, whose authorization it has; for streams that belong to no shop.
    :param category_asset: with a client, an affiliate partner's market and category, for streams that need its cipher.
    :param max_table_nesting: levels of objects and lists that become columns and tables; what is deeper becomes JSON.
        Default: all.
    :returns: the resource. Options are checked and shops looked up before this returns; rows are read by the pipeline.
    :raises ConfigurationError: dlt is not installed.
    :raises OptionError: an option or the interval cannot work.
    :raises UnknownStreamError: there is no such stream.
    """
    dlt = _dlt()
    if isinstance(stream, str):
        stream = catalogue.get(stream)
    owners = owners_of(stream, connection, shops, open_id=open_id, category_asset=category_asset)
    if pii == "hash" and pii_key is None and is_hook(connection):
        pii_key = connection.wiring.pii_key
    reading = Reading.checked(
        stream,
        owners[0],
        start=start,
        end=end,
        chunk=chunk,
        pii=pii,
        pii_key=pii_key,
        cursor_field=cursor_field,
        windows=windows,
        filters=filters,
        lookback=lookback,
        settle=settle,
        version=version,
        page_size=page_size,
    )
    hints = table_hints(
        stream, owners[0].columns, snapshot=reading.snapshot, pii=pii, max_table_nesting=max_table_nesting
    )

    # Without arguments: dlt would look for them in its configuration, and keep them in its trace.
    def rows() -> Iterator[list[Row]]:
        yield from reading.rows(owners, dlt.current.resource_state)

    resource: DltResource = dlt.resource(rows, name=stream.name, **hints)
    return resource


def tiktokshop_source(
    connection: TikTokShopClient | Hook,
    streams: Iterable[str | Stream],
    shops: Iterable[Shop] | Iterable[Mapping[str, str]] | None = None,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    max_table_nesting: int | None = None,
    **options: Any,
) -> DltSource:
    """Return several streams as a dlt source named ``tiktokshop``, each a resource.

    :param connection: see :func:`tiktokshop_resource`, like the rest.
    :param streams: what to read.
    :param shops: whose; for streams that belong to no shop this is left out of account with a client.
    :param start: see :func:`tiktokshop_resource`.
    :param end: see :func:`tiktokshop_resource`.
    :param max_table_nesting: see :func:`tiktokshop_resource`.
    :param options: more for all of them. For options of single streams hand ``pipeline.run`` a list of resources instead.
    """
    dlt = _dlt()
    named: list[Any] | None = None if shops is None else list(shops)
    resources = [
        tiktokshop_resource(
            stream, connection, named, start=start, end=end, max_table_nesting=max_table_nesting, **options
        )
        for stream in streams
    ]
    source: DltSource = dlt.source(lambda: resources, name="tiktokshop", max_table_nesting=max_table_nesting)()
    return source


def caught_up(pipeline: Pipeline, loaded: DltSource | DltResource) -> bool:
    """Return whether the last run reached the present, or ``chunk`` made it stop before.

    .. code-block:: python

        while True:
            orders = tiktokshop_resource("orders", client, start="2024-01-01T00:00:00Z", chunk=timedelta(days=7))
            pipeline.run(orders)
            if caught_up(pipeline, orders):
                break

    :param pipeline: the pipeline that ran.
    :param loaded: what it ran.
    """
    names = set(getattr(loaded, "selected_resources", None) or [loaded.name])
    return not any(
        resource.get(BEHIND)
        for source in pipeline.state.get("sources", {}).values()
        for name, resource in source.get("resources", {}).items()
        if name in names
    )


def _dlt() -> ModuleType:
    try:
        import dlt
    except ImportError:
        raise ConfigurationError(
            "dlt is not installed.",
            advice="Install it with what the destination needs: pip install 'airflow-provider-tiktokshop[dlt]' 'dlt[duckdb]'.",
        ) from None
    return dlt
