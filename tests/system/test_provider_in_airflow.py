"""Rotation, extraction, commands and the page in a real Airflow, at both ends of the supported range.

Tasks run under the supervisor and reach Airflow through the api-server only, as in production.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from airflow_provider_tiktokshop.auth.records import authorization_id
from airflow_provider_tiktokshop.extract import read_rows
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import API_SERVER, REPOSITORY, AirflowStack
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.variable_conformance import ARGUMENTS
from tests.support.waiting import wait_until

ROTATE, EXTRACT = "tiktokshop_rotate_tokens", "tiktokshop_extract_orders"
DAGS = [REPOSITORY / "dags", Path(__file__).parent / "dags"]
CLI = ("-m", "airflow_provider_tiktokshop.cli.main")
DAY = 86_400


class Deployment:
    """An Airflow with one app connection, and the app's TikTok Shop."""

    def __init__(self, stack: AirflowStack, emulator: EmulatorProcess) -> None:
        self.stack = stack
        self.emulator = emulator
        self.seeded, self.consenting = emulator.sellers

    def connect(self) -> None:
        url = self.emulator.url
        extra = {
            "refresh_token": self.seeded["refresh_token"],
            "service_id": self.emulator.service_id,
            "api_url": url,
            "auth_url": url,
            "authorize_url": f"{url}/open/authorize",
        }
        self.stack.api.add_connection(
            "tiktokshop_default",
            "tiktokshop",
            login=self.emulator.app_key,
            password=self.emulator.app_secret,
            extra=json.dumps(extra),
        )

    def run(self, dag_id: str, **options: Any) -> tuple[bool, str]:
        """Run a DAG through the executor; whether it succeeded, and its run id."""
        result = self.stack.dags_test_use_executor(dag_id, **options)
        return result.returncode == 0, str(self.stack.api.runs(dag_id)[0]["dag_run_id"])

    def rotate(self, **conf: Any) -> tuple[bool, dict[str, Any]]:
        good, run_id = self.run(ROTATE, conf=conf)
        return good, self.stack.api.xcom(ROTATE, run_id, "rotate")

    def cli(self, *arguments: str, answer: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run one of our commands as the console script does."""
        return subprocess.run(
            [self.stack.python, *CLI, *arguments],
            input=answer or "",
            env={**self.stack.env, "PYTHONPATH": str(REPOSITORY)},
            cwd=self.stack.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def status(self) -> list[dict[str, Any]]:
        return list(json.loads(self.cli("status", "-o", "json").stdout))


@pytest.fixture(scope="module", params=["newest", pytest.param("oldest", marks=pytest.mark.oldest)])
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    python = sys.executable if request.param == "newest" else request.getfixturevalue("oldest_python")
    output = tmp_path_factory.mktemp("extracted")
    with (
        # Access tokens that are due at once, so that the first run rotates what it has just adopted.
        EmulatorProcess(sellers=2, shops_per_seller=2, orders=200, days=5, access_ttl=2 * DAY) as emulator,
        AirflowStack(
            DAGS,
            components=API_SERVER,
            python=python,
            env={"TIKTOKSHOP_OUTPUT_PATH": str(output)},
            config={"core": {"test_connection": "Enabled"}},
        ) as stack,
    ):
        made = Deployment(stack, emulator)
        made.connect()
        yield made


# The tests of this module share the deployment and stand in the order of its life.


def test_airflow_knows_the_provider_and_its_commands(deployment: Deployment) -> None:
    providers = deployment.stack.cli("providers", "list", "-o", "json")
    assert providers.returncode == 0
    assert "airflow-provider-tiktokshop" in providers.output

    hooks = deployment.stack.cli("providers", "hooks", "-o", "plain")
    assert "airflow_provider_tiktokshop.hooks.tiktokshop.TikTokShopHook" in hooks.output


def test_the_test_button_works_before_anybody_authorized(deployment: Deployment) -> None:
    body = {
        "connection_id": "tiktokshop_default",
        "conn_type": "tiktokshop",
        "login": deployment.emulator.app_key,
        "password": "***",
        "extra": deployment.stack.api.request("GET", "connections/tiktokshop_default")["extra"],
    }

    answer = deployment.stack.api.request("POST", "connections/test", json=body)

    assert answer["status"], answer["message"]
    assert "has not been redeemed yet" in answer["message"]
    assert deployment.emulator.stats()["redemptions_total"] == 0


def test_a_seller_authorizes_from_the_command_line(deployment: Deployment) -> None:
    process = subprocess.Popen(
        [deployment.stack.python, *CLI, "authorize", "-o", "json"],
        env={**deployment.stack.env, "PYTHONPATH": str(REPOSITORY)},
        cwd=deployment.stack.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    link = next(word for line in process.stderr for word in line.split() if word.startswith("http"))
    redirect = deployment.emulator.consent(link, deployment.consenting["open_id"])

    out, err = process.communicate(redirect + "\n", timeout=60)

    assert process.returncode == 0, err
    (told,) = json.loads(out)
    assert told["open_id"] == deployment.consenting["open_id"]


def test_the_rotation_takes_up_seed_and_consent_and_renews_what_is_due(deployment: Deployment) -> None:
    # Airflow before 3.3 cannot prove that the seed was never redeemed; saying so expressly does no harm on newer ones.
    good, report = deployment.rotate(bootstrap=True)

    assert good
    assert report["seed"]["outcome"] == "redeemed"
    assert {one["open_id"]: one["outcome"] for one in report["results"]} == {
        deployment.seeded["open_id"]: "rotated",
        deployment.consenting["open_id"]: "rotated",
    }
    assert {row["open_id"] for row in deployment.status()} == {one["open_id"] for one in report["results"]}
    assert deployment.emulator.stats()["reused_refresh_tokens_total"] == 0


def test_the_rotation_announces_the_new_tokens_as_an_asset(deployment: Deployment) -> None:
    (event,) = deployment.stack.api.get_all("assets/events", "asset_events")

    assert event["uri"] == f"tiktokshop://{deployment.emulator.app_key}/tokens"
    assert event["extra"]["counts"] == {"rotated": 2}
    assert event["source_dag_id"] == ROTATE


def test_a_mapped_rotation_renews_each_list_and_announces_it(deployment: Deployment) -> None:
    deployment.emulator.settings(access_ttl=7 * DAY)
    lists = [[deployment.seeded["open_id"]], [deployment.consenting["open_id"]]]
    before = len(deployment.stack.api.get_all("assets/events", "asset_events"))

    good, run_id = deployment.run("rooms_rotate_mapped", conf={"open_ids": lists})

    assert good
    for index, (open_id,) in enumerate(lists):
        report = deployment.stack.api.xcom("rooms_rotate_mapped", run_id, "rotate", map_index=index)
        assert {one["open_id"]: one["outcome"] for one in report["results"]} == {open_id: "rotated"}
    assert len(deployment.stack.api.get_all("assets/events", "asset_events")) == before + 2


def test_the_extraction_gives_each_shop_the_orders_of_the_interval(deployment: Deployment) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    good, run_id = deployment.run(EXTRACT, logical_date=midnight - timedelta(seconds=1))

    assert good
    tasks = [t for t in deployment.stack.api.task_instances(EXTRACT, run_id) if t["task_id"] == "extract_orders"]
    manifests = [deployment.stack.api.xcom(EXTRACT, run_id, "extract_orders", map_index=t["map_index"]) for t in tasks]
    shops = {shop["id"] for seller in deployment.emulator.sellers for shop in seller["shops"]}
    assert {manifest["shop_id"] for manifest in manifests} == shops
    assert sum(manifest["rows"] for manifest in manifests) > 0
    for manifest in manifests:
        start, end = (int(datetime.fromisoformat(manifest[name]).timestamp()) for name in ("start", "end"))
        assert end - start == DAY
        since = start - manifest["options"]["lookback"]
        truth = deployment.emulator.truth(manifest["shop_id"], ge=since, lt=end)
        assert sorted(row["id"] for row in read_rows(manifest)) == sorted(row["id"] for row in truth)


def test_an_extraction_without_an_interval_says_which_timetable_to_use(deployment: Deployment) -> None:
    shop_id = deployment.seeded["shops"][0]["id"]

    good, run_id = deployment.run("rooms_extract_without_interval", conf={"shop_id": shop_id})

    assert not good
    log = deployment.stack.api.task_log("rooms_extract_without_interval", run_id, "extract")
    assert "CronDataIntervalTimetable" in log
    assert "AirflowFailException" in log


def test_one_seller_who_left_fails_the_task_once_and_stops_nobody_else(deployment: Deployment) -> None:
    gone, stayed = deployment.seeded["open_id"], deployment.consenting["open_id"]
    deployment.emulator.account(gone, deauthorize=True)

    good, report = deployment.rotate(force=True)

    assert not good
    assert {one["open_id"]: one["outcome"] for one in report["results"]} == {gone: "refused", stayed: "rotated"}
    good, report = deployment.rotate(force={authorization_id(gone): 99})
    assert good
    assert {one["open_id"]: one["outcome"] for one in report["results"]} == {gone: "known_dead", stayed: "not_due"}
    good, run_id = deployment.run(EXTRACT)
    assert good
    mapped = [t for t in deployment.stack.api.task_instances(EXTRACT, run_id) if t["task_id"] == "extract_orders"]
    assert len(mapped) == len(deployment.consenting["shops"])


def test_the_page_shows_every_authorization(deployment: Deployment) -> None:
    page = deployment.stack.api.request("GET", "/tiktokshop/", raw=True)

    assert deployment.consenting["open_id"] in page
    assert "Must authorize again" in page
    assert "1 needs attention" in page


def test_the_pages_files_are_there(deployment: Deployment) -> None:
    for name in ("page.css", "page.js"):
        assert deployment.stack.api.request("GET", f"/tiktokshop/{name}", raw=True)


def test_the_navigation_leads_to_the_page(deployment: Deployment) -> None:
    views = [
        view
        for plugin in deployment.stack.api.get_all("plugins", "plugins")
        for view in plugin["external_views"]
        if plugin["name"] == "tiktokshop"
    ]

    assert [(view["name"], view["url_route"]) for view in views] == [("TikTok Shop", "tiktokshop")]
    assert deployment.stack.api.request("GET", "plugins/importErrors")["import_errors"] == []


def test_the_variable_store_does_what_every_token_store_must_in_tasks(deployment: Deployment) -> None:
    good, run_id = deployment.run("conformance")

    log = deployment.stack.api.task_log("conformance", run_id, "conform")
    assert good, log
    assert re.search(r"\b7 passed, 2 skipped", log), log


def test_the_variable_store_does_what_every_token_store_must_on_the_command_line(deployment: Deployment) -> None:
    done = subprocess.run(
        [deployment.stack.python, "-m", "pytest", *ARGUMENTS],
        env=deployment.stack.env,
        cwd=deployment.stack.home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "7 passed, 2 skipped" in done.stdout


def test_no_secret_is_left_in_any_answer_log_or_page(deployment: Deployment) -> None:
    secrets = deployment.emulator.secrets()
    assert len(secrets) > 10
    page = deployment.stack.api.request("GET", "/tiktokshop/", raw=True)
    places = {
        **dict(answers_of(deployment.stack.api)),
        **dict(files_below(deployment.stack.home / "logs")),
        "page": page.encode(),
        "status": deployment.cli("status").stdout.encode(),
    }
    assert any(name.startswith("log") for name in places)

    assert find_leaks(secrets, places.items()) == []


def test_only_people_who_may_read_connections_see_the_page() -> None:
    users = {"simple_auth_manager_all_admins": "False", "simple_auth_manager_users": "ann:admin,vera:viewer,olaf:op"}
    with AirflowStack(DAGS, components=API_SERVER, config={"core": users}) as stack:
        passwords = json.loads((stack.home / "simple_auth_manager_passwords.json.generated").read_text())

        def status(name: str) -> int:
            login = {"username": name, "password": passwords[name]}
            token = requests.post(f"{stack.url}/auth/token", json=login, timeout=10).json()["access_token"]
            return requests.get(f"{stack.url}/tiktokshop/", cookies={"_token": token}, timeout=10).status_code

        assert {name: status(name) for name in passwords} == {"ann": 200, "vera": 403, "olaf": 200}
        assert requests.get(f"{stack.url}/tiktokshop/", timeout=10).status_code == 401


def test_with_the_sql_store_no_log_holds_a_secret_even_at_debug(tmp_path: Path) -> None:
    # With Variables Airflow's own supervisor logs what a task sets, which SECURITY.md says and the rotation warns of.
    database = json.dumps({"conn_type": "sqlite", "host": str(tmp_path / "tokens.db")})
    config = {
        "logging": {"logging_level": "DEBUG"},
        "tiktokshop": {"token_store": "sql", "token_store_conn_id": "tokens_db"},
    }
    with (
        EmulatorProcess(sellers=1, orders=1, access_ttl=2 * DAY) as emulator,
        AirflowStack(DAGS, components=API_SERVER, config=config, env={"AIRFLOW_CONN_TOKENS_DB": database}) as stack,
    ):
        url = emulator.url
        extra = {"refresh_token": emulator.sellers[0]["refresh_token"], "api_url": url, "auth_url": url}
        stack.api.add_connection(
            "tiktokshop_default",
            "tiktokshop",
            login=emulator.app_key,
            password=emulator.app_secret,
            extra=json.dumps(extra),
        )

        done = stack.dags_test_use_executor(ROTATE)

        assert done.returncode == 0, done.output[-3000:]
        assert emulator.stats()["redemptions_total"] == 2
        assert any(b"supervisor" in content for _, content in files_below(stack.home / "logs"))
        secrets = emulator.secrets()
        assert len(secrets) > 5
        assert find_leaks(secrets, files_below(stack.home)) == []
        assert find_leaks(secrets, files_below(tmp_path)) == []


def test_a_dag_scheduled_on_the_tokens_asset_runs_after_a_rotation(airflow: AirflowStack) -> None:
    with EmulatorProcess(orders=1) as emulator:
        extra = {
            "refresh_token": emulator.sellers[0]["refresh_token"],
            "api_url": emulator.url,
            "auth_url": emulator.url,
        }
        airflow.api.add_connection(
            "rooms", "tiktokshop", login=emulator.app_key, password=emulator.app_secret, extra=json.dumps(extra)
        )
        for dag_id in ("rooms_follow_tokens", "rooms_rotate"):
            airflow.api.wait_for_dag(dag_id)
            airflow.api.unpause(dag_id)

        run_id = airflow.api.trigger("rooms_rotate")

        assert airflow.api.wait_for_run("rooms_rotate", run_id) == "success"
        follower = wait_until(
            lambda: airflow.api.runs("rooms_follow_tokens"), timeout=60, what="a run of the DAG that follows the asset"
        )
        assert follower[0]["run_type"] == "asset_triggered"
