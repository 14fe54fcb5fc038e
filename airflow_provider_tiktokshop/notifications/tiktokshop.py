"""Tells people what the rotation found out, through whichever notifier of Airflow they use."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

    from airflow_provider_tiktokshop.notifications.alert import Alert

__all__ = ["TikTokShopNotifier", "alert_of", "email", "slack"]

ALL_EVENTS = ("stopped", "refused", "overdue", "expiring", "recovered")


class TikTokShopNotifier(BaseNotifier):
    """Send what is new in a rotation: sellers who must authorize again, overdue ones, recoveries, approaching ends.

    Give it to the rotation task as both callbacks; it sends nothing when there is nothing new:

    .. code-block:: python

        alert = TikTokShopNotifier(slack(channel="#shop-alerts"), email(to="data@example.com"))
        TikTokShopRotateTokenOperator(task_id="rotate", on_success_callback=alert, on_failure_callback=alert)

    It reads the task's return value, where the rotation operator says what is new. Each thing is told once, however often
    the rotation runs: what was told is remembered in the token store. Where the task failed before it could tell (the
    connection is wrong, the store does not answer), it sends why.

    :param targets: whom to tell. A notifier of Airflow: its template fields may use ``{{ tiktokshop.subject }}``,
        ``{{ tiktokshop.text }}``, ``{{ tiktokshop.html }}``, ``{{ tiktokshop.slack }}`` and
        ``{{ tiktokshop.needs_person }}``. Or any callable that takes an :class:`~airflow_provider_tiktokshop.notifications.alert.Alert`. :func:`slack` and :func:`email` make
        ready ones.
    :param events: which kinds to send, of ``stopped``, ``refused``, ``overdue``, ``expiring``, ``recovered``.
    """

    template_fields: Sequence[str] = ()

    def __init__(
        self, *targets: BaseNotifier | Callable[[Alert], Any], events: Sequence[str] = ALL_EVENTS, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if unknown := sorted({*events} - {*ALL_EVENTS}):
            msg = f"there are no events named {', '.join(unknown)}; choose of {', '.join(ALL_EVENTS)}"
            raise ValueError(msg)
        self.targets = targets
        self.events = tuple(events)

    def notify(self, context: Context) -> None:
        """Send the alert of a run to every target, if there is any; one target's failure does not keep it from the next.

        :raises Exception: the first failure of a target, after all were tried. Airflow logs it.
        """
        alert = alert_of(context, self.events)
        if alert is None:
            return
        failures: list[Exception] = []
        for target in self.targets:
            try:
                if isinstance(target, BaseNotifier):
                    # Copies: a notifier renders its templates in place, and writes its fields into the context.
                    copy.copy(target)({**context, "tiktokshop": alert})
                else:
                    target(alert)
            except Exception as error:  # noqa: BLE001 - whichever client it uses
                failures.append(error)
        if failures:
            raise failures[0]


def alert_of(context: Context, events: Sequence[str] = ALL_EVENTS) -> Alert | None:
    """Return what a finished rotation task has to tell, for callbacks of your own; ``None``: nothing new.

    :param context: as Airflow hands it to callbacks.
    :param events: which kinds to include.
    """
    from airflow_provider_tiktokshop.auth.alerts import AuthorizationEvent
    from airflow_provider_tiktokshop.notifications.alert import Alert

    ti = context["ti"]
    report = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
    log_url = str(getattr(ti, "log_url", "") or "")
    if isinstance(report, dict) and "events" in report:
        told = [AuthorizationEvent.from_json(event) for event in report["events"] if event["kind"] in events]
        return Alert(tuple(told), log_url=log_url) if told else None
    exception: Any = context.get("exception")
    if exception is None or "stopped" not in events:
        return None
    return Alert(failure=_reason(exception), log_url=log_url)


def slack(*, channel: str, slack_conn_id: str = "slack_api_default", **options: Any) -> BaseNotifier:
    """Return Airflow's Slack notifier with the alert's text.

    :param channel: for example ``#shop-alerts``.
    :param options: more of ``SlackNotifier``'s arguments.
    :raises AirflowOptionalProviderFeatureException: apache-airflow-providers-slack is not installed.
    """
    try:
        from airflow.providers.slack.notifications.slack import SlackNotifier
    except ImportError:
        raise _missing("slack") from None
    notifier: BaseNotifier = SlackNotifier(
        **{"slack_conn_id": slack_conn_id, "channel": channel, "text": "{{ tiktokshop.slack }}", **options}
    )
    return notifier


def email(*, to: str | Sequence[str], **options: Any) -> BaseNotifier:
    """Return Airflow's e-mail notifier with the alert's subject and text.

    :param to: one address or several.
    :param options: more of ``SmtpNotifier``'s arguments: ``from_email``, ``smtp_conn_id``, …
    :raises AirflowOptionalProviderFeatureException: apache-airflow-providers-smtp is not installed.
    """
    try:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier
    except ImportError:
        raise _missing("smtp") from None
    texts = {"subject": "{{ tiktokshop.subject }}", "html_content": "{{ tiktokshop.html }}"}
    notifier: BaseNotifier = SmtpNotifier(**{"to": to, **texts, **options})
    return notifier


def _reason(exception: BaseException | str) -> str:
    from airflow_provider_tiktokshop.api.errors import TikTokShopError
    from airflow_provider_tiktokshop.compat import AirflowException

    if isinstance(exception, (TikTokShopError, AirflowException)):
        return str(exception)
    # The text of a foreign exception can quote anything: a database's address with its password, for example.
    return f"{type(exception).__name__}: see the task's log"


def _missing(name: str) -> Exception:
    from airflow.exceptions import AirflowOptionalProviderFeatureException

    return AirflowOptionalProviderFeatureException(
        f"this needs Airflow's {name} provider: pip install apache-airflow-providers-{name}"
    )
