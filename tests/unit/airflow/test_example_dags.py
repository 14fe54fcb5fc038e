"""The example DAGs load, and are set up as the documentation promises."""

from __future__ import annotations

import runpy
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator
from tests.support.airflow_stack import REPOSITORY

DAGS = sorted((REPOSITORY / "dags").glob("*.py"))


def load(name: str) -> Any:
    return runpy.run_path(str(REPOSITORY / "dags" / f"{name}.py"))["dag"]


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_each_file_holds_a_documented_dag_of_its_name(path: Path) -> None:
    dag = load(path.stem)

    assert dag.dag_id == path.stem
    assert dag.doc_md.strip()
    assert "tiktokshop" in dag.tags
    assert dag.max_active_runs == 1
    assert dag.catchup is False


def test_the_rotation_runs_every_six_hours_and_once_at_a_time() -> None:
    dag = load("tiktokshop_rotate_tokens")
    (task,) = dag.tasks

    assert dag.schedule == "17 */6 * * *"
    assert (task.retries, task.max_active_tis_per_dag) == (0, 1)


def test_the_extraction_has_a_true_data_interval_and_is_mapped_over_shops() -> None:
    dag = load("tiktokshop_extract_orders")

    assert isinstance(dag.timetable, CronDataIntervalTimetable) or "CronDataInterval" in type(dag.timetable).__name__
    assert dag.get_task("extract_orders").is_mapped
    assert dag.get_task("extract_orders").upstream_task_ids == {"shops"}


@pytest.mark.parametrize("default_args", [{}, {"retries": 3, "max_active_tis_per_dag": 16}])
def test_neither_defaults_nor_arguments_make_the_rotation_retry_or_run_twice(default_args: dict[str, Any]) -> None:
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), default_args=default_args) as dag:
        TikTokShopRotateTokenOperator(task_id="plain", retries=5)
        TikTokShopRotateTokenOperator.partial(task_id="mapped", retries=5).expand(open_ids=[["a"], ["b"]])

    for task in dag.tasks:
        assert (task.retries, task.max_active_tis_per_dag) == (0, 1), task.task_id


def test_the_rotation_keeps_the_outlets_of_its_user() -> None:
    from airflow.sdk import Asset

    task = TikTokShopRotateTokenOperator(task_id="t", outlets=[Asset("x://mine")])

    assert [outlet.name for outlet in task.outlets] == ["x://mine", "tiktokshop_tokens"]


def test_the_advisory_window_is_three_of_the_seven_days() -> None:
    assert TikTokShopRotateTokenOperator(task_id="t").advisory == timedelta(days=3)


def test_the_extraction_has_the_settled_signature() -> None:
    import inspect

    parameters = inspect.signature(TikTokShopExtractOperator.__init__).parameters
    defaults = {name: p.default for name, p in parameters.items() if p.default is not inspect.Parameter.empty}

    assert list(parameters)[1:3] == ["stream", "output_path"]
    assert defaults["start"] == "{{ data_interval_start }}"
    assert defaults["end"] == "{{ data_interval_end }}"
    assert {name: defaults[name] for name in ("format", "pii")} == {"format": "jsonl.gz", "pii": "keep"}
    for name in ("shop_id", "open_id", "cursor_field", "windows", "filters", "lookback", "requests_per_second"):
        assert defaults[name] is None


def test_everything_that_a_run_may_vary_is_templated() -> None:
    settled = {"stream", "output_path", "shop_id", "open_id", "start", "end", "filters", "cursor_field"}

    assert settled <= set(TikTokShopExtractOperator.template_fields)
    assert {"open_ids", "force", "tiktokshop_conn_id"} <= set(TikTokShopRotateTokenOperator.template_fields)


def test_a_dag_that_imports_the_operators_costs_little_more_than_one_that_does_not() -> None:
    code = (
        # A full collection of all that Airflow has allocated takes 100 ms and falls on whoever allocates next.
        "import gc, sys, time; gc.disable()\n"
        "from airflow.sdk import DAG, BaseOperator, AssetAlias, Param, task\n"
        "before, start = set(sys.modules), time.perf_counter()\n"
        "from airflow_provider_tiktokshop.operators.api import TikTokShopApiOperator\n"
        "from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator\n"
        "from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator\n"
        "print(time.perf_counter() - start)\n"
        "print(' '.join(sorted(set(sys.modules) - before)))\n"
    )

    best, modules = 1.0, ""
    deadline = time.monotonic() + 60
    while best > 0.030 and time.monotonic() < deadline:
        printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        seconds, modules = printed.strip().splitlines()[-2:]
        best = min(best, float(seconds))

    assert best <= 0.030
    ours = [name for name in modules.split() if name.startswith("airflow_provider_tiktokshop")]
    assert {name.split(".")[1] for name in ours} == {"operators"}, "only the operators' own modules are loaded"
    assert "requests" not in modules.split()
