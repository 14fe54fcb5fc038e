"""What the Test button of the connection form does: read-only requests, and a text without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.api.client import StaticToken
from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.api.errors import AccessTokenRefused, ScopeMissing, TikTokShopError
from airflow_provider_tiktokshop.hooks.wiring import read_self, wire

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.wiring import AppWiring

__all__ = ["check_connection", "time_left"]

# A public app has thousands of sellers and the person at the form waits: a few tell whether the app works.
PROBED = 3
LISTED = 20


def check_connection(conn_id: str) -> tuple[bool, str]:
    """Check the app of a connection and the authorizations that it holds, changing nothing.

    :return: whether it works, and the findings, one a line.
    """
    try:
        wiring = wire(conn_id)
        held = wiring.authorizations.all()
        good, lines = _check_authorizations(wiring, held) if held else _check_app(wiring)
    except TikTokShopError as error:
        return False, str(error)
    return good, "\n".join([*lines, *(f"Note: {warning}" for warning in wiring.app.warnings)])


def time_left(expires_at: float | None, now: float) -> str:
    """Return how long something still lasts, in words: ``6 d 3 h left``, ``expired 2 h ago``, ``does not expire``."""
    if expires_at is None:
        return "does not expire"
    seconds = int(abs(expires_at - now))
    days, hours, minutes = seconds // 86_400, seconds % 86_400 // 3600, seconds % 3600 // 60
    if days > 3650:
        return "does not expire"
    text = f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
    return f"{text} left" if expires_at > now else f"expired {text} ago"


def _check_authorizations(wiring: AppWiring, held: list[Authorization]) -> tuple[bool, list[str]]:
    now = SYSTEM_CLOCK.now()
    usable = [a for a in held if a.status.usable]
    lines: list[str] = []
    failures = 0
    for authorization in usable[:PROBED]:
        client = wiring.client(StaticToken(authorization.pair.access_token if authorization.pair else ""))
        try:
            shops = read_self(client, authorization.user_type)
        except ScopeMissing:
            # The token was accepted; only the list of shops is not for this app to see.
            shops = ()
        except TikTokShopError as error:
            failures += 1
            lines.append(f"{_name(authorization)}: {authorization.status}, but refused: {error}")
            continue
        covered = ", ".join(f"{shop.id} ({shop.region})" for shop in shops) or "none"
        lines.append(f"{_describe(authorization, now)}; shops: {covered}; clock offset {client.clock_offset:+.1f} s")
    lines += [_describe(a, now) for a in held if a not in usable][:LISTED]
    counts = {status: sum(a.status == status for a in held) for status in dict.fromkeys(a.status for a in held)}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    headline = f"App {wiring.app.app_key}: {len(held)} authorization{'s' if len(held) != 1 else ''} ({summary})"
    if len(usable) > PROBED:
        headline += f"; tested the first {PROBED}"
    return bool(usable) and failures == 0, [headline, *lines]


def _check_app(wiring: AppWiring) -> tuple[bool, list[str]]:
    """No seller yet: a request with a token that cannot be right shows whether app key and signature pass."""
    client = wiring.client(StaticToken("none-yet"))
    try:
        client.shops()
    except AccessTokenRefused:
        next_step = (
            "The refresh token of this connection has not been redeemed yet: run the rotation DAG (tiktokshop_rotate_tokens)."
            if wiring.connection.seed
            else "Next: run `airflow tiktokshop authorize` and send the link to the seller, or put a refresh token into "
            "the connection."
        )
        text = f"App {wiring.app.app_key}: TikTok Shop is reachable and refused only the placeholder access token "
        text += f"(clock offset {client.clock_offset:+.1f} s). No seller has authorized the app yet. {next_step}"
        return True, [text]
    except TikTokShopError as error:
        return False, [f"App {wiring.app.app_key}: {error}"]
    return True, [f"App {wiring.app.app_key}: TikTok Shop answered. No seller has authorized the app yet."]


def _name(authorization: Authorization) -> str:
    return f"{('Seller', 'Creator', '', 'Partner')[authorization.user_type]} {authorization.open_id}"


def _describe(authorization: Authorization, now: float) -> str:
    text = f"{_name(authorization)}: {authorization.status}, generation {authorization.generation}"
    if authorization.access_expires_at is not None:
        text += f", access token {time_left(authorization.access_expires_at, now)}"
        text += f", refresh token {time_left(authorization.refresh_expires_at, now)}"
    if authorization.last_error:
        error = authorization.last_error
        text += f", last error: {error.get('text')} (code {error.get('code')}, request_id {error.get('request_id')})"
    return text
