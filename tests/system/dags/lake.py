"""An extraction into an object store, and a task after it that reads what it is told of."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, task

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

START = pendulum.datetime(2024, 1, 1, tz="UTC")

with DAG("lake_rotate", schedule=None, start_date=START):
    TikTokShopRotateTokenOperator(task_id="rotate", tiktokshop_conn_id="lake", bootstrap=True)

with DAG(
    "lake_extract",
    schedule=None,
    start_date=START,
    params={"shop_id": "", "start": "", "end": "", "output": "s3://nobody@nowhere/"},
):
    common: dict[str, Any] = {
        "stream": "orders",
        "shop_id": "{{ params.shop_id }}",
        "output_path": "{{ params.output }}",
        "start": "{{ params.start }}",
        "end": "{{ params.end }}",
        "tiktokshop_conn_id": "lake",
    }
    columns = TikTokShopExtractOperator(task_id="columns", format="parquet", pii="drop", **common)
    # Another output: an interval has one format at a time.
    lines = TikTokShopExtractOperator(task_id="lines", **common | {"output_path": "{{ params.output }}/lines"})

    @task(multiple_outputs=False)
    def read(manifest: dict[str, Any]) -> dict[str, Any]:
        """Read an extraction as a task of one's own would: from what the operator returned."""
        from airflow_provider_tiktokshop.extract import read_rows

        rows = list(read_rows(manifest))
        return {"ids": sorted(row["id"] for row in rows), "personal": sum("buyer_email" in row for row in rows)}

    read.override(task_id="read_columns")(columns.output)
    read.override(task_id="read_lines")(lines.output)
