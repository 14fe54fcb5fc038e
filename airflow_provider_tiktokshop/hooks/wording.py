"""How times and errors read, the same in the task log, on the command line and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["because", "reauthorize", "time_left"]

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
