"""The harness itself: what it starts is real, stays on loopback, and is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from tests.support.airflow_stack import API_SERVER, REPOSITORY, AirflowStack, StackFailed
from tests.support.processes import MARK, ProcessFamily, clean_environment, free_port
from tests.support.waiting import wait_until

HARNESS_DAGS = Path(__file__).parent / "dags"


def test_the_scheduler_runs_a_dag_whose_tasks_cannot_reach_the_database(airflow: AirflowStack) -> None:
    airflow.api.wait_for_dag("harness_restrictions")
    airflow.api.unpause("harness_restrictions")
    run_id = airflow.api.trigger("harness_restrictions")

    assert airflow.api.wait_for_run("harness_restrictions", run_id) == "success"

    outcome = airflow.api.xcom("harness_restrictions", run_id, "read")
    assert outcome == {"before": "written", "counter": 42, "database": "blocked"}
    assert "written by a task" in airflow.api.task_log("harness_restrictions", run_id, "write")
    assert airflow.api.variables()["harness_counter"] == "41"


def test_a_deferred_task_comes_back_from_the_triggerer(airflow: AirflowStack) -> None:
    airflow.api.wait_for_dag("harness_deferral")
    airflow.api.unpause("harness_deferral")
    run_id = airflow.api.trigger("harness_deferral")

    assert airflow.api.wait_for_run("harness_deferral", run_id) == "success"


def test_a_failing_run_is_reported_as_failed_with_its_log(airflow: AirflowStack) -> None:
    airflow.api.wait_for_dag("harness_failure")
    airflow.api.unpause("harness_failure")
    run_id = airflow.api.trigger("harness_failure")

    assert airflow.api.wait_for_run("harness_failure", run_id) == "failed"
    assert "as intended" in airflow.api.task_log("harness_failure", run_id, "fail")


def test_a_whole_airflow_listens_on_loopback_only(airflow: AirflowStack) -> None:
    listeners = airflow.family.listeners()

    assert airflow.url.rpartition(":")[2] in {str(listener.port) for listener in listeners}
    assert all(listener.on_loopback for listener in listeners)


def test_a_process_that_listens_on_all_addresses_is_noticed(tmp_path: Path) -> None:
    stack = AirflowStack(HARNESS_DAGS, components=API_SERVER)
    port = free_port()
    code = f"import socket, time; s = socket.create_server(('', {port})); time.sleep(60)"
    try:
        stack.family.start("open", [sys.executable, "-c", code], env=stack.env, cwd=tmp_path, log=tmp_path / "log")
        wait_until(lambda: stack.family.listeners(), timeout=20, what="the port")
        with pytest.raises(StackFailed, match="beyond loopback"):
            stack.check_listeners()
    finally:
        stack.stop()


def test_dags_test_with_the_executor_blocks_the_database_as_production_does(
    airflow_without_scheduler: AirflowStack,
) -> None:
    stack = airflow_without_scheduler

    result = stack.dags_test_use_executor("harness_restrictions")

    assert result.returncode == 0, result.output
    (run,) = stack.api.runs("harness_restrictions")
    assert stack.api.xcom("harness_restrictions", run["dag_run_id"], "read")["database"] == "blocked"


def test_dags_test_with_the_executor_tells_of_failure(airflow_without_scheduler: AirflowStack) -> None:
    assert airflow_without_scheduler.dags_test_use_executor("harness_failure").returncode != 0


def test_the_api_server_can_be_frozen_and_stopped_and_comes_back_where_it_was() -> None:
    with AirflowStack(HARNESS_DAGS, components=API_SERVER) as stack:
        stack.api.set_variable("kept", "value")

        stack.api_server.freeze()
        assert stack.api.health(timeout=1) == {}
        stack.api_server.thaw()
        wait_until(stack.api.health, timeout=20, what="an answer after the thaw")

        stack.api_server.stop()
        assert stack.api.health(timeout=1) == {}
        assert stack.family.members() == []
        stack.api_server.start()
        assert stack.api.variables() == {"kept": "value"}


def test_nothing_is_left_when_the_test_inside_fails() -> None:
    stack = AirflowStack(HARNESS_DAGS, components=())

    with pytest.raises(ZeroDivisionError), stack:
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        stack.family.start("sleeper", sleep, env=stack.env, cwd=stack.home, log=stack.home / "log")
        assert stack.family.members()
        1 / 0  # noqa: B018

    assert stack.family.members() == []
    assert not stack.home.exists()


def test_a_component_that_ends_early_is_an_error_that_shows_its_log() -> None:
    with (
        pytest.raises(StackFailed, match=r"(?s)api-server ended.*no number"),
        AirflowStack(HARNESS_DAGS, components=API_SERVER, config={"api": {"port": "no number"}}),
    ):
        pass


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(
        textwrap.dedent(f"""
        import signal, time
        from pathlib import Path
        from tests.support.airflow_stack import AirflowStack
        # What was started in the background inherits that Ctrl-C is ignored; a person's terminal does not.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with AirflowStack(Path({str(HARNESS_DAGS)!r}), components=("api-server", "scheduler")) as stack:
            print(stack.home, *(process.pid for process in stack.family.members()), flush=True)
            time.sleep(600)
        """)
    )
    env = clean_environment() | {"PYTHONPATH": str(REPOSITORY)}
    child = subprocess.Popen([sys.executable, script], env=env, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert child.stdout
        home, *pids = child.stdout.readline().split()
        assert len(pids) >= 2
        child.send_signal(signal.SIGINT)
        assert child.wait(60) != 0
    finally:
        child.kill()
        child.wait()

    assert not any(psutil.pid_exists(int(pid)) for pid in pids)
    assert not Path(home).exists()


def test_a_grandchild_that_left_its_session_and_lost_its_parent_is_ended_too(tmp_path: Path) -> None:
    family = ProcessFamily()
    code = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
        """
    family.start(
        "parent",
        [sys.executable, "-c", textwrap.dedent(code)],
        env=dict(os.environ),
        cwd=tmp_path,
        log=tmp_path / "log",
    )
    try:
        orphan = wait_until(lambda: family.members() if len(family.members()) == 1 else None, timeout=20, what="orphan")
        assert orphan[0].environ()[MARK]
    finally:
        family.stop(grace=0.5)

    assert family.members() == []
