"""A seller authorizes again through a required action, answered as the UI does, in a whole Airflow at both ends of the range."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from sqlalchemy import create_engine, inspect, text

from airflow_provider_tiktokshop.auth.records import authorization_id
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_api import AirflowApiError
from tests.support.airflow_stack import REPOSITORY, AirflowStack
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.waiting import wait_until

DAG, TASK = "tiktokshop_reauthorize", "authorize"
WAITING = {"awaiting_input", "deferred"}


class Desk:
    """An Airflow with one app, whose required actions are answered here."""

    def __init__(self, stack: AirflowStack, emulator: EmulatorProcess) -> None:
        self.stack = stack
        self.api = stack.api
        self.emulator = emulator

    def ask(self, **conf: Any) -> tuple[str, dict[str, Any]]:
        """Trigger the DAG and wait until it asks; return its run id and what it asks."""
        run_id = self.api.trigger(DAG, conf=conf)

        def asks() -> dict[str, Any] | None:
            states = {task["state"] for task in self.api.task_instances(DAG, run_id)}
            assert "failed" not in states, self.api.task_log(DAG, run_id, TASK)
            try:
                return dict(self.api.request("GET", self.path(run_id))) if states & WAITING else None
            except AirflowApiError as error:
                if error.status != 404:
                    raise
                return None

        return run_id, wait_until(asks, timeout=90, what=f"the question of {run_id}")

    def path(self, run_id: str) -> str:
        return f"dags/{DAG}/dagRuns/{quote(run_id)}/taskInstances/{TASK}/-1/hitlDetails"

    def answer(self, run_id: str, asked: dict[str, Any], pasted: str) -> str:
        """Answer as the form does, and return how the run ended."""
        self.stack.wait_until_let_go(DAG, run_id, TASK)
        (name,) = asked["params"]
        body = {"chosen_options": asked["options"], "params_input": {name: pasted}}
        self.api.request("PATCH", self.path(run_id), json=body)
        return self.api.wait_for_run(DAG, run_id)

    def codes_in_tables(self, code: str) -> set[str]:
        """Return the tables of Airflow's database that hold the code."""
        engine = create_engine(f"sqlite:///{self.stack.home}/airflow.db")
        with engine.connect() as connection:
            return {
                table
                for table in inspect(engine).get_table_names()
                if any(code in str(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{table}"')))
            }


@pytest.fixture(params=["newest", pytest.param("oldest", marks=pytest.mark.oldest)])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with EmulatorProcess(seed=44, sellers=2, shops_per_seller=2) as emulator:
        if request.param == "newest":
            yield from _open(request.getfixturevalue("airflow"), emulator)
            return
        with AirflowStack(REPOSITORY / "dags", python=request.getfixturevalue("oldest_python")) as stack:
            yield from _open(stack, emulator)


def _open(stack: AirflowStack, emulator: EmulatorProcess) -> Iterator[Desk]:
    extra = {
        "service_id": emulator.service_id,
        "api_url": emulator.url,
        "auth_url": emulator.url,
        "authorize_url": f"{emulator.url}/open/authorize",
    }
    stack.api.add_connection(
        "tiktokshop_default",
        "tiktokshop",
        login=emulator.app_key,
        password=emulator.app_secret,
        extra=json.dumps(extra),
    )
    stack.api.wait_for_dag(DAG)
    stack.api.unpause(DAG)
    yield Desk(stack, emulator)
    stack.api.delete_connection("tiktokshop_default")


def link_in(asked: dict[str, Any]) -> str:
    found = re.search(r"`(http[^`]+)`", asked["body"])
    assert found, asked["body"]
    return found[1]


def test_a_seller_authorizes_by_a_required_action_and_nothing_but_its_answer_keeps_the_code(desk: Desk) -> None:
    right, wrong = (seller["open_id"] for seller in desk.emulator.sellers)

    run_id, asked = desk.ask(open_id=right)
    assert asked["options"] == ["Submit"]
    assert not asked.get("defaults")
    assert {name: param["schema"]["format"] for name, param in asked["params"].items()} == {
        "authorization_answer": "password"
    }
    redirect = desk.emulator.consent(link_in(asked), right)
    assert desk.answer(run_id, asked, redirect) == "success", desk.api.task_log(DAG, run_id, TASK)

    told = desk.api.xcom(DAG, run_id, TASK)
    assert told["id"] == authorization_id(right)
    assert {shop["id"] for shop in told["shops"]} == {shop["id"] for shop in desk.emulator.sellers[0]["shops"]}

    other_run, asked = desk.ask(open_id=right)
    others = desk.emulator.consent(link_in(asked), wrong)
    assert desk.answer(other_run, asked, others) == "failed"
    said = f"account {wrong} consented, but the link was made for {right}"
    # From the file itself: the API merges the two halves of a task that waited in between, and may leave out lines.
    files = [path for path in (desk.stack.home / "logs").rglob("attempt=1.log") if other_run in str(path)]
    log = wait_until(lambda: log if said in (log := files[0].read_text()) else None, timeout=20, what=f"log: {said}")
    assert "AirflowFailException" in log

    codes = [parse_qs(urlsplit(address).query)["code"][0] for address in (redirect, others)]
    secrets = {*desk.emulator.secrets(), *codes}
    assert find_leaks(secrets, answers_of(desk.api)) == []
    assert find_leaks(secrets, files_below(desk.stack.home / "logs")) == []
    for code in codes:
        assert desk.codes_in_tables(code) == {"hitl_detail"}
