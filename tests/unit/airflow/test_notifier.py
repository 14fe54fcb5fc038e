"""The alert's text, and how it reaches Airflow's notifiers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from airflow.sdk import BaseNotifier

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.alerts import AuthorizationEvent, EventKind
from airflow_provider_tiktokshop.notifications.alert import Alert
from airflow_provider_tiktokshop.notifications.tiktokshop import TikTokShopNotifier, alert_of, email, slack
from tests.support.slack_sink import SlackSink
from tests.support.smtp_sink import SmtpSink

NOW = 1_800_000_000.0
DAY = 86_400
ERROR = {"code": 36004005, "request_id": "R1", "text": "no auth record", "advice": "generic advice"}


def event(kind: EventKind, **changes: Any) -> AuthorizationEvent:
    values: dict[str, Any] = {
        "app_key": "6abc",
        "id": "a" * 16,
        "at": NOW,
        "open_id": "open-a",
        "shop_ids": ("7495001", "7495002"),
        "status": "stale",
        "outcome": str(kind),
    }
    return AuthorizationEvent(kind=kind, **(values | changes))


REFUSED = event(EventKind.REFUSED, error=ERROR, meaning="The seller withdrew the authorization.")
RECOVERED = event(EventKind.RECOVERED, id="b" * 16, open_id="open-b", access_expires_at=int(NOW + 7 * DAY))


class TaskInstance:
    task_id = "rotate"
    map_index = -1
    log_url = "http://localhost:8080/dags/x?tab=logs&map_index=-1"

    def __init__(self, value: Any) -> None:
        self._value = value

    def xcom_pull(self, *, task_ids: str, map_indexes: int) -> Any:
        assert (task_ids, map_indexes) == ("rotate", -1)
        return self._value


def context(*events: AuthorizationEvent, exception: Exception | None = None) -> Any:
    report = {"events": [one.public() for one in events], "results": []}
    return {"ti": TaskInstance(report), "exception": exception}


class Recording(BaseNotifier):
    """A notifier like those of Airflow's providers: its fields are templates."""

    template_fields: Sequence[str] = ("text",)
    sent: list[str]

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.sent = []

    def notify(self, context: Any) -> None:
        self.sent.append(self.text)


def test_a_refused_seller_reads_as_who_why_and_what_to_do() -> None:
    text = Alert((REFUSED,)).text

    assert text.splitlines() == [
        "TikTok Shop: 1 must authorize again",
        "Must authorize again:",
        (
            f"- App 6abc, open_id open-a (id {'a' * 16}), shop 7495001, 7495002: refused: no auth record (code 36004005, "
            "request_id R1), which means: The seller withdrew the authorization. To do: the seller must authorize the "
            "app again: `airflow tiktokshop authorize --open-id open-a`"
        ),
    ]


def test_the_subject_counts_and_the_worst_comes_first() -> None:
    overdue = event(EventKind.OVERDUE, outcome="transient", access_expires_at=int(NOW + 3600), error={"text": "busy"})
    expiring = event(EventKind.EXPIRING, authorization_expires_at=int(NOW + 13 * DAY))
    stopped = event(EventKind.STOPPED, id="app", error={"text": "wrong secret", "advice": "correct it"})

    alert = Alert((RECOVERED, expiring, overdue, REFUSED, stopped))

    assert alert.subject == (
        "TikTok Shop: rotation stopped, 1 must authorize again, 1 overdue, 1 ending soon, 1 recovered"
    )
    headings = [line for line in alert.text.splitlines() if line.endswith(":") and not line.startswith("-")]
    assert [line.split(":")[0] for line in headings] == [
        "Stopped",
        "Must authorize again",
        "Overdue",
        "Ending soon",
        "Recovered",
    ]
    assert "App 6abc, all sellers: stopped: wrong secret. To do: correct it" in alert.text
    assert "transient, access token 1 h 0 min left: busy" in alert.text
    assert "the authorization has 13 d 0 h left" in alert.text
    assert "access token 7 d 0 h left. Nothing to do." in alert.text


def test_a_recovery_alone_needs_nobody() -> None:
    assert not Alert((RECOVERED,)).needs_person
    assert Alert((RECOVERED, REFUSED)).needs_person


def test_what_the_service_wrote_cannot_break_the_mail() -> None:
    nasty = event(EventKind.REFUSED, error={**ERROR, "text": "<script>alert(1)</script>"})

    assert "<script>" not in Alert((nasty,), log_url='javascript:"x').html
    assert "javascript" not in Alert((nasty,), log_url='javascript:"x').html


def test_a_notifier_of_airflow_gets_the_text_through_its_templates() -> None:
    target = Recording("{{ tiktokshop.subject }} | {{ tiktokshop.needs_person }}")

    TikTokShopNotifier(target)(context(REFUSED))

    assert target.sent == ["TikTok Shop: 1 must authorize again | True"]


