"""What the Test button of the connection form does: read-only requests, and a text without secrets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.api.client import StaticToken
from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.api.errors import AccessTokenRefused, ScopeMissing, TikTokShopError, http_date
from airflow_provider_tiktokshop.compat import AirflowException
from airflow_provider_tiktokshop.hooks.wiring import read_self, wire
from airflow_provider_tiktokshop.hooks.wording import because, time_left

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.wiring import AppWiring

__all__ = ["check_connection", "clock_offset"]

log = logging.getLogger(__name__)

# A public app has thousands of sellers and the person at the form waits: a few tell whether the app works.
PROBED = 3
LISTED = 20


def check_connection(conn_id: str) -> tuple[bool, str]:
    """Check the app of a connection and the authorizations that it holds, changing nothing.

    :return: whether it works, and the findings, one a line.
    """
    try:
        wiring = wire(conn_id)
        # First, because it does not try again and again: a person is waiting for the word that the host is wrong.
        clock = _clock(wiring)
        held = wiring.authorizations.all()
        good, lines = _check_authorizations(wiring, held) if held else _check_app(wiring)
    except (TikTokShopError, AirflowException) as error:
        return False, str(error)
    except Exception as error:
        # The text of a foreign exception can quote anything: a database's address with its password, for example.
        log.exception("The connection %s cannot be tested", conn_id)
        return (
            False,
            f"Something unexpected went wrong ({type(error).__name__}). The log of this process has the details.",
        )
    return good, "\n".join([*lines, clock, *(f"Note: {warning}" for warning in wiring.connection.warnings)])


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
        lines.append(f"{_describe(authorization, now)}; shops: {covered}")
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
        text = f"App {wiring.app.app_key}: TikTok Shop is reachable and refused only the placeholder access token. "
        return True, [f"{text}No seller has authorized the app yet. {next_step}"]
    except TikTokShopError as error:
        return False, [f"App {wiring.app.app_key}: {error}"]
    return True, [f"App {wiring.app.app_key}: TikTok Shop answered. No seller has authorized the app yet."]


def clock_offset(wiring: AppWiring) -> float | None:
    """Return how many seconds the service's clock is ahead of this machine's; ``None``: the answer carries no date.

    Nothing secret is sent: the request is not even signed.

    :raises TikTokShopError: the service cannot be reached.
    """
    before = SYSTEM_CLOCK.now()
    reply = wiring.http.send("GET", f"{wiring.app.api_url}/authorization/202309/shops")
    theirs = http_date(reply.headers.get("Date"))
    if theirs is None:
        return None
    # The date has whole seconds: its middle is half a second later.
    return theirs + 0.5 - (before + SYSTEM_CLOCK.now()) / 2


def _clock(wiring: AppWiring) -> str:
    offset = clock_offset(wiring)
    if offset is None:
        return "Clock offset: unknown, the answer carries no date."
    return f"Clock offset: {round(offset):+d} s (requests may be 5 minutes old and 30 s ahead; the client corrects larger ones)."


def _name(authorization: Authorization) -> str:
    return f"{('Seller', 'Creator', '', 'Partner')[authorization.user_type]} {authorization.open_id}"


def _describe(authorization: Authorization, now: float) -> str:
    text = f"{_name(authorization)}: {authorization.status}, generation {authorization.generation}"
    if authorization.access_expires_at is not None:
        text += f", access token {time_left(authorization.access_expires_at, now)}"
        text += f", refresh token {time_left(authorization.refresh_expires_at, now)}"
    if authorization.last_error:
        text += f", last error{because(authorization.last_error)}"
    return text
