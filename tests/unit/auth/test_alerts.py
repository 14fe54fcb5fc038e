"""What of a run a person should hear of, each of it once."""

from __future__ import annotations

from typing import Any

from airflow_provider_tiktokshop.auth.alerts import AuthorizationEvent, EventKind, take_events
from airflow_provider_tiktokshop.auth.fleet import RotationReport
from airflow_provider_tiktokshop.auth.records import Authorization, Status, TokenPair
from airflow_provider_tiktokshop.auth.rotation import Outcome, RotationResult
from airflow_provider_tiktokshop.auth.run import RunReport
from airflow_provider_tiktokshop.auth.seeds import SeedOutcome, SeedResult
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable
from airflow_provider_tiktokshop.auth.stores.memory import MemoryStore

NOW = 1_800_000_000.0
DAY = 86_400
ERROR = {"kind": "X", "code": 36004005, "request_id": "R1", "text": "no auth record", "advice": "do something"}
ID = "a" * 16


def run(
    outcome: Outcome,
    *,
    days: float = 3,
    ends: float | None = None,
    now: float = NOW,
    marked: bool = True,
    stopped: str | None = None,
    seed: SeedResult | None = None,
) -> RunReport:
    expires_at = int(now + days * DAY)
    result = RotationResult(ID, outcome, "open-a", 1, 4, expires_at, error=None if outcome.good else ERROR)
    status = Status.REAUTHORIZATION_REQUIRED if outcome is Outcome.REFUSED and marked else Status.STALE
    ends_at = None if ends is None else int(NOW + ends * DAY)
    held = Authorization(
        app_key="k",
        issuer="i",
        id=ID,
        open_id="open-a",
        status=status,
        pair=TokenPair("ACCESS", expires_at, "REFRESH", ends_at),
        authorization_expires_at=ends_at,
        expires_soon=ends_at is not None and ends_at - now < 30 * DAY,
    )
    return RunReport(RotationReport([result], stopped), seed, [held], now=now)


def kinds(report: RunReport, store: Any) -> list[str]:
    return [str(event.kind) for event in take_events(report, store, "k")]


def test_a_refused_seller_is_told_of_once_with_reason_and_what_the_code_means() -> None:
    store = MemoryStore()

    (event,) = take_events(run(Outcome.REFUSED), store, "k")

    assert event.kind is EventKind.REFUSED
    assert (event.open_id, event.error) == ("open-a", ERROR)
    assert event.meaning
    assert kinds(run(Outcome.DEAD), store) == []
    assert kinds(run(Outcome.REFUSED), store) == []


def test_whoever_heard_of_the_trouble_hears_of_the_recovery_and_nobody_else() -> None:
    store = MemoryStore()
    assert kinds(run(Outcome.ROTATED), store) == []
    kinds(run(Outcome.REFUSED), store)

    assert kinds(run(Outcome.ROTATED), store) == ["recovered"]
    assert kinds(run(Outcome.ROTATED), store) == []
    assert kinds(run(Outcome.REFUSED), store) == ["refused"]


def test_an_overdue_seller_is_told_of_once_and_again_when_it_becomes_final() -> None:
    store = MemoryStore()

    assert kinds(run(Outcome.TRANSIENT, days=2), store) == []
    assert kinds(run(Outcome.TRANSIENT, days=0.5), store) == ["overdue"]
    assert kinds(run(Outcome.TRANSIENT, days=0.3), store) == []
    assert kinds(run(Outcome.REFUSED), store) == ["refused"]


def test_an_approaching_end_is_told_at_five_marks_however_often_the_rotation_runs() -> None:
    store = MemoryStore()
    told = []
    for quarter_days in range(4 * 35):
        now = NOW + quarter_days * DAY / 4
        if kinds(run(Outcome.NOT_DUE, ends=35, now=now), store):
            told.append(35 - quarter_days / 4)

    assert told == [29.75, 14.0, 7.0, 3.0, 1.0]


def test_an_authorization_that_was_renewed_is_told_of_again_when_its_new_end_comes() -> None:
    store = MemoryStore()
    assert kinds(run(Outcome.NOT_DUE, ends=2), store) == ["expiring"]
    assert kinds(run(Outcome.NOT_DUE, ends=365), store) == []

    assert kinds(run(Outcome.NOT_DUE, ends=29), store) == ["expiring"]


def test_what_stops_a_run_is_told_once_for_the_app_and_not_for_each_seller() -> None:
    store = MemoryStore()
    stopped = "36009004: the app secret is wrong"

    (event,) = take_events(run(Outcome.REFUSED, marked=False, stopped=stopped), store, "k")

    assert (event.kind, event.id) == (EventKind.STOPPED, "app")
    assert event.error is not None
    assert event.error["text"] == stopped
    assert kinds(run(Outcome.CONFIGURATION, stopped=stopped, days=0.2), store) == []
    assert kinds(run(Outcome.ROTATED), store) == ["recovered"]


def test_a_seed_that_was_refused_is_told_of_once() -> None:
    store = MemoryStore()
    refused = SeedResult(SeedOutcome.REFUSED, error=ERROR, newly=True)

    (event,) = take_events(run(Outcome.NOT_DUE, seed=refused), store, "k")

    assert (event.kind, event.id) == (EventKind.REFUSED, "seed")
    assert kinds(run(Outcome.NOT_DUE, seed=refused), store) == []


def test_a_store_that_takes_no_memory_costs_a_repetition_and_not_the_alert() -> None:
    class ReadOnly(MemoryStore):
        def write(self, *_: Any, **__: Any) -> Any:
            raise StoreUnavailable("down")

    store = ReadOnly()

    assert kinds(run(Outcome.REFUSED), store) == ["refused"]
    assert kinds(run(Outcome.REFUSED), store) == ["refused"]


def test_a_store_that_cannot_list_is_asked_for_each_record() -> None:
    class Unlisted(MemoryStore):
        def ids(self, *_: Any) -> Any:
            return None

    store = Unlisted()

    assert kinds(run(Outcome.REFUSED), store) == ["refused"]
    assert kinds(run(Outcome.REFUSED), store) == []


def test_an_event_survives_its_way_through_xcom_and_holds_no_token() -> None:
    (event,) = take_events(run(Outcome.REFUSED, ends=20), MemoryStore(), "k")

    told = event.public()

    assert AuthorizationEvent.from_json(told) == event
    assert "ACCESS" not in repr(told)
    assert "REFRESH" not in repr(told)
