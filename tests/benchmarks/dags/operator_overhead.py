"""The same extraction several times, beside tasks that do nothing: what a task costs, and what the operator adds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pendulum
from airflow.sdk import DAG, chain, task

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

FACTS = json.loads(Path(os.environ["BENCH_FACTS"]).read_text()) if "BENCH_FACTS" in os.environ else {}

with DAG("bench_operator_overhead", schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz="UTC")):
    tasks = [TikTokShopRotateTokenOperator(task_id="rotate", tiktokshop_conn_id="bench")]
    for number in range(FACTS.get("repeat", 1)):

        @task(task_id=f"nothing_{number}")
        def nothing() -> None:
            """Return at once."""

        tasks += [
            nothing(),
            TikTokShopExtractOperator(
                task_id=f"extract_{number}",
                tiktokshop_conn_id="bench",
                stream="orders",
                shop_id=FACTS.get("shop_id"),
                start=FACTS.get("start", ""),
                end=FACTS.get("end", ""),
                output_path=f"{FACTS.get('output')}/{number}",
                lookback=0,
                windows=8,
            ),
        ]
    chain(*tasks)
