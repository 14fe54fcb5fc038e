"""Keeps the tokens of an app's sellers alive."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import AssetAlias, BaseOperator

from airflow_provider_tiktokshop.operators.outlets import with_alias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_provider_tiktokshop.auth.run import RunReport

__all__ = ["ASSET_ALIAS", "TikTokShopRotateTokenOperator"]

ASSET_ALIAS = "tiktokshop_tokens"
# The log masker's cost grows with the square of the number of secrets that a process registers.
COMFORTABLE = 50


class TikTokShopRotateTokenOperator(BaseOperator):
    """Redeem the refresh tokens that are due, and keep the new pairs safely.

    The only operator that spends refresh tokens: run it every few hours in one DAG per app with ``max_active_runs=1``, as
    ``dags/tiktokshop_rotate_tokens.py`` does. It goes on past a seller that fails. The task fails only when a person must
    know: sellers who newly must authorize again, sellers whose access token has less than a day left and could not be
    renewed, and wrong app settings; the message names each, why, and what to do. Sellers known to need a new
    authorization are listed and not failed again.

    The task sets ``retries=0`` and ``max_active_tis_per_dag=1`` whatever the DAG's defaults say: the next scheduled run
    is the retry, and one process at a time presents a token.

    When tokens changed, it emits the asset ``tiktokshop://<app_key>/tokens``.

    :param tiktokshop_conn_id: the connection of the app.
    :param open_ids: whose tokens; default: all authorizations of the app. A task handles about 50 of them: map larger
        fleets over disjoint lists. The refresh token in the connection is redeemed only when this is left out.
    :param force: rotate although not due, named by the generation that is to be replaced, so that a repeated request
        rotates once: a number, or a number for each open_id (``{"open_id": 3}``). ``True`` means the generation found
        when the task starts.
    :param advisory: how long before its expiry an access token is due. They live 7 days; the default of 3 days leaves
        twelve six-hourly runs to get over a failure.
    :param bootstrap: the first run of an app on Airflow before 3.3: redeem the connection's refresh token although this
        Airflow cannot prove that it was never redeemed. Do not leave it on.
    :return: ``counts`` by outcome, ``stopped`` (why the run stopped early), ``results`` (``id``, ``open_id``, ``outcome``,
        ``generation``, ``access_expires_at``, ``error``, … of each), ``authorizations`` (how each stands now), ``seed``,
        ``warnings``, and ``events``: what is new and a person should hear of, for
        :class:`~airflow_provider_tiktokshop.notifications.tiktokshop.TikTokShopNotifier`; never a secret.
    :raises AirflowFailException: only failures that no retry can mend.
    :raises TikTokShopError: the connection is wrong or the token store does not answer.
    """

    template_fields: Sequence[str] = ("tiktokshop_conn_id", "open_ids", "force", "bootstrap")
    ui_color = "#e9fbf9"

    def __init__(
        self,
        *,
        tiktokshop_conn_id: str = "tiktokshop_default",
        open_ids: Sequence[str] | str | None = None,
        force: bool | int | Mapping[str, int] | str | None = None,
        advisory: timedelta = timedelta(days=3),
        bootstrap: bool | str = False,
        **kwargs: Any,
    ) -> None:
        # An alias, because the asset's name holds the app key, which is known only when the task runs.
        super().__init__(**with_alias({**kwargs, **_ONE_AT_A_TIME}, ASSET_ALIAS))
        self.tiktokshop_conn_id = tiktokshop_conn_id
        self.open_ids = open_ids
        self.force = force
        self.advisory = advisory
        self.bootstrap = bootstrap

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Prepare a mapped task; like the plain one it never retries and runs one instance at a time."""
        # The scheduler takes all of it from here, not from __init__, when a task is mapped.
        return super().partial(**with_alias({**kwargs, **_ONE_AT_A_TIME}, ASSET_ALIAS))

    @classmethod
    def in_chunks(cls, *, task_id: str, chunk_size: int = 50, only_due: bool = False, **kwargs: Any) -> Any:
        """Rotate the tokens of many sellers: one line in a DAG.

        Adds a task ``<task_id>_chunks`` that lists the sellers in disjoint chunks, the most urgent first, and this operator
        mapped over them. The chunks are worked off one after the other.

        :param chunk_size: sellers a task; about 50 is right.
        :param only_due: leave out sellers whom a rotation would find in order.
        :param kwargs: this operator's arguments, but ``open_ids``.
        :return: the mapped task.
        """
        from airflow.sdk import task

        conn_id = kwargs.get("tiktokshop_conn_id", "tiktokshop_default")

        def list_chunks() -> list[list[str]]:
            from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

            return TikTokShopHook(conn_id).authorization_chunks(chunk_size, only_due=only_due)

        chunks = task(task_id=f"{task_id}_chunks")(list_chunks)()
        return cls.partial(task_id=task_id, **kwargs).expand(open_ids=chunks)

    def execute(self, context: Context) -> dict[str, Any]:
        """Rotate what is due, report, and fail if a person must know."""
        from airflow_provider_tiktokshop.auth.alerts import take_events
        from airflow_provider_tiktokshop.auth.run import run_rotation
        from airflow_provider_tiktokshop.hooks.wiring import wire
        from airflow_provider_tiktokshop.operators.rotation_metrics import emit_metrics
        from airflow_provider_tiktokshop.operators.rotation_progress import Progress
        from airflow_provider_tiktokshop.operators.rotation_run import judge, parse_flag, parse_force, parse_open_ids

        progress = Progress(self.log)
        wiring = wire(self.tiktokshop_conn_id)
        open_ids = parse_open_ids(self.open_ids)
        report = run_rotation(
            wiring.rotator(advisory=self.advisory.total_seconds()),
            wiring.flow(),
            wiring.authorizations,
            seed=wiring.connection.seed if open_ids is None else None,
            open_ids=open_ids,
            force=parse_force(self.force),
            bootstrap=parse_flag(self.bootstrap),
            on_start=progress.start,
            on_result=progress.note,
        )
        self._log_report(wiring.app.app_key, report, progress.seconds)
        emit_metrics(report, progress.seconds, first=getattr(context["ti"], "map_index", -1) <= 0)
        events = take_events(report, wiring.store, wiring.app.app_key)
        told = {"app_key": wiring.app.app_key, **report.public(), "events": [event.public() for event in events]}
        verdict = judge(wiring.app.app_key, report)
        if verdict.failures:
            # A failed task returns nothing; what it found out is worth keeping all the same.
            context["ti"].xcom_push(key="return_value", value=told)
            raise verdict.exception()
        self._announce(context, wiring.app.app_key, report)
        return told

    def _announce(self, context: Context, app_key: str, report: RunReport) -> None:
        from airflow.sdk import Asset

        from airflow_provider_tiktokshop.operators.rotation_run import changed

        if ids := changed(report):
            context["outlet_events"][AssetAlias(ASSET_ALIAS)].add(
                Asset(f"tiktokshop://{app_key}/tokens"),
                # Readable by everybody who may see assets: counts and ids only.
                extra={"counts": dict(report.rotation.counts), "changed": list(ids)},
            )

    def _log_report(self, app_key: str, report: RunReport, seconds: float) -> None:
        from airflow_provider_tiktokshop import config

        if report.seed is not None:
            self.log.info("The connection's refresh token: %s", report.seed.outcome)
        for warning in (*report.warnings, config.debug_warning()):
            if warning is not None:
                self.log.warning("%s", warning)
        if len(report.rotation.results) > COMFORTABLE:
            self.log.warning(
                "%d authorizations in one task: map it over lists of %d open_ids.",
                len(report.rotation.results),
                COMFORTABLE,
            )
        counts = ", ".join(f"{number} {outcome}" for outcome, number in report.rotation.counts.items())
        self.log.info("App %s: %s; %.1f s", app_key, counts or "nobody has authorized it yet", seconds)


_ONE_AT_A_TIME = {"retries": 0, "max_active_tis_per_dag": 1}
