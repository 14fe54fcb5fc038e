"""Extract each day's changed returns and cancellations of every TikTok Shop shop.

- ``returns`` (refunds, exchanges and replacements included) and ``cancellations`` follow ``update_time``: a run holds what
  changed on its day, in its newest version.
- ``return_records`` is the history of each of these returns: who did what when, one request a return.

``aftersales_requests`` and ``return_merchandise_authorizations`` are TikTok Shop's newer pair for the same thing, where an app
has been given them: add them to ``STREAMS``.

Files go to ``{output_path}/{stream}/shop_id=…/start=…/end=…/``. See docs/guides/example-dags.md for what all extraction DAGs share.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, Param, task
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator

CONN_ID = "tiktokshop_default"
OUTPUT_PATH = os.environ.get("TIKTOKSHOP_OUTPUT_PATH") or str(
    Path(os.environ.get("AIRFLOW_HOME", "~/airflow")) / "tiktokshop"
)
STREAMS = ("returns", "return_records", "cancellations")

with DAG(
    dag_id="tiktokshop_extract_aftersales",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "output_path": Param(OUTPUT_PATH, type="string", minLength=1, description="Directory or object-store URL.")
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

    for stream in STREAMS:
        TikTokShopExtractOperator.partial(
            task_id=f"extract_{stream}",
            tiktokshop_conn_id=CONN_ID,
            stream=stream,
            output_path="{{ params.output_path }}",
            map_index_template="{{ task.shop_id }}",
        ).expand_kwargs(every_shop)
