"""What the status page shows, and what it must never do."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.utils.session import create_session
from sqlalchemy import delete

from airflow_provider_tiktokshop.auth.records import (
    Authorization,
    RecordKey,
    RotatedRecord,
    ShopRecord,
    Status,
    TokenPair,
    authorization_id,
)
from airflow_provider_tiktokshop.plugin.page import render
from airflow_provider_tiktokshop.plugin.report import AppReport, app_reports
from tests.support.shared_store import BROKEN, SHARED, STORE

NOW = 1_800_000_000.0
DAY = 86_400
HOSTILE = "<script>alert('1')</script>\"&"


def authorization(status: Status = Status.FRESH, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "app_key": "key",
        "issuer": "i",
        "id": "0f" * 8,
        "open_id": "open-1",
        "status": status,
        "pair": TokenPair("ACCESS-TOKEN-1", int(NOW + 5 * DAY), "REFRESH-TOKEN-1", int(NOW + 300 * DAY)),
        "authorization_expires_at": int(NOW + 300 * DAY),
        "shops": (ShopRecord("7495", "CIPHER-1", "GB", "LOCAL"),),
        "generation": 4,
        "epoch": 1,
    } | changes
    return Authorization(**values).public()


def page(*rows: dict[str, Any], **changes: Any) -> str:
    values: dict[str, Any] = {
        "conn_ids": ["shop"],
        "app_key": "key",
        "market": "us",
        "app_type": "custom",
        "authorizations": list(rows),
        "total": len(rows),
        "counts": Counter(row["status"] for row in rows),
    } | changes
    return render([AppReport(**values)], NOW)


def test_a_live_authorization_shows_status_time_left_shops_and_generation() -> None:
    html = page(authorization())

    for text in ("open-1", "Fresh", "5 d 0 h left", "300 d 0 h left", "7495", "GB", "generation 4", "All is well"):
        assert text in html


def test_what_happened_can_be_unfolded_the_newest_first() -> None:
    history = [
        {"at": NOW - DAY, "what": "rotated", "epoch": 1, "generation": 4, "request_id": "R4"},
        {"at": NOW, "what": "failed", "code": None, "kind": "ExchangeNotSpent"},
    ]
    error = {"text": "busy", "kind": "ExchangeNotSpent"}

    html = page({**authorization(last_error=error, transient_failures=3), "history": history})

    assert "<details>" in html
    assert html.index("failed (ExchangeNotSpent)") < html.index("rotated (epoch 1, generation 4, request_id R4)")
    assert "3 in a row failed in passing" in html


def test_it_holds_no_token_and_no_cipher() -> None:
    html = page(authorization(), authorization(Status.EXPIRED))

    assert not re.search("TOKEN-1|CIPHER-1", html)


def test_one_who_must_authorize_again_is_counted_and_explained() -> None:
    error = {"text": "no auth record", "code": 36004005, "request_id": "R9", "advice": "authorize again"}

    html = page(authorization(), authorization(Status.REAUTHORIZATION_REQUIRED, last_error=error))

    for text in ("1 needs attention", "Must authorize again", "no auth record", "36004005", "R9", "authorize again"):
        assert text in html
    assert html.count("d 0 h left") == 2, "the dead one's tokens are not used, so their time left is not shown"


def test_an_authorization_that_never_ends_says_so() -> None:
    assert "does not expire" in page(authorization(authorization_expires_at=int(NOW + 90 * 365 * DAY)))


@pytest.mark.parametrize(
    "html",
    [
        pytest.param(page(authorization(open_id=HOSTILE)), id="open id"),
        pytest.param(page(authorization(last_error={"text": HOSTILE, "advice": HOSTILE})), id="error"),
        pytest.param(page(authorization(region=HOSTILE)), id="region"),
        pytest.param(page(authorization(shops=(ShopRecord(HOSTILE, "c", HOSTILE),))), id="shop"),
        pytest.param(page(conn_ids=[HOSTILE]), id="connection id"),
        pytest.param(page(app_key=HOSTILE), id="app key"),
        pytest.param(page(problem=HOSTILE), id="problem"),
        pytest.param(page(warnings=(HOSTILE,)), id="warning"),
    ],
)
def test_whatever_comes_from_outside_is_text_and_not_markup(html: str) -> None:
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_a_problem_is_shown_in_place_of_the_table() -> None:
    html = page(problem="The token store does not answer.")

    assert "The token store does not answer." in html
    assert "1 needs attention" in html
    assert "<table" not in html


def test_without_a_connection_it_says_where_to_add_one() -> None:
    assert "Admin, Connections" in render([], NOW)


def test_without_an_authorization_it_says_what_to_do_next() -> None:
    assert "airflow tiktokshop authorize --conn-id shop" in page()
    assert "next run of the rotation DAG" in page(seeded=True)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Adds connections to a metadata database, whose tables it makes when they are missing."""
    from airflow import settings
    from airflow.models import import_all_models
    from airflow.models.connection import Connection
    from airflow.models.variable import Variable

    # Tables refer to each other, and which ones are known by now depends on the tests before.
    import_all_models()
    Variable.metadata.create_all(settings.engine)
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", SHARED)

    def add(conn_id: str, **fields: Any) -> None:
        with create_session() as session:
            session.add(
                Connection(
                    conn_id=conn_id, **{"conn_type": "tiktokshop", "login": "key", "password": "s3cret"} | fields
                )
            )

    yield add
    STORE.records.clear()
    with create_session() as session:
        session.execute(delete(Connection))


