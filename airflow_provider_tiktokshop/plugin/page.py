"""Renders the status page."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.hooks.wording import history_lines, time_left

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.plugin.report import AppReport

__all__ = ["render"]

DAY = 86_400
_USERS = {0: "seller", 1: "creator", 3: "partner"}
_STATUS = {
    "fresh": ("good", "Fresh"),
    "stale": ("good", "Due for rotation"),
    "expired": ("bad", "Expired"),
    "reauthorization_required": ("bad", "Must authorize again"),
    "revoked": ("bad", "Revoked"),
    "pending": ("warn", "Waits for confirmation"),
}
_IN_USE = {"fresh", "stale", "expired"}


def render(reports: list[AppReport], now: float | None = None) -> str:
    """Return the page as HTML; every value is escaped.

    :param now: Unix seconds; default: the clock.
    """
    now = time.time() if now is None else now
    apps = [_app(report, now) for report in reports]
    attention = sum(number for report in reports for status, number in report.counts.items() if _tone(status) != "good")
    attention += sum(report.problem is not None for report in reports)
    html: str = _template().render(
        apps=apps,
        total=sum(report.total for report in reports),
        unread=sum(report.unread for report in reports),
        attention=attention,
        now=_day(now, "%Y-%m-%d %H:%M:%S UTC"),
        DAY=DAY,
    )
    return html


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _app(report: AppReport, now: float) -> dict[str, Any]:
    return {
        "conn_ids": report.conn_ids,
        "app_key": report.app_key,
        "market": report.market,
        "app_type": report.app_type,
        "seeded": report.seeded,
        "total": report.total,
        "unread": report.unread,
        "counts": [
            (_label(status), _tone(status), report.counts[status]) for status in sorted(report.counts, key=_rank)
        ],
        "problem": report.problem,
        "warnings": report.warnings,
        "authorizations": [_row(authorization, now) for authorization in report.authorizations],
    }


def _row(authorization: dict[str, Any], now: float) -> dict[str, Any]:
    since, access = authorization["last_rotated_at"], authorization["access_expires_at"]
    error = authorization["last_error"]
    # Tokens that need a person first are not used any more, however long they would last.
    in_use = authorization["status"] in _IN_USE
    return {
        **authorization,
        "tone": _tone(authorization["status"]),
        "label": _label(authorization["status"]),
        "user": _USERS.get(authorization["user_type"], "other"),
        "access": _moment(access, now) if in_use and access else None,
        "ends": _moment(authorization["authorization_expires_at"], now) if in_use else None,
        "since": _day(since) if since else "never",
        "history": history_lines(authorization.get("history") or ()),
        "error": {name: error.get(name) for name in ("text", "kind", "code", "request_id", "advice")}
        if error
        else None,
    }


def _tone(status: str) -> str:
    return _STATUS.get(status, ("bad", status))[0]


def _label(status: str) -> str:
    return _STATUS.get(status, ("bad", status))[1]


def _rank(status: str) -> int:
    return ("bad", "warn", "good").index(_tone(status))


def _moment(at: float | None, now: float) -> dict[str, Any]:
    text = time_left(at, now)
    forever = at is None or text == "does not expire"
    return {
        "text": text,
        "day": "" if forever else _day(at or 0),
        "seconds_left": float("inf") if forever else (at or 0) - now,
    }


def _day(at: float, form: str = "%Y-%m-%d %H:%M UTC") -> str:
    return datetime.fromtimestamp(at, UTC).strftime(form)