def test_a_plain_callable_gets_the_alert() -> None:
    got: list[Alert] = []

    TikTokShopNotifier(got.append)(context(REFUSED, RECOVERED))

    (alert,) = got
    assert [one.kind for one in alert.events] == [EventKind.REFUSED, EventKind.RECOVERED]
    assert alert.log_url.startswith("http://localhost")


def test_when_nothing_is_new_nothing_is_sent() -> None:
    got: list[Alert] = []

    TikTokShopNotifier(got.append)(context())
    TikTokShopNotifier(got.append)(context(exception=RuntimeError("known before")))
    TikTokShopNotifier(got.append, events=["refused"])(context(RECOVERED))

    assert got == []


def test_a_task_that_failed_before_it_could_tell_says_why() -> None:
    failed = {"ti": TaskInstance(None), "exception": ConfigurationError("the app key is missing", advice="add it")}

    alert = alert_of(failed)  # type: ignore[arg-type]

    assert alert is not None
    assert "the app key is missing" in alert.text
    assert alert.subject == "TikTok Shop: the rotation failed"


def test_the_text_of_a_foreign_exception_is_not_repeated() -> None:
    failed = {"ti": TaskInstance(None), "exception": RuntimeError("postgresql://user:hunter2@db refused")}

    alert = alert_of(failed)  # type: ignore[arg-type]

    assert alert is not None
    assert "RuntimeError" in alert.text
    assert "hunter2" not in alert.text


def test_one_targets_failure_does_not_silence_the_next() -> None:
    got: list[Alert] = []

    def broken(_: Alert) -> None:
        raise ConnectionError("mail server down")

    with pytest.raises(ConnectionError):
        TikTokShopNotifier(broken, got.append)(context(REFUSED))

    assert len(got) == 1


def test_one_notifier_may_be_used_for_success_and_failure_again_and_again() -> None:
    target = Recording("{{ tiktokshop.subject }}")
    notifier = TikTokShopNotifier(target)

    notifier(context(REFUSED))
    # In production each task has a process of its own; in `dag.test()` they share one, and templates are rendered in place.
    notifier(context(RECOVERED))

    assert target.sent == ["TikTok Shop: 1 must authorize again", "TikTok Shop: 1 recovered"]


def test_an_unknown_event_is_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(ValueError, match="recoverd"):
        TikTokShopNotifier(events=["recoverd"])


def test_an_email_is_sent_through_airflows_own_notifier(monkeypatch: pytest.MonkeyPatch) -> None:
    with SmtpSink() as sink:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(sink.connection))

        TikTokShopNotifier(email(to="data@example.com"))(context(REFUSED))

    (message,) = sink.messages
    assert message["To"] == "data@example.com"
    assert message["Subject"] == "TikTok Shop: 1 must authorize again"
    body = message.get_body(("html",))
    assert body is not None
    assert "no auth record (code 36004005, request_id R1)" in body.get_content().replace("=\n", "")


def test_a_slack_message_is_posted_through_airflows_own_notifier(monkeypatch: pytest.MonkeyPatch) -> None:
    nasty = event(EventKind.REFUSED, error={**ERROR, "text": "<!channel> gone & <https://evil.example|log in here>"})
    with SlackSink() as sink:
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_API_DEFAULT", json.dumps(sink.connection))

        TikTokShopNotifier(slack(channel="#shop-alerts"))(context(nasty, RECOVERED))

    (message,) = sink.messages
    assert message["channel"] == "#shop-alerts"
    lines = message["text"].splitlines()
    assert lines[0] == "TikTok Shop: 1 must authorize again, 1 recovered"
    assert "&lt;!channel&gt; gone &amp; &lt;https://evil.example|log in here&gt; (code 36004005" in lines[2]
    assert lines[-1] == "Log: http://localhost:8080/dags/x?tab=logs&amp;map_index=-1"
    assert "<" not in message["text"]


def test_a_message_that_slack_would_cut_says_how_many_lines_are_missing() -> None:
    many = [event(EventKind.REFUSED, id=f"{number:016x}", error=ERROR) for number in range(500)]

    text = Alert(tuple(many), log_url="https://airflow.example.com/log").slack

    *lines, missing, last = text.splitlines()
    assert len(text) < 40_000
    assert lines[0] == "TikTok Shop: 500 must authorize again"
    # The subject and the heading are lines too.
    assert missing == f"… and {500 - (len(lines) - 2)} more lines"
    assert last == "Log: https://airflow.example.com/log"


def test_without_the_slack_provider_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    # What an import finds where the package is not installed.
    monkeypatch.setitem(sys.modules, "airflow.providers.slack.notifications.slack", None)

    with pytest.raises(Exception, match="pip install apache-airflow-providers-slack"):
        slack(channel="#x")