def test_it_reports_the_apps_of_the_database_and_of_the_environment(
    stored: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("in_database", login="key-1")
    stored("somebody_elses", conn_type="http")
    monkeypatch.setenv("AIRFLOW_CONN_IN_ENVIRONMENT", "tiktokshop://key-2:s3cret@")
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", "{")

    assert [(r.conn_ids, r.app_key, r.problem) for r in app_reports()] == [
        (["in_database"], "key-1", None),
        (["in_environment"], "key-2", None),
    ]


def test_the_environment_has_precedence_as_everywhere_in_airflow(
    stored: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("shop", login="key-1")
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "tiktokshop://key-2:s3cret@")

    assert [report.app_key for report in app_reports()] == ["key-2"]


def test_two_connections_of_one_app_are_one_section(stored: Callable[..., None]) -> None:
    stored("shop")
    stored("shop_again")

    (report,) = app_reports()

    assert report.conn_ids == ["shop", "shop_again"]


def test_those_who_need_a_person_come_first(stored: Callable[..., None]) -> None:
    stored("shop")
    keep("fine")
    keep("gone", "reauthorization_required")

    (report,) = app_reports()

    assert [row["open_id"] for row in report.authorizations] == ["gone", "fine"]


def keep(open_id: str, status: str = "active", left: float = DAY) -> dict[str, Any]:
    record = RotatedRecord(
        app_key="key",
        issuer="auth.tiktok-shops.com",
        id=authorization_id(open_id),
        open_id=open_id,
        access_token="A",
        access_expires_at=int(time.time() + left),
        refresh_token="R",
        status=status,
    )
    STORE.write(RecordKey("rotated", "key", record.id), record.to_json())
    return record.to_json()


def test_the_one_of_a_thousand_who_needs_a_person_is_on_the_page_whatever_their_id(stored: Callable[..., None]) -> None:
    stored("shop")
    for number in range(1000):
        keep(f"fine-{number}", left=5 * DAY)
    # The ids are hashes, and lists are in their order: the last one is the one that a page of the first ones lacks.
    last = max((f"gone-{number}" for number in range(1000)), key=authorization_id)
    keep(last, "reauthorization_required")

    html = render(app_reports())

    assert "1001 authorizations of 1 app" in html
    assert "1 needs attention" in html
    assert html.index(last) < html.index("fine-")
    assert "1000 fresh" in html
    assert "1 must authorize again" in html
    assert "200 of 1001 are shown" in html


def test_a_page_that_runs_out_of_time_says_how_many_it_lacks(
    stored: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("shop")
    for number in range(250):
        keep(f"fine-{number}")
    monkeypatch.setattr("airflow_provider_tiktokshop.plugin.report.PATIENCE", -1.0)

    html = render(app_reports())

    assert "150 of 250 could not be read" in html
    assert "All is well" not in html


def test_a_second_connection_of_an_app_that_is_wrong_is_told_of(stored: Callable[..., None]) -> None:
    stored("shop")
    stored("shop_elsewhere", extra=json.dumps({"auth_url": "http://127.0.0.1:8787"}))
    keep("fine")

    right, wrong = app_reports()

    assert (right.conn_ids, right.problem) == (["shop"], None)
    assert wrong.conn_ids == ["shop_elsewhere"]
    assert "auth_url" in (wrong.problem or "")


def test_variables_of_a_fleet_are_read_together(stored: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow import settings
    from airflow.models.variable import Variable
    from sqlalchemy import event

    stored("shop")
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", "variable")
    with create_session() as session:
        for number in range(120):
            record = keep(f"fine-{number}")
            session.add(Variable(key=f"tiktokshop_rotated__key__{record['id']}", val=json.dumps(record)))
    # One is shadowed by the environment, which tasks would see instead.
    shadowed = keep("fine-7", "revoked")
    monkeypatch.setenv(f"AIRFLOW_VAR_TIKTOKSHOP_ROTATED__KEY__{shadowed['id'].upper()}", json.dumps(shadowed))
    statements: list[str] = []
    listen = ("before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    event.listen(settings.engine, *listen)
    try:
        (report,) = app_reports()
    finally:
        event.remove(settings.engine, *listen)
        with create_session() as session:
            session.execute(delete(Variable))

    assert report.counts == {"stale": 119, "revoked": 1}
    assert len(statements) < 10


def test_a_store_that_cannot_be_opened_is_a_message_and_not_a_failed_page(
    stored: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("shop")
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", "no.such.Store")

    (report,) = app_reports()

    assert report.problem is not None
    assert "no.such.Store" in report.problem
    assert report.app_key == "key"


def test_a_connection_without_a_secret_is_a_message_that_names_it(stored: Callable[..., None]) -> None:
    stored("shop", password=None)

    (report,) = app_reports()

    assert report.problem is not None
    assert "app secret" in report.problem


def test_the_text_of_a_foreign_failure_is_not_shown(
    stored: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("shop")
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", BROKEN)

    (report,) = app_reports()

    assert report.problem is not None
    assert "hunter2" not in report.problem


def test_the_plugin_does_not_import_the_pages_before_the_server_asks_for_them() -> None:
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from airflow_provider_tiktokshop.plugin.plugin import TikTokShopPlugin\n"
        "TikTokShopPlugin()\n"
        "print([m for m in sys.modules if m.startswith('airflow_provider_tiktokshop.plugin.app')])\n"
    )

    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert printed.strip().splitlines()[-1] == "[]"
