"""DAGs that wait for tokens, alert people, and rotate in chunks."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pendulum
from airflow.sdk import DAG

from airflow_provider_tiktokshop.notifications.tiktokshop import TikTokShopNotifier, email
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator
from airflow_provider_tiktokshop.sensors.token import TikTokShopTokenSensor

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.notifications.alert import Alert

START = pendulum.datetime(2024, 1, 1, tz="UTC")


def keep(alert: Alert) -> None:
    """A plain callable as a target."""
    with Path(os.environ["TIKTOKSHOP_ALERTS_FILE"]).open("a") as file:
        file.write(f"{alert.text}\n\n")


alert = TikTokShopNotifier(keep, email(to="data@example.com"))

with DAG("tokens_rotate_and_alert", schedule=None, start_date=START, params={"force": None, "bootstrap": False}):
    TikTokShopRotateTokenOperator(
        task_id="rotate",
        force="{{ params.force | tojson }}",
        bootstrap="{{ params.bootstrap }}",
        on_success_callback=alert,
        on_failure_callback=alert,
    )

with DAG("tokens_rotate_in_chunks", schedule=None, start_date=START):
    TikTokShopRotateTokenOperator.in_chunks(task_id="rotate", chunk_size=1, force=True)

for name, deferrable in (("tokens_wait_deferred", True), ("tokens_wait_in_process", False)):
    with DAG(name, schedule=None, start_date=START, params={"open_id": ""}):
        TikTokShopTokenSensor(
            task_id="ready",
            open_id="{{ params.open_id }}",
            valid_for=timedelta(days=3),
            poke_interval=1,
            timeout=240,
            deferrable=deferrable,
        )
