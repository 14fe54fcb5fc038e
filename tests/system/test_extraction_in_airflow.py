"""Extractions in a whole Airflow: what they tell it, and what they do when the service says to come back later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tiktokshop.extract import read_rows
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import AirflowStack
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.waiting import wait_until

SEARCH = "/order/202309/orders/search"
FOLLOWERS = ("extraction_follow_stream", "extraction_follow_shop", "extraction_follow_all")
LATER = 125  # seconds; from two minutes on the worker is freed


class Extracting:
    """An app in the shared Airflow, whose sellers' orders are extracted."""

    def __init__(self, airflow: AirflowStack, emulator: EmulatorProcess, conn_id: str, output: Path) -> None:
        self.airflow, self.emulator, self.output = airflow, emulator, output
        self.shops = {shop["id"]: emulator.truth(shop["id"]) for shop in emulator.sellers[0]["shops"]}
        times = [row["update_time"] for rows in self.shops.values() for row in rows]
        self.start, self.end = min(times), max(times)
        extra = {
            "refresh_token": emulator.sellers[0]["refresh_token"],
            "api_url": emulator.url,
            "auth_url": emulator.url,
        }
        airflow.api.add_connection(
            conn_id, "tiktokshop", login=emulator.app_key, password=emulator.app_secret, extra=json.dumps(extra)
        )

    def ids(self, shop_id: str) -> list[str]:
        return sorted(row["id"] for row in self.shops[shop_id] if row["update_time"] < self.end)

    def trigger(self, dag_id: str, **conf: Any) -> str:
        start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (self.start, self.end))
        self.airflow.api.wait_for_dag(dag_id)
        self.airflow.api.unpause(dag_id)
        return self.airflow.api.trigger(dag_id, conf={"start": start, "end": end, "output": str(self.output), **conf})

    def events(self) -> list[dict[str, Any]]:
        events = self.airflow.api.get_all("assets/events", "asset_events")
        return [event for event in events if event["uri"].startswith(f"tiktokshop://{self.emulator.app_key}/orders")]

    def state(self, dag_id: str, run_id: str) -> str | None:
        found = self.airflow.api.task_instances(dag_id, run_id)
        return next((one["state"] for one in found if one["task_id"] == "extract"), None)


@pytest.fixture(scope="module")
def pausing(airflow: AirflowStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extracting]:
    with EmulatorProcess(seed=42, orders=2000, rate_limit=1_000_000) as emulator:
        yield Extracting(airflow, emulator, "pausing", tmp_path_factory.mktemp("pausing"))


@pytest.fixture(scope="module")
def paused(pausing: Extracting) -> str:
    """A run that the service has told to come back later; its id."""
    later = {"match": SEARCH, "kind": "429", "skip": 9, "times": None, "params": {"retry_after": LATER}}
    pausing.emulator.faults(later)
    (shop_id,) = pausing.shops
    return pausing.trigger("extraction_pausing", shop_id=shop_id)


@pytest.fixture(scope="module")
def extracting(airflow: AirflowStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extracting]:
    with EmulatorProcess(seed=41, orders=150, shops_per_seller=3, rate_limit=1_000_000) as emulator:
        yield Extracting(airflow, emulator, "extraction", tmp_path_factory.mktemp("extracted"))


def test_a_long_wait_frees_the_worker(pausing: Extracting, paused: str) -> None:
    wait_until(
        lambda: pausing.state("extraction_pausing", paused) == "deferred", timeout=120, what="the deferral of the task"
    )

    pausing.emulator.faults()
    answered = pausing.emulator.stats()["requests"][f"POST {SEARCH}"]
    # Two threads, each told once, nobody asked again: not the five tries of a short refusal.
    assert answered["0"] == 9
    assert 1 <= answered["36009002"] <= 2
    log = pausing.airflow.api.task_log("extraction_pausing", paused, "extract")
    assert f"Waiting {LATER} s without a worker" in log
    assert list(pausing.output.rglob("_checkpoint.json"))
    assert not list(pausing.output.rglob("manifest.json"))


@pytest.fixture(scope="module")
def extracted(extracting: Extracting, paused: str) -> str:
    """A run of the mapped extraction, while DAGs wait for its assets; its id."""
    for dag_id in FOLLOWERS:
        extracting.airflow.api.wait_for_dag(dag_id)
        extracting.airflow.api.unpause(dag_id)
    return extracting.trigger("extraction_mapped")


