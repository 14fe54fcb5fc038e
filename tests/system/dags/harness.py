"""Two DAGs that show whether the Airflow under test behaves as production does."""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
from airflow.sdk import DAG, Variable, task

START = pendulum.datetime(2024, 1, 1, tz="UTC")

with DAG("harness_restrictions", schedule=None, start_date=START):

    @task
    def write() -> str:
        Variable.set("harness_counter", "41")
        print("written by a task")
        return "written"

    @task(multiple_outputs=False)
    def read(before: str) -> dict[str, object]:
        counter = int(Variable.get("harness_counter")) + 1
        try:
            from airflow.utils.session import create_session

            with create_session():
                database = "reachable"
        except RuntimeError:
            database = "blocked"
        return {"before": before, "counter": counter, "database": database}

    read(write())

with DAG("harness_deferral", schedule=None, start_date=START):
    TimeDeltaSensor(task_id="wait", delta=timedelta(seconds=0), deferrable=True)

with DAG("harness_failure", schedule=None, start_date=START):

    @task
    def fail() -> None:
        raise ValueError("as intended")

    fail()
