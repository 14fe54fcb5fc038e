"""Fill in the past of one stream: a long period, cut into chunks, one mapped task for each chunk of each shop.

Trigger it by hand and fill in the form. Everything is checked before the first chunk starts, and refused with what would work.

- ``stream``: any with a past. One that only tells its present state (stock, coupons, unsettled transactions) has none.
- ``start``, ``end``: end excluded, and now at the latest.
- ``cursor_field``: empty means ``create_time`` where the stream has it: what was made in the period, each row in one chunk
  however often it has changed since. ``update_time`` is the change feed instead, as the daily DAGs read it.
- ``shops``: shop ids, or open_ids of creators and partners. Empty: everybody.
- ``chunk_days``: a chunk is what a retry repeats at most. ``filters``: as the endpoint names them.

The same form again gives the same files: a chunk that is there is replaced, one that was killed goes on where it stopped.
Chunks that failed are cleared as usual. Files go to ``{output_path}/{stream}/shop_id=…/start=…/end=…/``, by default in a
folder beside those of the daily DAGs: a chunk as long as a day would take the place of that day's changes.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, task

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator

CONN_ID = "tiktokshop_default"
OUTPUT_PATH = os.environ.get("TIKTOKSHOP_OUTPUT_PATH") or str(
    Path(os.environ.get("AIRFLOW_HOME", "~/airflow")) / "tiktokshop"
)
EXAMPLES = ["orders", "products", "returns", "cancellations", "packages", "statements", "statement_transactions"]

with DAG(
    dag_id="tiktokshop_backfill",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "stream": Param(type="string", examples=EXAMPLES, description="What to extract: docs/reference/streams.md."),
        "start": Param(type="string", format="date-time", description="Start of the period, included."),
        "end": Param(type="string", format="date-time", description="End of the period, excluded."),
        "cursor_field": Param(None, type=["null", "string"], description="Empty: create_time, or the stream's own."),
        "shops": Param(None, type=["null", "array"], items={"type": "string"}, description="Empty: all."),
        "chunk_days": Param(7, type="integer", minimum=1, maximum=366, description="Days of a task."),
        "filters": Param(None, type=["null", "object"], description='For example {"order_status": "COMPLETED"}.'),
        "format": Param("jsonl.gz", enum=["jsonl.gz", "parquet"], type="string"),
        "pii": Param("keep", enum=["keep", "hash", "drop"], type="string", description="What identifies a buyer."),
        "output_path": Param(
            f"{OUTPUT_PATH}/backfill", type="string", minLength=1, description="Directory or object-store URL."
        ),
    },
    doc_md=__doc__,
    tags=["tiktokshop"],
) as dag:

    @task
    def plan(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Check the form, and list the chunks: ``[{"open_id": …, "shop_id": …, "start": …, "end": …, …}]``."""
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

        return TikTokShopHook(CONN_ID).backfill(
            params["stream"],
            params["start"],
            params["end"],
            chunk=timedelta(days=params["chunk_days"]),
            cursor_field=params["cursor_field"],
            filters=params["filters"],
            only=params["shops"] or [],
        )

    TikTokShopExtractOperator.partial(
        task_id="extract",
        tiktokshop_conn_id=CONN_ID,
        stream="{{ params.stream }}",
        # Chunks follow each other: what one would read again, another has.
        lookback=0,
        format="{{ params.format }}",
        pii="{{ params.pii }}",
        output_path="{{ params.output_path }}",
        map_index_template="{{ task.shop_id or task.category_asset or task.open_id }} {{ task.start[:10] }}",
        retries=2,
        retry_delay=timedelta(minutes=5),
        # A process keeps below a shop's limit, several do not know of each other: four together still do.
        max_active_tis_per_dag=4,
    ).expand_kwargs(plan())
