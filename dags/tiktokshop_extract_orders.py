"""Extract yesterday's orders of every TikTok Shop shop, one mapped task for each shop.

- ``CronDataIntervalTimetable`` gives each run a true data interval (midnight to midnight). A plain ``schedule="@daily"`` does
  not in Airflow 3, and the operator refuses to guess.
- ``update_time`` is the change feed: a run holds the orders that changed on that day, in their newest version. For a backfill
  of what was ordered when, set ``cursor_field="create_time"``.
- Each shop is a task of its own with its own checks, so that a seller who must authorize again does not stop the others.

Files go to ``{output_path}/orders/shop_id=…/start=…/end=…/``; each task returns their manifest. ``output_path`` may be an
object store: ``s3://my_aws_conn@my-bucket/tiktokshop``. Set it in the run's params, or for good with the environment variable
``TIKTOKSHOP_OUTPUT_PATH``.
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

with DAG(
    dag_id="tiktokshop_extract_orders",
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

    TikTokShopExtractOperator.partial(
        task_id="extract_orders",
        tiktokshop_conn_id=CONN_ID,
        stream="orders",
        cursor_field="update_time",
        output_path="{{ params.output_path }}",
        map_index_template="{{ task.shop_id }}",
    ).expand_kwargs(shops())
