"""What fails the rotation task, in which words, and what the next run is trusted to mend."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.fleet import RotationReport
from airflow_provider_tiktokshop.auth.records import Authorization, Status, TokenPair
from airflow_provider_tiktokshop.auth.rotation import Outcome, RotationResult
from airflow_provider_tiktokshop.auth.run import RunReport
from airflow_provider_tiktokshop.auth.seeds import SeedOutcome, SeedResult
from airflow_provider_tiktokshop.compat import AirflowFailException
from airflow_provider_tiktokshop.operators.rotation_run import changed, judge, parse_flag, parse_force, parse_open_ids

NOW = 1_800_000_000.0
DAY = 86_400
ERROR = {"kind": "X", "code": 36004005, "request_id": "R1", "text": "no auth record", "advice": "do something"}


def result(outcome: Outcome, *, days: float | None = 3, id_: str = "a" * 16, error: Any = ERROR) -> RotationResult:
    expires_at = None if days is None else int(NOW + days * DAY)
    if outcome is Outcome.STOPPED:
        return RotationResult(id_, outcome)
    return RotationResult(id_, outcome, f"open-{id_[0]}", 1, 4, expires_at, error=error)


def run(
    *results: RotationResult,
    stopped: str | None = None,
    seed: SeedResult | None = None,
    marked: bool = True,
    days: float | None = 3,
) -> RunReport:
    def status(one: RotationResult) -> Status:
        return Status.REAUTHORIZATION_REQUIRED if one.outcome is Outcome.REFUSED and marked else Status.STALE

    pair = None if days is None else TokenPair("A", int(NOW + days * DAY), "R")
    after = [
        Authorization(app_key="k", issuer="i", id=one.id, open_id=f"open-{one.id[0]}", status=status(one), pair=pair)
        for one in results
    ]
    return RunReport(RotationReport(list(results), stopped), seed, after, now=NOW)


@pytest.mark.parametrize(
    "outcome", [Outcome.NOT_DUE, Outcome.ROTATED, Outcome.ADOPTED, Outcome.PEER, Outcome.DEAD], ids=str
)
def test_what_is_in_order_or_known_to_be_dead_does_not_fail_the_task(outcome: Outcome) -> None:
    assert judge("key", run(result(outcome, days=0.1))).failures == []


@pytest.mark.parametrize(
    "outcome",
    [Outcome.TRANSIENT, Outcome.UNKNOWN, Outcome.WAITING, Outcome.STORE, Outcome.UNVERIFIED, Outcome.STOPPED],
    ids=str,
)
def test_a_passing_failure_is_the_next_runs_business_until_less_than_a_day_is_left(outcome: Outcome) -> None:
    assert judge("key", run(result(outcome, days=1.01), days=1.01)).failures == []

    verdict = judge("key", run(result(outcome, days=0.99), days=0.99))

    (text,) = verdict.failures
    assert "open-a" in text
    assert "23 h 45 min left" in text
    assert not isinstance(verdict.exception(), AirflowFailException)


def test_a_seller_of_whom_nothing_is_known_cannot_wait() -> None:
    assert len(judge("key", run(result(Outcome.STORE, days=None), days=None)).failures) == 1


def test_a_refused_seller_is_named_with_reason_and_remedy() -> None:
    verdict = judge("key", run(result(Outcome.ROTATED), result(Outcome.REFUSED, id_="b" * 16)))

    (text,) = verdict.failures
    assert "open-b" in text
    assert "b" * 16 in text
    assert "36004005" in text
    assert "R1" in text
    assert "authorize --open-id open-b" in text
    assert isinstance(verdict.exception(), AirflowFailException)
    assert text in str(verdict.exception())


def test_terminal_and_passing_failures_together_may_be_tried_again() -> None:
    verdict = judge("key", run(result(Outcome.REFUSED), result(Outcome.TRANSIENT, days=0.1, id_="b" * 16)))

    assert len(verdict.failures) == 2
    assert not isinstance(verdict.exception(), AirflowFailException)


def test_when_the_apps_settings_are_refused_one_text_says_so_and_no_seller_is_blamed() -> None:
    results = [result(Outcome.CONFIGURATION, days=0.1), *[result(Outcome.STOPPED, id_=c * 16) for c in "bcd"]]

    verdict = judge("key", run(*results, stopped="wrong app secret: concerns every seller", days=0.1))

    (text,) = verdict.failures
    assert text.startswith("stopped: wrong app secret")
    assert "do something" in text
    assert isinstance(verdict.exception(), AirflowFailException)


def test_when_so_many_are_refused_that_nobody_was_marked_no_seller_is_blamed() -> None:
    results = [result(Outcome.REFUSED, id_=c * 16) for c in "abc"]

    verdict = judge("key", run(*results, stopped="3 of 3 were refused", marked=False))

    (text,) = verdict.failures
    assert text.startswith("stopped: 3 of 3 were refused")
    assert "authorize again" not in text


def test_sellers_who_left_are_named_although_the_run_stopped_for_another_reason() -> None:
    results = [result(Outcome.REFUSED), *[result(Outcome.UNKNOWN, id_=c * 16) for c in "bcd"]]

    verdict = judge("key", run(*results, stopped="3 exchanges in a row ended with an unknown outcome"))

    (text,) = verdict.failures
    assert "open-a" in text


def test_a_refused_seller_is_named_although_the_store_could_not_mark_them() -> None:
    (text,) = judge("key", run(result(Outcome.REFUSED), marked=False)).failures

    assert "authorize --open-id open-a" in text


def test_a_rotation_that_does_not_help_is_an_error_of_its_own() -> None:
    verdict = judge("key", run(result(Outcome.STILL_STALE, days=2)))

    assert len(verdict.failures) == 1
    assert isinstance(verdict.exception(), AirflowFailException)


@pytest.mark.parametrize(
    ("outcome", "newly", "fails"),
    [
        (SeedOutcome.REDEEMED, True, False),
        (SeedOutcome.DONE_BEFORE, False, False),
        (SeedOutcome.WAITING, False, False),
        (SeedOutcome.REFUSED, True, True),
        (SeedOutcome.REFUSED, False, False),
        (SeedOutcome.TRANSIENT, False, True),
        (SeedOutcome.UNKNOWN, False, True),
        (SeedOutcome.UNPROVEN, False, True),
        (SeedOutcome.STORE, False, True),
    ],
)
def test_a_seed_that_became_no_authorization_is_told_once_it_is_refused_and_until_then_each_time(
    outcome: SeedOutcome, newly: bool, fails: bool
) -> None:
    verdict = judge("key", run(seed=SeedResult(outcome, error=ERROR, newly=newly)))

    assert bool(verdict.failures) == fails


def test_the_asset_event_names_only_what_changed() -> None:
    report = run(result(Outcome.ROTATED), result(Outcome.NOT_DUE, id_="b" * 16), result(Outcome.ADOPTED, id_="c" * 16))

    assert changed(report) == ["a" * 16, "c" * 16]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, None),
        ("null", None),
        ("None", None),
        ("", None),
        ([], []),
        ("[]", []),
        (["a", "a", " b "], ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("a, b", ["a", "b"]),
    ],
)
def test_open_ids_are_read_as_given_and_as_templates_render_them(given: Any, read: Any) -> None:
    assert parse_open_ids(given) == read


@pytest.mark.parametrize(("given", "read"), [(True, True), (False, False), ("True", True), ("false", False)])
def test_bootstrap_is_read_as_given_and_as_templates_render_it(given: Any, read: bool) -> None:
    assert parse_flag(given) is read


def test_a_bootstrap_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="bootstrap"):
        parse_flag("{{ params.bootstrap }}")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, False),
        ("null", False),
        ("None", False),
        ("", False),
        ("False", False),
        (True, True),
        ("True", True),
        ("true", True),
        (7, 7),
        ("7", 7),
        ({"a": 3}, {"a": 3}),
        ('{"a": 3}', {"a": 3}),
    ],
)
def test_force_is_read_as_given_and_as_templates_render_it(given: Any, read: Any) -> None:
    assert parse_force(given) == read
    assert type(parse_force(given)) is type(read)


@pytest.mark.parametrize("given", ["now", "[1]", {"a": True}, {"a": "3"}, 2.5])
def test_a_force_that_names_no_generation_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="generation"):
        parse_force(given)
