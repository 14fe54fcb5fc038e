"""Land the orders of every TikTok Shop shop in DuckDB, through dlt. Another destination is another line.

Each day the orders that changed on the day before are merged into the table ``orders`` of the dataset ``tiktokshop``, their
line items into ``orders__line_items``, and so on: one row an order, in its newest version, with the shop's id.

- ``CronDataIntervalTimetable`` gives each run a true data interval, so dlt needs to remember nothing: a run that is repeated,
  a backfill or a killed task give the same table.
- Each shop is a task of its own, so that a seller who must authorize again does not stop the others. A DuckDB file takes one
  writer at a time: ``max_active_tis_per_dag=1`` lets them follow each other, over all runs and backfills. A warehouse takes
  more at once: but never two runs of one shop, for the one that writes last may have read first.
- Each task has a working directory of its own that is gone when it ends: what dlt must know of the table, it asks the
  destination.

It needs ``pip install 'airflow-provider-tiktokshop[dlt,parquet]' 'dlt[duckdb]'``. The file is named by the run's params, or for
good by the environment variable ``TIKTOKSHOP_DUCKDB``; a file of its own, because readers have to wait for writers.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, get_current_context, task
from airflow.timetables.interval import CronDataIntervalTimetable

if TYPE_CHECKING:
    from pendulum import DateTime

CONN_ID = "tiktokshop_default"
# Its name must differ from the dataset's: DuckDB would not know which of the two is meant.
DUCKDB = os.environ.get("TIKTOKSHOP_DUCKDB") or str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")) / "shop.duckdb")

with DAG(
    dag_id="tiktokshop_orders_to_duckdb",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"duckdb": Param(DUCKDB, type="string", minLength=1, description="Path of the DuckDB file.")},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    doc_md=__doc__,
    tags=["tiktokshop"],
) as dag:

    @task
    def shops() -> list[dict[str, str]]:
        """List the shops of all live authorizations, as ``[{"open_id": …, "shop_id": …}]``."""
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

        return TikTokShopHook(CONN_ID).shops()

    @task(multiple_outputs=False, max_active_tis_per_dag=1, map_index_template="{{ task.op_kwargs['shop_id'] }}")
    def load_orders(
        open_id: str,
        shop_id: str,
        data_interval_start: DateTime | None = None,
        data_interval_end: DateTime | None = None,
    ) -> dict[str, int]:
        """Merge a shop's orders of the data interval into the table, and return how many rows went into each table."""
        from tempfile import TemporaryDirectory

        from airflow_provider_tiktokshop.dlt_source import tiktokshop_resource
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

        # dlt would look up each of its settings as an Airflow Variable, and tell its makers that it is used.
        os.environ.setdefault("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "false")
        os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
        orders = tiktokshop_resource(
            "orders",
            TikTokShopHook(CONN_ID, open_id=open_id, shop_id=shop_id),
            start=data_interval_start,
            end=data_interval_end,
        )
        # Not before: where dlt is missing, the line above says what to install.
        import dlt

        with TemporaryDirectory() as working:
            pipeline = dlt.pipeline(
                "tiktokshop",
                destination=dlt.destinations.duckdb(str(Path(get_current_context()["params"]["duckdb"]).expanduser())),
                dataset_name="tiktokshop",
                pipelines_dir=working,
            )
            # Parquet, because DuckDB takes minutes for the INSERT statements that it would be sent otherwise.
            pipeline.run(orders, loader_file_format="parquet")
            rows = pipeline.last_trace.last_normalize_info.row_counts
        return {table: count for table, count in rows.items() if not table.startswith("_dlt")}

    load_orders.expand_kwargs(shops())
