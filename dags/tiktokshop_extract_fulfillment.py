"""Extract each day's changed packages, the way of their parcels, and the warehouses of every TikTok Shop shop.

- ``packages`` and ``package_detail`` follow ``update_time``: a run holds the packages that changed on its day. The detail has
  addresses and line items, and takes one request a package.
- ``order_tracking`` is the events of the parcels of the orders that changed on the day, one request an order: with 10 requests
  a second, 36,000 orders take an hour. A parcel on its way does not touch its order; what happened on the way comes when the
  order changes next, at the latest on delivery.
- ``warehouses`` is the present list. ``latest_only`` keeps it out of runs for days long gone.

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
CHANGES = ("packages", "package_detail", "order_tracking")
PRESENT = ("warehouses",)

with DAG(
    dag_id="tiktokshop_extract_fulfillment",
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
    latest_only = LatestOnlyOperator(task_id="latest_only")

    for stream in (*CHANGES, *PRESENT):
        extraction = TikTokShopExtractOperator.partial(
            task_id=f"extract_{stream}",
            tiktokshop_conn_id=CONN_ID,
            stream=stream,
            output_path="{{ params.output_path }}",
            map_index_template="{{ task.shop_id }}",
        ).expand_kwargs(every_shop)
        if stream in PRESENT:
            latest_only >> extraction
