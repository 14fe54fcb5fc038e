"""How times and errors read, the same in the task log, on the command line and on the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["because", "history_lines", "reauthorize", "time_left"]

_FOREVER = 3650


def time_left(expires_at: float | None, now: float) -> str:
    """Return how long something still lasts: ``6 d 3 h left``, ``expired 2 h 5 min ago``, ``does not expire``."""
    if expires_at is None:
        return "does not expire"
    seconds = int(abs(expires_at - now))
    days, hours, minutes = seconds // 86_400, seconds % 86_400 // 3600, seconds % 3600 // 60
    # TikTok Shop writes "unlimited" as a date some 98 years ahead.
    if expires_at > now and days > _FOREVER:
        return "does not expire"
    text = f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
    return f"{text} left" if expires_at > now else f"expired {text} ago"


def because(error: Mapping[str, Any] | None, advice: str = "") -> str:
    """Return ``: text (code, request_id); what to do``, with what of it is known.

    :param error: as records and results keep it.
    :param advice: instead of the error's own.
    """
    error = error or {}
    facts = ", ".join(f"{name} {error[name]}" for name in ("code", "request_id") if error.get(name) is not None)
    text = f": {error['text']}" if error.get("text") else ""
    todo = advice or error.get("advice")
    return f"{text}{f' ({facts})' if facts else ''}{f'; {todo}' if todo else ''}"


def reauthorize(open_id: str | None) -> str:
    """Return what to do about a seller whose authorization is gone."""
    return f"the seller must authorize the app again: `airflow tiktokshop authorize --open-id {open_id}`"


def history_lines(history: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what happened to an authorization, the newest first, a line each.

    :param history: as records keep it: ``at`` (Unix seconds), ``what``, and what of generation, code, request_id is known.
    """
    return [_entry(entry) for entry in reversed(list(history))]


def _entry(entry: Mapping[str, Any]) -> str:
    names = ("epoch", "generation", "source", "code", "request_id")
    facts = [f"{name} {entry[name]}" for name in names if entry.get(name) is not None]
    if entry.get("code") is None and entry.get("kind"):
        facts.append(str(entry["kind"]))
    what = str(entry.get("what", "?")).replace("_", " ")
    at = datetime.fromtimestamp(entry.get("at") or 0, UTC).strftime("%Y-%m-%d %H:%M UTC")
    told = f" ({', '.join(facts)})" if facts else ""
    return f"{at}  {what}{told}"
