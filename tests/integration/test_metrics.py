"""The metrics of a rotation and of a fleet, as a StatsD server receives them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from airflow.sdk.exceptions import AirflowException

from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
from tests.support.deployment import Deployment
from tests.support.statsd import metrics_to_statsd

DAY = 86_400


def test_a_rotation_counts_its_outcomes_and_tells_time_and_days_left(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=3)
    airflow.adopt_seeds()
    airflow.emulator.account(airflow.seller(0)["open_id"], deauthorize=True)

    with metrics_to_statsd() as arrived:
        with pytest.raises(AirflowException):
            airflow.rotate(force=True)
        first = arrived()
        airflow.rotate()
        second = arrived()

    assert first["tiktokshop.rotation.success"] == (2, "c")
    assert first["tiktokshop.rotation.failure.refused"] == (1, "c")
    seconds, kind = first["tiktokshop.rotation.seconds"]
    assert kind == "ms"
    assert seconds > 0
    days, kind = first["tiktokshop.rotation.days_left"]
    assert kind == "g"
    assert 6.9 < days <= 7
    assert second["tiktokshop.rotation.not_due"] == (2, "c")
    assert second["tiktokshop.rotation.known_dead"] == (1, "c")
    assert not [name for name in second if "failure" in name]


def test_the_fleet_is_counted_by_status(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=2, access_ttl=2 * DAY)
    airflow.adopt_seeds()

    with metrics_to_statsd() as arrived:
        chunks = TikTokShopHook().authorization_chunks(1)
        told = arrived()

    assert sorted(chunks) == sorted([[seller["open_id"]] for seller in airflow.emulator.sellers])
    assert told["tiktokshop.authorizations.stale"] == (2, "g")
    assert told["tiktokshop.authorizations.fresh"] == (0, "g")
    assert told["tiktokshop.authorizations.reauthorization_required"] == (0, "g")


def test_a_rotation_in_chunks_redeems_each_token_once(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=5, access_ttl=2 * DAY)
    airflow.adopt_seeds()
    airflow.emulator.settings(access_ttl=7 * DAY)
    before = airflow.emulator.stats()["redemptions_total"]

    for chunk in TikTokShopHook().authorization_chunks(2, only_due=True):
        airflow.rotate(open_ids=chunk)

    assert airflow.emulator.stats()["redemptions_total"] - before == 5
    assert TikTokShopHook().authorization_chunks(2, only_due=True) == []
    assert [len(chunk) for chunk in TikTokShopHook().authorization_chunks(2)] == [2, 2, 1]
