"""DAGs that use the provider in ways that the example DAGs do not."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

# The app of an emulator with the default seed.
APP_KEY = "EMU_pryaea9xtfio"
START = pendulum.datetime(2024, 1, 1, tz="UTC")

with DAG("rooms_rotate_mapped", schedule=None, start_date=START, params={"open_ids": [["nobody"]]}):
    TikTokShopRotateTokenOperator.partial(task_id="rotate", force=True, advisory=timedelta(days=3)).expand_kwargs(
        [{"open_ids": "{{ params.open_ids[0] | tojson }}"}, {"open_ids": "{{ params.open_ids[1] | tojson }}"}]
    )

with DAG(
    "rooms_extract_without_interval", schedule=None, start_date=START, params={"shop_id": "", "output": "/nowhere"}
):
    # Triggered without a logical date a run has no data interval; with one, on a cron string, an empty one.
    TikTokShopExtractOperator(
        task_id="extract", stream="orders", output_path="{{ params.output }}", shop_id="{{ params.shop_id }}"
    )

with DAG("rooms_rotate", schedule=None, start_date=START):
    TikTokShopRotateTokenOperator(task_id="rotate", tiktokshop_conn_id="rooms", force=True)

with DAG("rooms_follow_tokens", schedule=Asset(f"tiktokshop://{APP_KEY}/tokens"), start_date=START):
    EmptyOperator(task_id="follow")
