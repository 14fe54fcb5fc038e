"""The smoke cell: the provider on the oldest Airflow that it supports."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.testing import EmulatorProcess
from tests.demo import checks
from tests.support.airflow_api import AirflowApi
from tests.support.airflow_stack import API_SERVER, REPOSITORY, AirflowStack
from tests.support.extracted import check_rows
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.processes import clean_environment

pytestmark = pytest.mark.oldest

DAGS = [REPOSITORY / "dags", Path(__file__).parent / "dags"]


@pytest.fixture(scope="module")
def oldest_airflow(oldest_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowStack]:
    env = {"TIKTOKSHOP_OUTPUT_PATH": str(tmp_path_factory.mktemp("extracted"))}
    with AirflowStack(DAGS, components=API_SERVER, python=oldest_python, env=env) as stack:
        yield stack


@pytest.fixture
def emulator(oldest_airflow: AirflowStack) -> Iterator[EmulatorProcess]:
    """A TikTok Shop whose one seller's refresh token is the seed in the connection."""
    with EmulatorProcess(orders=500, days=3) as emulator:
        extra = {
            "refresh_token": emulator.sellers[0]["refresh_token"],
            "api_url": emulator.url,
            "auth_url": emulator.url,
        }
        oldest_airflow.api.add_connection(
            "tiktokshop_default",
            "tiktokshop",
            login=emulator.app_key,
            password=emulator.app_secret,
            extra=json.dumps(extra),
        )
        yield emulator
        oldest_airflow.api.delete_connection("tiktokshop_default")


def test_it_is_the_version_that_the_package_promises(oldest_airflow: AirflowStack) -> None:
    assert oldest_airflow.api.request("GET", "version")["version"].startswith("3.1.")


def test_the_provider_loads(oldest_airflow: AirflowStack) -> None:
    providers = oldest_airflow.api.get_all("providers", "providers")

    assert "airflow-provider-tiktokshop" in {provider["package_name"] for provider in providers}


def test_the_connection_form_has_its_fields(oldest_airflow: AirflowStack) -> None:
    hooks = oldest_airflow.api.request("GET", "/ui/connections/hook_meta")

    (form,) = [hook for hook in hooks if hook["connection_type"] == "tiktokshop"]
    assert form["hook_name"] == "TikTok Shop"
    assert set(form["extra_fields"]) >= {"refresh_token", "market", "app_type", "service_id", "api_url", "auth_url"}
    assert form["standard_fields"]["login"]["title"] == "App key"
    assert form["standard_fields"]["host"]["hidden"] is True


def test_every_example_dag_loads_and_is_parsed_quickly(oldest_python: Path) -> None:
    code = (
        "import json, pathlib, runpy, sys, time, airflow.sdk\n"
        "from airflow.timetables.interval import CronDataIntervalTimetable\n"
        "seconds = {}\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*.py')):\n"
        "    start = time.process_time()\n"
        "    dag = runpy.run_path(str(path))['dag']\n"
        "    seconds[dag.dag_id] = time.process_time() - start\n"
        "print(json.dumps(seconds))\n"
    )
    command = [str(oldest_python), "-W", "ignore", "-c", code, str(REPOSITORY / "dags")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    seconds = json.loads(printed.splitlines()[-1])

    assert set(seconds) == {path.stem for path in (REPOSITORY / "dags").glob("*.py")}
    # The first ones pay for what all of them import.
    assert max(list(seconds.values())[2:]) < 0.5


@pytest.mark.timeout(600)
def test_a_seed_is_redeemed_rotated_and_used_to_extract(
    oldest_airflow: AirflowStack, emulator: EmulatorProcess
) -> None:
    api = oldest_airflow.api

    # This Airflow cannot tell a Variable that is not there from one that cannot be read.
    unproven = oldest_airflow.dags_test_use_executor("tiktokshop_rotate_tokens")
    assert unproven.returncode != 0
    said = api.task_log(*_newest(api, "tiktokshop_rotate_tokens"), "rotate")
    assert "bootstrap=True" in said
    assert emulator.stats()["redemptions_total"] == 0

    first = oldest_airflow.dags_test_use_executor("bootstrap")
    assert first.returncode == 0, first.output
    again = oldest_airflow.dags_test_use_executor("tiktokshop_rotate_tokens", conf={"force": True})
    assert again.returncode == 0, again.output
    (result,) = api.xcom(*_newest(api, "tiktokshop_rotate_tokens"), "rotate")["results"]
    assert (result["outcome"], result["generation"]) == ("rotated", 2)
    stats = emulator.stats()
    assert (stats["redemptions_total"], stats["reused_refresh_tokens_total"]) == (2, 0)

    extracted = oldest_airflow.dags_test_use_executor("tiktokshop_extract_orders")
    assert extracted.returncode == 0, extracted.output
    manifest = api.xcom(*_newest(api, "tiktokshop_extract_orders"), "extract_orders", map_index=0)
    assert checks.check_orders([manifest], emulator) > 0

    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    form = {"stream": "orders", "start": (end - timedelta(days=2)).isoformat(), "end": end.isoformat(), "chunk_days": 1}
    filled_in = oldest_airflow.dags_test_use_executor("tiktokshop_backfill", conf=form)
    assert filled_in.returncode == 0, filled_in.output
    chunks = [api.xcom(*_newest(api, "tiktokshop_backfill"), "extract", map_index=number) for number in (0, 1)]
    assert all(check_rows(chunk, emulator) > 0 for chunk in chunks)

    assert find_leaks(emulator.secrets(), files_below(oldest_airflow.home)) == []
    assert find_leaks(emulator.secrets(), answers_of(api)) == []


@pytest.mark.timeout(600)
def test_the_sql_store_and_the_metrics_keep_their_promises_with_its_sqlalchemy(oldest_python: Path) -> None:
    # This Airflow's users have SQLAlchemy 1.4; everything else is tested with 2.
    told = subprocess.run(
        [oldest_python, "-c", "import sqlalchemy; print(sqlalchemy.__version__)"], check=True, capture_output=True
    )
    assert told.stdout.startswith(b"1.4.")

    files = ("tests/integration/test_token_stores.py", "tests/integration/test_metrics.py")
    done = subprocess.run(
        [oldest_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env=clean_environment(),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5000:]
    passed = re.search(r"\b(\d+) passed", done.stdout)
    assert passed is not None, done.stdout[-5000:]
    assert int(passed[1]) > 50


def _newest(api: AirflowApi, dag_id: str) -> tuple[str, str]:
    return dag_id, api.runs(dag_id)[0]["dag_run_id"]
