"""Rotates a fleet in a task whose token store are Variables, reached through the API server, and notes how fast."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, task

with DAG("bench_variable_store", schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz="UTC")):

    @task
    def rotate() -> None:
        import json
        import os
        import time
        from pathlib import Path

        from airflow_provider_tiktokshop.auth.records import RecordKey
        from airflow_provider_tiktokshop.auth.stores.airflow_variables import VariableStore
        from airflow_provider_tiktokshop.hooks.wiring import mask
        from tests.benchmarks.rotation import put_sellers, rotate, workbench

        facts = json.loads(Path(os.environ["BENCH_FACTS"]).read_text())
        store = VariableStore()
        bench = workbench(facts, store=store)
        started = time.perf_counter()
        facts["ids"] = put_sellers(bench, facts["held"])
        written = time.perf_counter()
        for id_ in facts["ids"]:
            store.read(RecordKey("rotated", bench.app.app_key, id_))
        read = time.perf_counter()
        found = rotate(bench, facts, mask=mask)
        found["writes_per_second"] = len(facts["ids"]) / (written - started)
        found["reads_per_second"] = len(facts["ids"]) / (read - written)
        Path(facts["result"]).write_text(json.dumps(found))

    rotate()
