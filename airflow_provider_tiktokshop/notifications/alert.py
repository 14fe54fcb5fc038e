"""The text of an alert: who, why, and what to do. Never a secret."""

from __future__ import annotations

import html
from dataclasses import dataclass

from airflow_provider_tiktokshop.auth.alerts import APP, SEED, AuthorizationEvent, EventKind
from airflow_provider_tiktokshop.hooks.wording import because, reauthorize, time_left

__all__ = ["Alert"]

# Of Slack's 40,000 characters, with room for the line that says what was left out and for the log's address.
_SLACK_LIMIT = 38_000

_HEADINGS = {
    EventKind.STOPPED: ("rotation stopped", "Stopped"),
    EventKind.REFUSED: ("{} must authorize again", "Must authorize again"),
    EventKind.OVERDUE: ("{} overdue", "Overdue: less than a day left, and could not be renewed"),
    EventKind.EXPIRING: ("{} ending soon", "Ending soon"),
    EventKind.RECOVERED: ("{} recovered", "Recovered"),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """What to send, ready made.

    :param events: what happened, see :class:`~airflow_provider_tiktokshop.auth.alerts.AuthorizationEvent`.
    :param failure: with no events: why the rotation failed before it could tell.
    :param log_url: the task's log in Airflow's UI.
    """

    events: tuple[AuthorizationEvent, ...] = ()
    failure: str = ""
    log_url: str = ""

    @property
    def needs_person(self) -> bool:
        """Whether anything in it is for a person to mend."""
        return bool(self.failure) or any(event.kind is not EventKind.RECOVERED for event in self.events)

    @property
    def subject(self) -> str:
        """One line: ``TikTok Shop: 2 must authorize again, 1 recovered``."""
        parts = [
            words.format(count)
            for kind, (words, _) in _HEADINGS.items()
            if (count := sum(event.kind is kind for event in self.events))
        ]
        return f"TikTok Shop: {', '.join(parts) or 'the rotation failed'}"

    @property
    def text(self) -> str:
        """The subject, then a section for each kind of event with a line for each: who, why, what to do."""
        return "\n".join([self.subject, *self._sections(), *([f"Log: {self.log_url}"] if self.log_url else [])])

    @property
    def slack(self) -> str:
        """The same for Slack: its control characters escaped, so that nothing in it is taken for a link or calls anybody.

        Slack takes 40,000 characters; beyond that lines are left out and counted, and the task's log has them all.
        """
        lines = [html.escape(line, quote=False) for line in (self.subject, *self._sections())]
        last = [f"Log: {html.escape(self.log_url, quote=False)}"] if self.log_url else []
        left_out = 0
        while sum(map(len, lines)) + len(lines) > _SLACK_LIMIT:
            lines.pop()
            left_out += 1
        return "\n".join([*lines, *([f"… and {left_out} more lines"] if left_out else []), *last])

    @property
    def html(self) -> str:
        """The same for e-mail."""
        parts = [f"<h3>{html.escape(self.subject)}</h3>"]
        for title, lines in self._grouped():
            items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
            parts.append(f"<p><b>{html.escape(title)}</b></p><ul>{items}</ul>")
        if self.log_url.startswith(("http://", "https://")):
            parts.append(f'<p><a href="{html.escape(self.log_url, quote=True)}">Log of the task</a></p>')
        return "".join(parts)

    def _sections(self) -> list[str]:
        return [text for title, lines in self._grouped() for text in (f"{title}:", *(f"- {line}" for line in lines))]

    def _grouped(self) -> list[tuple[str, list[str]]]:
        groups = [
            (title, [_line(event) for event in self.events if event.kind is kind])
            for kind, (_, title) in _HEADINGS.items()
        ]
        found = [(title, lines) for title, lines in groups if lines]
        return [*found, *([("Failed", [self.failure])] if self.failure else [])]


def _line(event: AuthorizationEvent) -> str:
    who = _who(event)
    error = event.error or {}
    why = because({**error, "advice": None})
    # The service's own words, and what its code means where they do not say it.
    if event.meaning and event.meaning not in why:
        why += f", which means: {event.meaning.rstrip('.')}"
    if event.kind is EventKind.RECOVERED:
        left = f", access token {time_left(event.access_expires_at, event.at)}" if event.access_expires_at else ""
        return f"{who}: in order again{left}. Nothing to do."
    if event.kind is EventKind.EXPIRING:
        left = time_left(event.authorization_expires_at, event.at)
        return f"{who}: the authorization has {left}. To do: ask the seller to authorize again: {_command(event)}"
    if event.kind is EventKind.OVERDUE:
        left = f", access token {time_left(event.access_expires_at, event.at)}" if event.access_expires_at else ""
        todo = error.get("advice") or "see the task's log; `airflow tiktokshop doctor` checks this deployment"
        return f"{who}: {event.outcome}{left}{why}. To do: {todo}"
    todo = error.get("advice") or "see the task's log"
    if event.id not in {APP, SEED}:
        todo = reauthorize(event.open_id)
    return f"{who}: {event.outcome or event.kind}{why}. To do: {todo}"


def _who(event: AuthorizationEvent) -> str:
    if event.id == APP:
        return f"App {event.app_key}, all sellers"
    if event.id == SEED:
        return f"App {event.app_key}, the connection's refresh token"
    shops = ""
    if event.shop_ids:
        more = f" and {len(event.shop_ids) - 3} more" if len(event.shop_ids) > 3 else ""
        shops = f", shop {', '.join(event.shop_ids[:3])}{more}"
    return f"App {event.app_key}, open_id {event.open_id or '?'} (id {event.id}){shops}"


def _command(event: AuthorizationEvent) -> str:
    return f"`airflow tiktokshop authorize --open-id {event.open_id}`"
