"""Two DAGs that rotate the same app, which nothing in Airflow keeps apart: a deployment should have one."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG

from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

for name in ("overlap_one", "overlap_two"):
    with DAG(name, schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz="UTC"), params={"force": None}):
        TikTokShopRotateTokenOperator(
            task_id="rotate", tiktokshop_conn_id="overlap", force="{{ params.force | tojson }}"
        )
