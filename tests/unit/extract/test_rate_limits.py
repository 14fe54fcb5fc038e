"""A whole extraction under a rate limit, in virtual time: at the ceiling, never over it, and down with it when it drops."""

from __future__ import annotations

import pytest

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.extract import extract, read_rows
from tests.support.virtual_time import NOW, LimitedService, VirtualClock

SHOP = Shop("7", "cipher", "GB", "LOCAL", "X")
START = int(NOW) - 1_000_000
PAGE = 5


def extracted(service: LimitedService, pages: int, output, budget: float = 50.0) -> float:
    """Extract ``pages`` full pages in eight windows; how many seconds it took."""
    app = App(app_key="key", app_secret="secret", requests_per_second=budget)
    client = TikTokShopClient(app, StaticToken("token"), http=service, clock=service.clock)
    began = service.clock.time
    manifest = extract(
        "orders",
        client,
        SHOP,
        START,
        START + pages * PAGE,
        output,
        windows=8,
        page_size=PAGE,
        lookback=0,
        clock=service.clock,
    )
    assert [row["id"] for row in read_rows(manifest)] == [str(at) for at in range(START, START + pages * PAGE)]
    return service.clock.time - began


@pytest.mark.parametrize("latency", [0.02, 0.15])
def test_at_a_limit_of_fifty_a_second_the_ceiling_is_reached_and_nothing_refused(tmp_path, latency):
    service = LimitedService(VirtualClock(), limit=50, latency=latency)
    seconds = extracted(service, 1000, tmp_path)
    assert service.refused == 0
    assert len(service.answers) / seconds >= 0.95 * 50


@pytest.mark.parametrize("latency", [0.02, 0.15])
@pytest.mark.parametrize("before", [300, 500, 700])
def test_a_limit_that_drops_to_a_fifth_in_mid_run_refuses_one_request_in_a_hundred_at_most(tmp_path, latency, before):
    service = LimitedService(VirtualClock(), limit=50, latency=latency)
    service.drop = (before, 10)
    extracted(service, 1000, tmp_path)
    refusals = [at for at, passed in service.answers if not passed]
    # Once one is refused all hold still: the others are those that were on their way, eight threads have no more than that.
    together = [at for at in refusals if at <= refusals[0] + latency]
    assert len(together) <= 8
    assert len(refusals) - len(together) <= 3
    assert len(refusals) <= len(service.answers) / 100
    # It settles below the new limit, and near it.
    dropped, end = service.answers[before - 1][0], service.answers[-1][0]
    assert 9 <= service.rate(dropped + 10, end) <= 10


def test_a_budget_above_the_limit_learns_it_and_loses_nothing(tmp_path):
    service = LimitedService(VirtualClock(), limit=20, latency=0.15)
    extracted(service, 1000, tmp_path)
    assert service.refused <= len(service.answers) / 50
    assert 0.85 * 20 <= service.rate(NOW + 10, service.answers[-1][0]) <= 20


def test_a_limit_that_drops_and_comes_back_is_used_again(tmp_path):
    service = LimitedService(VirtualClock(), limit=50, latency=0.15)
    service.drop = (300, 10)
    extracted(service, 500, tmp_path / "low")
    service.limit = 50
    before = len(service.answers)
    extracted(service, 3000, tmp_path / "high")
    since = service.answers[before][0]
    assert not [at for at, passed in service.answers[before:] if not passed]
    assert service.rate(since, service.answers[-1][0]) > 20
