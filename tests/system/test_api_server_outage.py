"""Airflow's API server goes away in the middle of a rotation: the service has answered, and the store cannot be reached."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import ALL, REPOSITORY, AirflowStack
from tests.support.waiting import wait_until
from tests.system.test_provider_in_airflow import Deployment

ROTATE = "tiktokshop_rotate_tokens"
REFRESH = "/api/v2/token/refresh"
DAY = 86_400


@contextmanager
def whole_airflow(refresh_mode: str) -> Iterator[Deployment]:
    with (
        EmulatorProcess(sellers=2, orders=1, access_ttl=2 * DAY, refresh_mode=refresh_mode) as emulator,
        AirflowStack(REPOSITORY / "dags", components=ALL) as stack,
    ):
        deployment = Deployment(stack, emulator)
        deployment.connect()
        stack.api.wait_for_dag(ROTATE)
        stack.api.unpause(ROTATE)
        yield deployment


def rotate(deployment: Deployment, timeout: float = 180) -> str:
    run_id = deployment.stack.api.trigger(ROTATE)
    return str(deployment.stack.api.wait_for_run(ROTATE, run_id, timeout=timeout))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("how", "seconds"),
    [
        ("stopped", 120),
        pytest.param("frozen", 120, marks=pytest.mark.soak),
        pytest.param("frozen", 300, marks=pytest.mark.soak),
    ],
)
def test_an_api_server_that_is_gone_in_mid_rotation_costs_nothing(how: str, seconds: int) -> None:
    # In this mode a token presented twice ends the whole authorization: a mistake could not go unnoticed.
    with whole_airflow("family") as deployment:
        stack, emulator = deployment.stack, deployment.emulator
        rotate(deployment)
        redeemed = emulator.stats()["redemptions_total"]
        emulator.faults({"match": REFRESH, "kind": "hold", "params": {"when": "after"}})
        stack.api.trigger(ROTATE)
        emulator.wait_held(timeout=120)
        if how == "stopped":
            stack.api_server.stop(grace=0.5)
        else:
            stack.api_server.freeze()
        gone_at = time.monotonic()
        emulator.release()

        wait_until(lambda: time.monotonic() - gone_at >= seconds, timeout=seconds + 5, what="the outage", interval=1)
        assert emulator.stats()["redemptions_total"] == redeemed + 1
        if how == "stopped":
            assert escrow_of(stack.home), "the task was killed meanwhile; the pair that it had received waits in escrow"
            stack.api_server.start()
        else:
            stack.api_server.thaw()
        wait_until(lambda: no_run_is_under_way(deployment), timeout=300, what="the interrupted run to end", interval=1)

        rotate(deployment)

        stats = emulator.stats()
        assert stats["reused_refresh_tokens_total"] == 0
        assert max(stats["presented_refresh_tokens"].values()) == 1, "each refresh token, the seed included, once"
        (held,) = deployment.status()
        assert held["status"] in {"fresh", "stale"}
        assert held["generation"] == stats["redemptions_total"]
        assert escrow_of(stack.home) == []
        (live,) = emulator.account(deployment.seeded["open_id"])["tokens"]
        assert live["access_token"], "the authorization is alive at the service, too"


def escrow_of(home: Path) -> list[Path]:
    return sorted(home.rglob("*.sealed"))


def no_run_is_under_way(deployment: Deployment) -> bool:
    return all(run["state"] in {"success", "failed"} for run in deployment.stack.api.runs(ROTATE))
