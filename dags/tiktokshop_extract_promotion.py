"""Extract the promotion activities and coupons of every TikTok Shop shop, as they are, once a day.

TikTok Shop cannot be asked what changed in promotions: every run reads everything, and its files are a picture of the moment.
``latest_only`` therefore skips runs for days long gone, those of a backfill for example: they could only file today's
promotions under last month.

- ``promotion_activity_detail`` has the products of each activity, ``coupon_detail`` the rules of each coupon: one request each.
- The scope is one that an app has to apply for. A seller without it is skipped, with the reason in the task's log.

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
STREAMS = ("promotion_activities", "promotion_activity_detail", "coupons", "coupon_detail")

with DAG(
    dag_id="tiktokshop_extract_promotion",
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
        # In all runs together: four tasks on one shop stay below the service's limit.
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
    LatestOnlyOperator(task_id="latest_only") >> every_shop

    for stream in STREAMS:
        TikTokShopExtractOperator.partial(
            task_id=f"extract_{stream}",
            tiktokshop_conn_id=CONN_ID,
            stream=stream,
            missing_scope="skip",
            output_path="{{ params.output_path }}",
            map_index_template="{{ task.shop_id }}",
        ).expand_kwargs(every_shop)
