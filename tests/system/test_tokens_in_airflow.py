"""The token sensor with a real triggerer, alerts from a real task, and a rotation in chunks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import AirflowStack
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import wait_until

DAY = 86_400
ROTATE, CHUNKS = "tokens_rotate_and_alert", "tokens_rotate_in_chunks"
DEFERRED, IN_PROCESS = "tokens_wait_deferred", "tokens_wait_in_process"


class Deployment:
    """A whole Airflow whose app has one seller, and somebody who reads mail."""

    def __init__(self, stack: AirflowStack, emulator: EmulatorProcess, mail: SmtpSink, alerts: Path) -> None:
        self.stack = stack
        self.emulator = emulator
        self.mail = mail
        self.alerts = alerts
        (self.seller,) = emulator.sellers

    def run(self, dag_id: str, **conf: Any) -> tuple[str, str]:
        """Run a DAG to its end; its state and its run id."""
        run_id = self.stack.api.trigger(dag_id, conf=conf)
        return self.stack.api.wait_for_run(dag_id, run_id), run_id

    def state_of(self, dag_id: str, run_id: str) -> str | None:
        states = [task["state"] for task in self.stack.api.task_instances(dag_id, run_id)]
        return states[0] if states else None


@pytest.fixture(scope="module", params=["newest", pytest.param("oldest", marks=pytest.mark.oldest)])
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    python = sys.executable if request.param == "newest" else request.getfixturevalue("oldest_python")
    alerts = tmp_path_factory.mktemp("alerts") / "alerts.txt"
    alerts.touch()
    with EmulatorProcess(sellers=1, shops_per_seller=1, orders=1, access_ttl=2 * DAY) as emulator, SmtpSink() as mail:
        extra = {
            "refresh_token": emulator.sellers[0]["refresh_token"],
            "service_id": emulator.service_id,
            "api_url": emulator.url,
            "auth_url": emulator.url,
            "authorize_url": f"{emulator.url}/open/authorize",
        }
        app = {"conn_type": "tiktokshop", "login": emulator.app_key, "password": emulator.app_secret, "extra": extra}
        env = {
            "AIRFLOW_CONN_TIKTOKSHOP_DEFAULT": json.dumps(app),
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(mail.connection),
            "TIKTOKSHOP_ALERTS_FILE": str(alerts),
        }
        with AirflowStack(Path(__file__).parent / "dags", python=python, env=env) as stack:
            for dag_id in (ROTATE, CHUNKS, DEFERRED, IN_PROCESS):
                stack.api.wait_for_dag(dag_id)
                stack.api.unpause(dag_id)
            yield Deployment(stack, emulator, mail, alerts)


# The tests of this module share the deployment and stand in the order of its life.


def test_a_run_with_nothing_new_alerts_nobody(deployment: Deployment) -> None:
    state, _ = deployment.run(ROTATE, bootstrap=True)

    assert state == "success"
    assert deployment.alerts.read_text() == ""
    assert deployment.mail.messages == []


def test_deferred_it_waits_in_the_triggerer_until_the_rotation_brings_a_token(deployment: Deployment) -> None:
    api = deployment.stack.api
    run_id = api.trigger(DEFERRED)
    wait_until(
        lambda: deployment.state_of(DEFERRED, run_id) == "deferred",
        timeout=90,
        what=lambda: f"the sensor to be deferred; it is {deployment.state_of(DEFERRED, run_id)}",
    )
    deployment.stack.wait_until_let_go(DEFERRED, run_id, "ready")
    deployment.emulator.settings(access_ttl=7 * DAY)

    rotated, _ = deployment.run(ROTATE, force=True)

    assert rotated == "success"
    ended = api.wait_for_run(DEFERRED, run_id)
    assert ended == "success", api.task_log(DEFERRED, run_id, "ready") + deployment.stack.scheduler.tail()
    told = api.xcom(DEFERRED, run_id, "ready")
    assert told["open_id"] == deployment.seller["open_id"]
    assert told["status"] == "fresh"


def test_in_process_it_finds_the_token(deployment: Deployment) -> None:
    state, run_id = deployment.run(IN_PROCESS)

    assert state == "success"
    assert deployment.stack.api.xcom(IN_PROCESS, run_id, "ready")["status"] == "fresh"


def test_a_fleet_is_rotated_in_chunks(deployment: Deployment) -> None:
    state, run_id = deployment.run(CHUNKS)

    assert state == "success"
    report = deployment.stack.api.xcom(CHUNKS, run_id, "rotate", map_index=0)
    assert report["counts"] == {"rotated": 1}


def test_a_seller_who_left_is_told_of_once_by_mail_and_callable(deployment: Deployment) -> None:
    open_id = deployment.seller["open_id"]
    deployment.emulator.account(open_id, deauthorize=True)

    first, _ = deployment.run(ROTATE, force=True)
    wait_until(lambda: len(deployment.mail.messages) == 1, timeout=30, what="the mail", interval=0.2)
    second, _ = deployment.run(ROTATE, force=True)

    assert (first, second) == ("failed", "success")
    (message,) = deployment.mail.messages
    assert message["Subject"] == "TikTok Shop: 1 must authorize again"
    told = deployment.alerts.read_text()
    assert told.count("TikTok Shop: 1 must authorize again") == 1
    assert "code 36004005, request_id" in told
    assert f"airflow tiktokshop authorize --open-id {open_id}" in told


@pytest.mark.parametrize("dag_id", [DEFERRED, IN_PROCESS])
def test_where_a_person_must_act_the_sensor_fails_at_once_with_what_to_do(deployment: Deployment, dag_id: str) -> None:
    state, run_id = deployment.run(dag_id, open_id=deployment.seller["open_id"])

    assert state == "failed"
    log = deployment.stack.api.task_log(dag_id, run_id, "ready")
    assert f"airflow tiktokshop authorize --open-id {deployment.seller['open_id']}" in log


def test_no_secret_is_left_in_any_answer_log_mail_or_alert(deployment: Deployment) -> None:
    secrets = deployment.emulator.secrets()
    places = {
        **dict(answers_of(deployment.stack.api)),
        **dict(files_below(deployment.stack.home / "logs")),
        "alerts": deployment.alerts.read_bytes(),
        "mail": b"".join(message.as_bytes() for message in deployment.mail.messages),
    }

    assert len(secrets) > 5
    assert find_leaks(secrets, places.items()) == []
