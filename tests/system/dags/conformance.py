"""A DAG that holds the Variable store against the conformance suite, as tasks reach it: through the Task SDK."""

from __future__ import annotations

import os
from pathlib import Path

import pendulum
from airflow.sdk import DAG, task

SUITE = Path(__file__).resolve().parents[2] / "support" / "variable_conformance.py"

with DAG("conformance", schedule=None, start_date=pendulum.datetime(2024, 1, 1, tz="UTC")):

    @task
    def conform() -> None:
        """Run the suite in this very process: only here does the Task SDK answer."""
        import runpy

        import pytest

        os.environ["CONFORMANCE_IN_TASK"] = "1"
        arguments = runpy.run_path(str(SUITE))["ARGUMENTS"]
        # Without capturing: the task's own output is the pipe to its supervisor.
        if pytest.main([*arguments, "--capture=no"]) != 0:
            raise RuntimeError("the Variable store does not do what every token store must: see above")

    conform()
