"""Extract affiliate sales: what sellers, creators and partners see of them.

Three kinds of users authorize an app, each sees affiliate sales from their side, and each stream takes one kind. ``targets``
lists whose rows a stream has: shops for a seller's, the creators themselves for a creator's, a partner's markets and
categories for a partner's. Where nobody of a kind has authorized the app, those tasks are skipped.

- Orders are selected by ``create_time``. Their commission is settled weeks later, so every run reads the last 60 days again.
  Merge by primary key, the newest run wins.
- Collaborations, sample applications and campaigns are read whole, as they are. ``latest_only`` keeps them out of runs for
  days long gone.
- The scopes are some that an app has to apply for. A user without one is skipped, with the reason in the task's log.

Runs that fill in the past need no second look: trigger them, or their backfill, with ``{"lookback": 0}``.

Files go to ``{output_path}/{stream}/shop_id=…/start=…/end=…/``, a creator's to ``open_id=…`` and a partner's to
``open_id=…/category_asset=…`` instead. See docs/guides/example-dags.md for what all extraction DAGs share.
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
ORDERS = {
    "sellers": ("affiliate_seller_orders",),
    "creators": ("affiliate_creator_orders",),
    "partners": ("affiliate_partner_orders", "affiliate_partner_cap_orders"),
}
PRESENT = {
    "sellers": ("affiliate_seller_open_collaborations", "affiliate_seller_sample_applications"),
    "creators": ("affiliate_creator_sample_applications",),
    "partners": ("affiliate_partner_campaigns", "affiliate_partner_campaign_products"),
}

with DAG(
    dag_id="tiktokshop_extract_affiliate",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
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
    def targets(stream: str) -> list[dict[str, str]]:
        """List whose rows a stream has, all live authorizations of its kind of user."""
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

        return TikTokShopHook(CONN_ID).targets(stream)

    latest_only = LatestOnlyOperator(task_id="latest_only")

    for users, orders in ORDERS.items():
        everybody = targets.override(task_id=users)(orders[0])
        for stream in (*orders, *PRESENT[users]):
            extraction = TikTokShopExtractOperator.partial(
                task_id=f"extract_{stream}",
                tiktokshop_conn_id=CONN_ID,
                stream=stream,
                missing_scope="skip",
                lookback="{{ params.lookback }}",
                output_path="{{ params.output_path }}",
                map_index_template="{{ task.shop_id or task.category_asset or task.open_id }}",
            ).expand_kwargs(everybody)
            if stream in PRESENT[users]:
                latest_only >> extraction