def test_tasks_that_end_at_the_same_moment_all_succeed(extracting: Extracting, extracted: str) -> None:
    # Airflow fails a task for good when it makes an alias or an asset that another task is making as well.
    api = extracting.airflow.api

    assert api.wait_for_run("extraction_mapped", extracted) == "success"

    tasks = [one for one in api.task_instances("extraction_mapped", extracted) if one["task_id"] == "extract"]
    assert len(tasks) == len(extracting.shops) == 3
    assert {(one["state"], one["try_number"]) for one in tasks} == {("success", 1)}


def test_a_dag_that_names_the_stream_or_the_shop_runs_and_finds_the_rows(
    extracting: Extracting, extracted: str
) -> None:
    api = extracting.airflow.api

    def loaded(dag_id: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for run in api.runs(dag_id):
            if run["state"] == "success":
                assert run["run_type"] == "asset_triggered"
                found |= api.xcom(dag_id, run["dag_run_id"], "load")
        return found

    assert api.wait_for_run("extraction_mapped", extracted) == "success"
    rows = {shop_id: len(extracting.ids(shop_id)) for shop_id in extracting.shops}
    first = next(iter(rows))
    wait_until(
        lambda: loaded("extraction_follow_shop") == {first: rows[first]}, timeout=120, what="the rows of one shop"
    )
    wait_until(lambda: loaded("extraction_follow_all") == rows, timeout=60, what="the rows of all shops")
    # Airflow leaves an event that comes while a run is being made of the one before it to the run after that.
    some = wait_until(lambda: loaded("extraction_follow_stream"), timeout=120, what="the rows of the first shop")
    assert some.items() <= rows.items()


def test_mapped_and_templated_extractions_tell_of_each_shop(extracting: Extracting, extracted: str) -> None:
    api = extracting.airflow.api
    stream = f"tiktokshop://{extracting.emulator.app_key}/orders"
    # Airflow 3.3 cannot list events while a run that one of them caused has not started.
    wait_until(
        lambda: all(run["state"] == "success" for dag_id in FOLLOWERS for run in api.runs(dag_id)),
        timeout=60,
        what="the end of what follows",
    )

    events = extracting.events()

    assert sorted(event["uri"] for event in events) == sorted(
        [*[stream] * len(extracting.shops), *(f"{stream}/shop_id={shop_id}" for shop_id in extracting.shops)]
    )
    tasks = [one for one in api.task_instances("extraction_mapped", extracted) if one["task_id"] == "extract"]
    manifests = [api.xcom("extraction_mapped", extracted, "extract", map_index=one["map_index"]) for one in tasks]
    told = {manifest["manifest_path"]: manifest for manifest in manifests}
    assert {manifest["shop_id"] for manifest in manifests} == set(extracting.shops)
    for event in events:
        manifest = told[event["extra"]["manifest_path"]]
        assert event["extra"]["files"] == len(manifest["files"])
        for name in ("stream", "shop_id", "start", "end", "rows", "min_cursor", "max_cursor"):
            assert event["extra"][name] == manifest[name] is not None
        assert event["source_map_index"] in {one["map_index"] for one in tasks}


def test_once_the_wait_is_over_the_extraction_goes_on_where_it_was(pausing: Extracting, paused: str) -> None:
    api = pausing.airflow.api
    assert api.wait_for_run("extraction_pausing", paused, timeout=LATER + 120) == "success"

    manifest = api.xcom("extraction_pausing", paused, "extract")
    (shop_id,) = pausing.shops
    assert sorted(row["id"] for row in read_rows(manifest)) == pausing.ids(shop_id)
    assert manifest["run"]["attempts"] == 2
    # No page was fetched twice: as many answers as an extraction in one go would have needed, two windows' last pages included.
    answered = pausing.emulator.stats()["requests"][f"POST {SEARCH}"]["0"]
    assert answered <= 2000 / 100 + 2
    assert {event["extra"]["rows"] for event in pausing.events()} == {manifest["rows"]}


def test_no_secret_is_in_any_event_log_or_file(extracting: Extracting, pausing: Extracting) -> None:
    secrets = [*extracting.emulator.secrets(), *pausing.emulator.secrets()]
    assert len(secrets) >= 10
    events = json.dumps([*extracting.events(), *pausing.events()])
    places = {
        **dict(answers_of(extracting.airflow.api)),
        **dict(files_below(extracting.airflow.home / "logs")),
        **dict(files_below(extracting.output)),
        **dict(files_below(pausing.output)),
        "events": events.encode(),
    }
    assert find_leaks(secrets, places.items()) == []
    assert "seller_name" not in events
