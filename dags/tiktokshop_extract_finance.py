"""Extract statements with their transactions, payments and movements of money of every TikTok Shop shop.

- ``statements`` are made daily at 00:00 UTC, hence the hour of the schedule. Whether one is paid is decided weeks later, so
  every run reads the last 60 days again, as it does for ``payments``; for ``withdrawals`` 30 days. Merge by ``id``, the newest
  run wins.
- ``statement_transactions`` are final once their statement is there; three days are read again for statements that come late.
- ``unsettled_transactions`` are estimates of what is still to come, as they are now: a row vanishes when it is settled, so each
  run replaces the one before. ``latest_only`` keeps them out of runs for days long gone.

``payments`` do not exist in the markets of South-East Asia: where TikTok Shop refuses them, that shop's task is skipped. Runs
that fill in the past need no second look: trigger them, or their backfill, with ``{"lookback": 0}``.

Files go to ``{output_path}/{stream}/shop_id=…/start=…/end=…/``. See docs/guides/example-dags.md for what all extraction DAGs share.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.latest_only import LatestOnlyOperator
from airflow.sdk import DAG, Param, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator

CONN_ID = "tiktokshop_default"
OUTPUT_PATH = os.environ.get("TIKTOKSHOP_OUTPUT_PATH") or str(
    Path(os.environ.get("AIRFLOW_HOME", "~/airflow")) / "tiktokshop"
)
CHANGES = ("statements", "statement_transactions", "payments", "withdrawals")
PRESENT = ("unsettled_transactions",)

with DAG(
    dag_id="tiktokshop_extract_finance",
    schedule=CronDataIntervalTimetable("0 6 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "output_path": Param(OUTPUT_PATH, type="string", minLength=1, description="Directory or object-store URL."),
        "lookback": Param(None, type=["null", "integer"], minimum=0, description="Seconds; empty: each stream's own."),
    },
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        # In all runs together, a backfill's included: four tasks on one shop stay below the service's limit.
        "max_active_tis_per_dag": 4,
    },
    doc_md=__doc__,
    tags=["tiktokshop"],
) as dag:

    @task
    def shops() -> list[dict[str, str]]:
        """List the shops of all live authorizations, as ``[{"open_id": …, "shop_id": …}]``."""
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

        return TikTokShopHook(CONN_ID).shops()

    every_shop = shops()
    latest_only = LatestOnlyOperator(task_id="latest_only")

    for stream in (*CHANGES, *PRESENT):
        extraction = TikTokShopExtractOperator.partial(
            task_id=f"extract_{stream}",
            tiktokshop_conn_id=CONN_ID,
            stream=stream,
            lookback="{{ params.lookback }}",
            output_path="{{ params.output_path }}",
            map_index_template="{{ task.shop_id }}",
        ).expand_kwargs(every_shop)
        if stream in PRESENT:
            latest_only >> extraction
