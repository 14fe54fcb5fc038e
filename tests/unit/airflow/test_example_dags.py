"""The example DAGs load, and are set up as the documentation promises."""

from __future__ import annotations

import copy
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

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.hooks.subject import line_of
from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator
from airflow_provider_tiktokshop.streams.base import DAY, EVER
from tests.support.airflow_stack import REPOSITORY

DAGS = sorted((REPOSITORY / "dags").glob("*.py"))
FAMILIES = {
    "tiktokshop_extract_affiliate": {"affiliate_seller", "affiliate_creator", "affiliate_partner"},
    "tiktokshop_extract_aftersales": {"returns"},
    "tiktokshop_extract_analytics": {"analytics"},
    "tiktokshop_extract_finance": {"finance"},
    "tiktokshop_extract_fulfillment": {"fulfillment", "logistics"},
    "tiktokshop_extract_orders": {"orders"},
    "tiktokshop_extract_products": {"products"},
    "tiktokshop_extract_promotion": {"promotion"},
}
EXTRACTIONS = sorted(FAMILIES)


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


@pytest.mark.parametrize("name", EXTRACTIONS)
def test_an_extraction_has_a_true_data_interval_and_a_mapped_task_for_each_stream(name: str) -> None:
    dag = load(name)
    extractions = [task for task in dag.tasks if task.task_id.startswith("extract_")]

    assert isinstance(dag.timetable, CronDataIntervalTimetable) or "CronDataInterval" in type(dag.timetable).__name__
    assert len(extractions) >= (1 if name == "tiktokshop_extract_orders" else 3)
    for task in extractions:
        options = task.partial_kwargs
        stream = streams.get(options["stream"])
        assert task.is_mapped
        # Each stream stands for itself: what one of them meets does not stop the others.
        assert not task.upstream_task_ids & {other.task_id for other in extractions}
        assert not task.downstream_task_ids
        assert (options["max_active_tis_per_dag"], options["retries"]) == (4, 2)
        assert options["output_path"].startswith("{{ params.output_path }}")
        # The data interval, so that no run writes where another does.
        assert {"start", "end"}.isdisjoint(options)
        assert stream.family in FAMILIES[name]


@pytest.mark.parametrize("name", EXTRACTIONS)
def test_what_has_no_past_is_not_filed_under_it_and_what_has_one_is(name: str) -> None:
    dag = load(name)
    for task in dag.tasks:
        if not task.task_id.startswith("extract_"):
            continue
        stream = streams.get(task.partial_kwargs["stream"])
        present = not line_of(stream)[-1].cursors or stream.lookback >= EVER

        guarded = "latest_only" in task.get_flat_relative_ids(upstream=True)
        assert guarded == present, stream.name


@pytest.mark.parametrize("name", EXTRACTIONS)
def test_no_two_tasks_write_to_the_same_place(name: str) -> None:
    places = [
        (task.partial_kwargs["output_path"], task.partial_kwargs["stream"])
        for task in load(name).tasks
        if task.task_id.startswith("extract_")
    ]

    assert len(places) == len(set(places))


@pytest.mark.parametrize("name", EXTRACTIONS)
def test_where_much_is_read_again_a_backfill_can_do_without(name: str) -> None:
    dag = load(name)
    again = {
        task.task_id
        for task in dag.tasks
        if task.task_id.startswith("extract_") and DAY <= streams.get(task.partial_kwargs["stream"]).lookback < EVER
    }

    assert ("lookback" in dag.params) == bool(again)
    for task_id in again:
        assert dag.get_task(task_id).partial_kwargs["lookback"] == "{{ params.lookback }}"


def test_the_guide_lists_every_dag_with_its_hour_and_the_form_with_its_params() -> None:
    guides = REPOSITORY / "docs" / "guides"
    listed = {
        line.split("`")[1]: line
        for line in (guides / "example-dags.md").read_text().splitlines()
        if "(../../dags/" in line
    }

    assert set(listed) == {path.stem for path in DAGS}
    for name in EXTRACTIONS:
        minute, hour, *_ = load(name).schedule._expression.split()
        assert listed[name].endswith(f" {int(hour):02}:{int(minute):02} |")
    page = (guides / "backfill.md").read_text()
    assert not [name for name in load("tiktokshop_backfill").params if f"`{name}`" not in page]


def test_the_form_of_a_backfill_refuses_what_it_can() -> None:
    dag = load("tiktokshop_backfill")
    good = {"stream": "orders", "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}

    def filled_in(**values: Any) -> dict[str, Any]:
        params = copy.deepcopy(dag.params)
        params.update(good | values)
        return params.validate()

    assert filled_in()["chunk_days"] == 7
    for wrong in ({"chunk_days": 0}, {"pii": "burn"}, {"format": "xls"}, {"shops": "7"}, {"stream": None}):
        with pytest.raises(ValueError, match="Invalid input|does not match|is not"):
            filled_in(**wrong)
    for missing in good:
        with pytest.raises((TypeError, ValueError)):
            dag.params.get_param(missing).resolve()


def test_the_examples_of_the_form_can_be_filled_in() -> None:
    for name in load("tiktokshop_backfill").params.get_param("stream").schema["examples"]:
        assert line_of(streams.get(name))[-1].cursors, name


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
