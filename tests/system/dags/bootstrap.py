"""The first rotation of an app on an Airflow that cannot prove that its seed was never redeemed."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG

from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

with DAG("bootstrap", schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz="UTC")):
    TikTokShopRotateTokenOperator(task_id="rotate", bootstrap=True)
