"""Exchanges are paced: the auth host is one host for all sellers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from airflow_provider_tiktokshop.api.budget import RateBudget
from airflow_provider_tiktokshop.auth.rotation import Outcome, Rotator
from tests.support.rotation import Workbench


def rotator(bench: Workbench, budget: RateBudget, **changes: Any) -> Rotator:
    return bench.rotator(budget=budget, **changes)


def test_a_fleet_stays_under_the_rate_that_the_auth_host_is_given(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=6)
    bench.adopt_seeds()
    started = time.monotonic()

    report = bench.run(rotator=rotator(bench, RateBudget(10.0)), force=True)

    # Six exchanges at ten a second begin within half a second, however many threads there are.
    assert time.monotonic() - started >= 0.5
    assert report.rotation.counts == {"rotated": 6}


def test_a_throttled_exchange_slows_the_others_down(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=3)
    bench.adopt_seeds()
    bench.emulator.faults({"match": "/api/v2/token/refresh", "kind": "429", "times": 1})
    budget = RateBudget(100.0)

    report = bench.run(rotator=rotator(bench, budget), force=True)

    assert sorted(report.rotation.counts.items()) == [("rotated", 2), ("transient", 1)]
    assert budget.rate < 100


def test_whoever_is_told_to_end_while_waiting_for_its_turn_sends_nothing(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=1)
    (id_,) = bench.adopt_seeds()
    bench.run()
    before = bench.redemptions
    ended = rotator(bench, RateBudget(10.0))
    ended.interrupted.set()

    result = ended.rotate(id_, replace_generation=bench.record(id_).generation)

    assert result.outcome is Outcome.STOPPED
    assert bench.redemptions == before
    assert bench.record(id_).intent is None
