"""Extract the daily figures of every TikTok Shop shop, its products, SKUs, videos and LIVE sessions.

- Days are those of the shop's own calendar. A run holds the days that ended in its interval, from noon to noon UTC: by then
  yesterday is over in every market, and its figures have come.
- Figures are restated for days, so every run reads the last seven days again. Merge by primary key (``date`` is part of it),
  the newest run wins. ``latest_available_date`` on the rows says how far TikTok Shop had got.
- LIVE sessions must be asked for by the kind of account that held them. Each kind is a task of its own and has a folder of its
  own: ``{output_path}/{account type}/…``.
- The scope is one that an app has to apply for. A seller without it is skipped, with the reason in the task's log.

Runs that fill in the past need no second look: trigger them, or their backfill, with ``{"lookback": 0}``.

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
STREAMS = (
    "shop_performance",
    "shop_performance_per_hour",
    "shop_products_performance",
    "shop_skus_performance",
    "shop_videos_performance",
)
LIVE_ACCOUNTS = ("OFFICIAL_ACCOUNTS", "MARKETING_ACCOUNTS", "AFFILIATE_ACCOUNTS")

with DAG(
    dag_id="tiktokshop_extract_analytics",
    schedule=CronDataIntervalTimetable("0 12 * * *", timezone="UTC"),
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

    for stream in STREAMS:
        TikTokShopExtractOperator.partial(
            task_id=f"extract_{stream}",
            tiktokshop_conn_id=CONN_ID,
            stream=stream,
            missing_scope="skip",
            lookback="{{ params.lookback }}",
            output_path="{{ params.output_path }}",
            map_index_template="{{ task.shop_id }}",
        ).expand_kwargs(every_shop)

    for account_type in LIVE_ACCOUNTS:
        TikTokShopExtractOperator.partial(
            task_id=f"extract_shop_lives_performance_{account_type.lower()}",
            tiktokshop_conn_id=CONN_ID,
            stream="shop_lives_performance",
            filters={"account_type": account_type},
            missing_scope="skip",
            lookback="{{ params.lookback }}",
            output_path=f"{{{{ params.output_path }}}}/{account_type.lower()}",
            map_index_template="{{ task.shop_id }}",
        ).expand_kwargs(every_shop)
