"""Extracts one stream of one shop over one interval."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from airflow.sdk import BaseOperator

from airflow_provider_tiktokshop.operators.outlets import with_alias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from airflow.sdk import Context

    from airflow_provider_tiktokshop.extract import Progress
    from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
    from airflow_provider_tiktokshop.operators.refusals import MissingScope

__all__ = ["ASSET_ALIAS", "TikTokShopExtractOperator"]

ASSET_ALIAS = "tiktokshop_extracted"
PROGRESS_EVERY = 30.0  # seconds
_INTERVAL = {"start": "{{ data_interval_start }}", "end": "{{ data_interval_end }}"}
# A run without a data interval has no such variable at all, and Jinja's complaint about it would not say what to do.
_INTERVAL_IF_ANY = {
    "start": "{{ data_interval_start | default('', true) }}",
    "end": "{{ data_interval_end | default('', true) }}",
}
_EMPTY_INTERVAL = (
    ' In Airflow 3 a plain cron string (schedule="@daily") gives a run an empty data interval: use '
    'schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC") from airflow.timetables.interval, or pass start and end.'
)


class TikTokShopExtractOperator(BaseOperator):
    """Write every row of ``stream`` whose cursor lies in [start, end) to files, and return their manifest.

    Running it again for the same interval replaces the same files; a run that was killed resumes at its last closed
    file. Nothing is visible to readers of the manifest until all of it is there. A used-up quota frees the worker until
    the quota is fresh.

    Once the files are there it emits the assets ``tiktokshop://<app_key>/<stream>`` and
    ``tiktokshop://<app_key>/<stream>/shop_id=<id>`` with the interval, counts and the manifest's path, also when there were
    no rows.

    .. code-block:: python

        with DAG("orders", schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC"), ...):
            TikTokShopExtractOperator(
                task_id="orders", stream="orders", shop_id="7495…", output_path="s3://lake/tiktokshop"
            )

    :param stream: what to extract, for example ``orders``; a wrong name's error lists the names.
    :param output_path: directory or object-store URL (``s3://conn_id@bucket/prefix``). Files go to
        ``{output_path}/{stream}/shop_id={id}/start={start}/end={end}/``; with ``open_id={digest}`` instead for a stream
        that belongs to a seller, creator or partner and to no shop.
    :param shop_id: the shop. Without it the authorization must cover exactly one.
    :param open_id: the authorization. Without it the one that covers ``shop_id``, or the sole one.
    :param start: start of the interval, included: a datetime or ISO 8601 text. Default: the run's data interval.
    :param end: end of the interval, excluded.
    :param cursor_field: the time that the interval selects by, for example ``update_time`` (what changed) or
        ``create_time`` (what was made: for backfills). Default: the stream's own.
    :param windows: how many windows to split the interval into; they are fetched in parallel and give the same rows.
        Default: chosen by the engine.
    :param filters: more conditions, as the endpoint names them, for example ``{"order_status": "COMPLETED"}``.
    :param format: ``jsonl.gz``: rows as the service sent them, one JSON object a line; or ``parquet``: the columns that the
        stream declares, the same in every file, and ``_rest`` for what they cannot hold. It needs the extra ``[parquet]``
        where tasks run.
    :param pii: ``keep``, ``hash`` or ``drop`` personal fields such as the recipient's address.
    :param lookback: seconds or timedelta; how far to reach back before ``start`` for rows that changed late. Default:
        the stream's own.
    :param requests_per_second: replaces the connection's limit for each shop and endpoint.
    :param version: version of the endpoint, for example ``202309``; or a mapping from streams to versions, where those
        count that the stream gets its ids from. Default: the newest known.
    :param category_asset: an affiliate partner's market and category as ``TikTokShopHook.targets`` names it
        (``GB-601226``). Not needed when the authorization covers just one.
    :param missing_scope: whether a seller who has not granted the stream's scope makes the task ``fail``, or ``skip``. A
        refusal in a market that is known not to have the stream always skips it.
    :param tiktokshop_conn_id: the connection of the app.
    :return: the manifest: ``stream``, ``shop_id``, ``start``, ``end``, ``rows``, ``files`` (each ``path``, ``rows``,
        ``bytes``, ``sha256``), ``min_cursor``, ``max_cursor``, ``requests``, ``options``, ``manifest_path``.
    :raises AirflowFailException: retrying cannot help: no interval, unknown stream, no such shop, a seller whose
        authorization is gone.
    :raises AirflowSkipException: the service refused, and that was to be expected: see ``missing_scope``.
    """

    template_fields: Sequence[str] = (
        "tiktokshop_conn_id",
        "stream",
        "output_path",
        "shop_id",
        "open_id",
        "start",
        "end",
        "cursor_field",
        "windows",
        "filters",
        "format",
        "pii",
        "lookback",
        "requests_per_second",
        "version",
        "category_asset",
        "missing_scope",
    )
    template_fields_renderers = {"filters": "json"}  # noqa: RUF012 - the type that BaseOperator declares
    ui_color = "#f2f0ff"

    def __init__(
        self,
        *,
        stream: str,
        output_path: str,
        shop_id: str | None = None,
        open_id: str | None = None,
        start: str | datetime = "{{ data_interval_start }}",
        end: str | datetime = "{{ data_interval_end }}",
        cursor_field: str | None = None,
        windows: int | None = None,
        filters: dict[str, Any] | None = None,
        format: str = "jsonl.gz",  # noqa: A002 - settled name
        pii: Literal["keep", "hash", "drop"] = "keep",
        lookback: float | timedelta | None = None,
        requests_per_second: float | None = None,
        version: str | dict[str, str] | None = None,
        category_asset: str | None = None,
        missing_scope: MissingScope = "fail",
        tiktokshop_conn_id: str = "tiktokshop_default",
        **kwargs: Any,
    ) -> None:
        # An alias, because shop and app key are known only when the task runs.
        super().__init__(**with_alias(kwargs, ASSET_ALIAS))
        self.stream = stream
        self.output_path = output_path
        self.shop_id = shop_id
        self.open_id = open_id
        self.start = _INTERVAL_IF_ANY["start"] if start == _INTERVAL["start"] else start
        self.end = _INTERVAL_IF_ANY["end"] if end == _INTERVAL["end"] else end
        self.cursor_field = cursor_field
        self.windows = windows
        self.filters = filters
        self.format = format
        self.pii = pii
        self.lookback = lookback
        self.requests_per_second = requests_per_second
        self.version = version
        self.category_asset = category_asset
        self.missing_scope = missing_scope
        self.tiktokshop_conn_id = tiktokshop_conn_id

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Prepare a mapped task, whose alias Airflow knows of before it runs."""
        return super().partial(**with_alias(kwargs, ASSET_ALIAS))

    def execute(self, context: Context) -> dict[str, Any]:
        """Extract the interval and return its manifest."""
        return self._extract(context)

    def resume(self, context: Context, event: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Go on once the quota is fresh: what was written stays, the rest follows."""
        return self._extract(context)

    def _extract(self, context: Context) -> dict[str, Any]:
        from airflow_provider_tiktokshop import streams
        from airflow_provider_tiktokshop.api.errors import ConfigurationError, QuotaExhausted, ScopeMissing
        from airflow_provider_tiktokshop.auth.reader import AmbiguousAuthorization, AuthorizationNotFound
        from airflow_provider_tiktokshop.compat import AirflowFailException
        from airflow_provider_tiktokshop.extract import extract
        from airflow_provider_tiktokshop.extract.errors import ExtractionPaused, IntervalError, OptionError
        from airflow_provider_tiktokshop.hooks.subject import subject_of
        from airflow_provider_tiktokshop.operators.extraction_event import announce
        from airflow_provider_tiktokshop.operators.refusals import skip_expected_refusals

        try:
            stream = streams.get(self.stream)
            hook = self._preflight()
            subject = subject_of(hook, stream, self.category_asset or None)
            shop = subject.pop("shop")
            with skip_expected_refusals(stream, shop, self.missing_scope):
                manifest = extract(
                    stream,
                    hook.get_conn(),
                    shop,
                    self.start,
                    self.end,
                    self._output(),
                    cursor_field=self.cursor_field or None,
                    windows=int(self.windows) if self.windows else None,
                    filters=self.filters or None,
                    format=self.format,
                    pii=self.pii,
                    pii_key=hook.wiring.pii_key if self.pii == "hash" else None,
                    lookback=_seconds(self.lookback),
                    version=self.version or None,
                    progress=self._progress(),
                    **subject,
                )
        except (ExtractionPaused, QuotaExhausted) as pause:
            self._wait(pause.resume_after, str(pause))
        except (
            OptionError,
            streams.UnknownStreamError,
            ConfigurationError,
            ScopeMissing,
            AuthorizationNotFound,
            AmbiguousAuthorization,
        ) as error:
            # Each needs a person: a retry would only delay the message.
            hint = _EMPTY_INTERVAL if isinstance(error, IntervalError) and str(self.start) == str(self.end) else ""
            raise AirflowFailException(f"{error}{hint}") from None
        self.log.info(
            "%s of %s: %d rows in %d files, %d requests",
            stream.name,
            f"shop {manifest.shop_id}" if manifest.shop_id else f"open_id {manifest.open_id}",
            manifest.rows,
            len(manifest.files),
            manifest.requests,
        )
        if manifest.parents_gone:
            self.log.warning("%d parents were unknown when their rows were asked for", manifest.parents_gone)
        announce(self, context, ASSET_ALIAS, hook.wiring.app.app_key, manifest)
        return manifest.to_dict()

    def _preflight(self) -> TikTokShopHook:
        """Find the seller; each task does so for itself, so that one dead seller does not stop the others."""
        from airflow_provider_tiktokshop.compat import AirflowFailException
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
        from airflow_provider_tiktokshop.hooks.wording import because, reauthorize

        hook = TikTokShopHook(
            self.tiktokshop_conn_id,
            open_id=self.open_id or None,
            shop_id=self.shop_id or None,
            requests_per_second=float(self.requests_per_second) if self.requests_per_second else None,
        )
        authorization = hook.authorization()
        if authorization.status.needs_person:
            why = because(authorization.last_error, reauthorize(authorization.open_id))
            raise AirflowFailException(
                f"open_id {authorization.open_id} (id {authorization.id}): {authorization.status}{why}"
            )
        return hook

    def _progress(self) -> Callable[[Progress], None]:
        """Return what logs a line now and then; it is called from several threads, after every page."""
        last = time.monotonic()

        def log(progress: Progress) -> None:
            nonlocal last
            if time.monotonic() - last >= PROGRESS_EVERY:
                last = time.monotonic()
                self.log.info("%d rows, %d of %d windows done", progress.rows, progress.windows_done, progress.windows)

        return log

    def _output(self) -> Any:
        if "://" in self.output_path:
            from airflow.sdk import ObjectStoragePath

            return ObjectStoragePath(self.output_path)
        return Path(self.output_path).expanduser()

    def _wait(self, seconds: float, reason: str) -> NoReturn:
        from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

        self.log.warning("%s Waiting %.0f s without a worker, then going on.", reason, seconds)
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=seconds)), method_name="resume")


def _seconds(lookback: float | timedelta | str | None) -> float | timedelta | None:
    """A template renders a number as text."""
    if isinstance(lookback, str):
        return float(lookback) if lookback.strip() not in {"", "None"} else None
    return lookback
