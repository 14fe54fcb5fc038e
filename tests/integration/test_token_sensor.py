"""The sensor and its trigger against a running emulator, and what the rotation tells of, with a store that outlives tasks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, TaskDeferred

from airflow_provider_tiktokshop.auth.records import authorization_id
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable
from airflow_provider_tiktokshop.compat import AirflowFailException, AirflowSkipException
from airflow_provider_tiktokshop.sensors.token import TikTokShopTokenSensor
from airflow_provider_tiktokshop.triggers.token import TikTokShopTokenTrigger
from tests.support.deployment import Deployment, context
from tests.support.shared_store import STORE

DAY = 86_400


def sensor(**options: Any) -> TikTokShopTokenSensor:
    return TikTokShopTokenSensor(**{"task_id": "ready", "poke_interval": 0.05, "timeout": 20} | options)


def refuse(airflow: Deployment) -> str:
    """Let the first seller withdraw, and the rotation find out."""
    gone = airflow.seller(0)["open_id"]
    airflow.emulator.account(gone, deauthorize=True)
    with pytest.raises(AirflowException):
        airflow.rotate(force=True)
    return str(gone)


def test_a_token_that_lasts_long_enough_is_told_of_at_once_and_without_a_secret(
    deployment: Callable[..., Deployment],
) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    seller = airflow.seller(1)

    for deferrable in (False, True):
        told = sensor(shop_id=seller["shops"][0]["id"], deferrable=deferrable).execute(context())

        assert told["open_id"] == seller["open_id"]
        assert told["status"] == "fresh"
        assert {shop["id"] for shop in told["shops"]} == {shop["id"] for shop in seller["shops"]}
        assert not [secret for secret in airflow.secrets() if secret in json.dumps(told)]


def test_in_process_it_waits_for_the_rotation(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1, access_ttl=2 * DAY)
    airflow.adopt_seeds()
    task = sensor(valid_for=timedelta(days=3))
    looks = []

    poke = task.poke

    def counted(ctx: Any) -> Any:
        looks.append(poke(ctx))
        if len(looks) == 2:
            airflow.emulator.settings(access_ttl=7 * DAY)
            airflow.rotate(force=True)
        return looks[-1]

    task.poke = counted  # type: ignore[method-assign]

    told = task.execute(context())

    assert [bool(look) for look in looks] == [False, False, True]
    assert told["generation"] == 3


def test_deferred_it_hands_the_triggerer_no_secret_and_goes_on_with_its_event(
    deployment: Callable[..., Deployment],
) -> None:
    airflow = deployment(sellers=1, access_ttl=2 * DAY)
    airflow.adopt_seeds()
    task = sensor(valid_for=timedelta(days=3), deferrable=True)

    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())

    path, arguments = deferred.value.trigger.serialize()
    assert path == "airflow_provider_tiktokshop.triggers.token.TikTokShopTokenTrigger"
    assert not [secret for secret in airflow.secrets() if secret in json.dumps(arguments)]
    assert deferred.value.timeout == timedelta(seconds=20)
    airflow.emulator.settings(access_ttl=7 * DAY)

    async def wait() -> Any:
        events = TikTokShopTokenTrigger(**arguments).run()
        first = asyncio.ensure_future(anext(events))
        done, _ = await asyncio.wait({first}, timeout=0.3)
        assert not done, "the token does not last long enough yet"
        await asyncio.to_thread(airflow.rotate, force=True)
        return (await asyncio.wait_for(first, 10)).payload

    event = asyncio.run(wait())
    assert not [secret for secret in airflow.secrets() if secret in json.dumps(event)]
    told = task.resume(context(), json.loads(json.dumps(event)))
    assert told is not None
    assert told["generation"] == 3


def test_it_waits_for_a_newer_pair_than_the_one_named(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    assert not sensor(after_generation="1").poke(context())
    airflow.rotate(force=True)
    assert sensor(after_generation="1").poke(context())


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_seller_who_must_authorize_again_fails_it_at_once_with_what_to_do(
    deployment: Callable[..., Deployment], deferrable: bool
) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    gone = refuse(airflow)

    with pytest.raises(AirflowFailException, match=f"36004005.*authorize --open-id {gone}"):
        sensor(open_id=gone, deferrable=deferrable).execute(context())
    with pytest.raises(AirflowSkipException):
        sensor(open_id=gone, deferrable=deferrable, soft_fail=True).execute(context())


def test_the_trigger_reports_a_seller_who_leaves_while_it_waits(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(access_ttl=2 * DAY)
    airflow.adopt_seeds()
    gone = airflow.seller(0)["open_id"]
    task = sensor(open_id=gone, valid_for=timedelta(days=3), deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())
    refuse(airflow)

    async def wait() -> Any:
        return (await asyncio.wait_for(anext(deferred.value.trigger.run()), 10)).payload

    event = asyncio.run(wait())

    assert event["state"] == "stuck"
    with pytest.raises(AirflowFailException, match=f"authorize --open-id {gone}"):
        task.resume(context(), event)


def test_an_app_that_nobody_authorized_fails_it_unless_a_seed_waits(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)

    with pytest.raises(AirflowFailException, match="airflow tiktokshop authorize"):
        sensor().poke(context())
    airflow.connect(refresh_token=airflow.seller()["refresh_token"])
    assert not sensor().poke(context())
    airflow.rotate()
    assert sensor().poke(context())
    with pytest.raises(AirflowFailException):
        sensor(open_id="somebody else").poke(context())


def test_a_store_that_does_not_answer_is_waited_for(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    def down(*_: Any) -> Any:
        raise StoreUnavailable("the database is down")

    with monkeypatch.context() as outage:
        outage.setattr(STORE, "read", down, raising=True)
        assert not sensor(open_id=airflow.seller()["open_id"]).poke(context())
    assert sensor(open_id=airflow.seller()["open_id"]).poke(context())


def test_a_wrong_connection_fails_it_at_once(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.connect(market="mars")

    with pytest.raises(AirflowFailException, match="market"):
        sensor().poke(context())


# -- what the rotation tells of ------------------------------------------------------------------------------------------


def kinds(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(event["kind"], event["open_id"]) for event in report["events"]]


def test_the_rotation_tells_of_a_refusal_once_and_of_the_new_consent_as_recovery(
    deployment: Callable[..., Deployment],
) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    gone = refuse(airflow)

    first = airflow.context["ti"].pushed["return_value"]
    second = airflow.rotate()
    airflow.consent(gone)
    third = airflow.rotate()
    fourth = airflow.rotate()

    assert kinds(first) == [("refused", gone)]
    assert kinds(second) == []
    assert kinds(third) == [("recovered", gone)]
    assert kinds(fourth) == []
    assert first["events"][0]["id"] == authorization_id(gone)
    assert not [secret for secret in airflow.secrets() if secret in json.dumps([first, second, third, fourth])]


def test_the_rotation_tells_of_an_authorization_that_ends_soon(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1, refresh_ttl=20 * DAY)
    airflow.connect(refresh_token=airflow.seller()["refresh_token"])

    assert kinds(airflow.rotate()) == [("expiring", airflow.seller()["open_id"])]
    assert kinds(airflow.rotate()) == []
