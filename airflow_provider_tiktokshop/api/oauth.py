"""Authorization links, and the two exchanges that give a token pair ("Authorization guide" in the Partner Center docs).

An exchange is never repeated here: a refresh token whose answer was lost may have been spent, and only the caller knows
what else could save it. What can be saved from a broken answer is saved.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

import orjson

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.api.errors import (
    CODES,
    ConfigurationError,
    ExchangeError,
    ExchangeNotSpent,
    ExchangeRefused,
    ExchangeUnknown,
    ReplyLost,
    RequestNotSent,
    scrub,
)
from airflow_provider_tiktokshop.api.grants import TokenGrant, integer, read_grant, salvage_grant, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.api.http import Http, HttpReply

__all__ = ["OAuthClient", "TokenGrant"]

log = logging.getLogger(__name__)

UserType = Literal["seller", "creator", "partner"]

_CONSENT_PAGES: Final[Mapping[tuple[str, str], str]] = {
    ("seller", "global"): "https://services.tiktokshop.com/open/authorize",
    ("seller", "us"): "https://services.us.tiktokshop.com/open/authorize",
    ("partner", "global"): "https://partner.tiktokshop.com/open/authorize",
    ("partner", "us"): "https://partner.us.tiktokshop.com/open/authorize",
    ("creator", "global"): "https://shop.tiktok.com/alliance/creator/auth",
    ("creator", "us"): "https://shop.tiktok.com/alliance/creator/auth",
}
_SETTINGS: Final = frozenset({36009004, 36009033, 98001004})
_DEAD: Final = frozenset({36004001, 36004004, 36004005})
_UNSPENT: Final = "The code or refresh token has not been spent."
_UNKNOWN: Final = "Whether the code or refresh token was spent is unknown: do not send it again on the spot."


class OAuthClient:
    """Writes authorization links and redeems auth codes and refresh tokens for one app.

    :param app: the app.
    :param http: sends the requests; each exchange opens a connection of its own.
    :param clock: stamps what arrives.
    """

    def __init__(self, app: App, http: Http, clock: Clock = SYSTEM_CLOCK) -> None:
        self._app = app
        self._http = http
        self._clock = clock

    def authorization_url(self, state: str, user_type: UserType = "seller") -> str:
        """Return the link to the page where a user consents.

        :param state: an unguessable text that comes back with the redirect; compare it there.
        :param user_type: who is to consent.
        :returns: the URL. It holds no secret.
        :raises ConfigurationError: when the link needs a service id and the app has none.
        """
        app = self._app
        base = app.authorize_url or _CONSENT_PAGES.get((user_type, app.market))
        if base is None:
            raise ConfigurationError(
                f"There is no consent page for user type {user_type!r}.", advice="Use seller, creator or partner."
            )
        if not state:
            raise ConfigurationError(
                "The state is empty, so the redirect could not be told from a forged one.", advice="Pass a random text."
            )
        if user_type == "creator":
            return f"{base}?app_key={_encode(app.app_key)}&state={_encode(state)}"
        if not app.service_id:
            raise ConfigurationError(
                "The app has no service id, which the link for sellers and partners is made with.",
                advice="It is the long number under the app's name in the Partner Center (not the app key); "
                "put it into the connection's service_id.",
            )
        for warning in app.warnings:
            log.warning("%s", warning)
        return f"{base}?service_id={_encode(app.service_id)}&state={_encode(state)}"

    def redeem_code(self, auth_code: str) -> TokenGrant:
        """Exchange the code of a redirect for a token pair. A code lives for 30 minutes and works once.

        :param auth_code: the decoded ``code`` parameter of the redirect.
        :returns: the grant; ``complete`` says whether the answer arrived whole.
        :raises ExchangeNotSpent: when the code is certainly unspent.
        :raises ExchangeRefused: when it is dead.
        :raises ExchangeUnknown: in every other case.
        """
        return self._exchange("/api/v2/token/get", "auth_code", auth_code, "authorized_code")

    def redeem_refresh_token(self, refresh_token: str) -> TokenGrant:
        """Exchange a refresh token for the next token pair, with exactly one request.

        :param refresh_token: the newest refresh token of the authorization. Consider it spent, whatever comes back,
            unless :class:`ExchangeNotSpent` is raised.
        :returns: the grant; ``complete`` says whether the answer arrived whole.
        :raises ExchangeNotSpent: when the token is certainly unspent.
        :raises ExchangeRefused: when it is dead.
        :raises ExchangeUnknown: in every other case.
        """
        return self._exchange("/api/v2/token/refresh", "refresh_token", refresh_token, "refresh_token")

    def _exchange(self, path: str, name: str, token: str, grant_type: str) -> TokenGrant:
        endpoint = f"GET {path}"
        if not token:
            raise ExchangeNotSpent(f"There is no {name.replace('_', ' ')} to send.", endpoint=endpoint)
        app = self._app
        query = (("app_key", app.app_key), ("app_secret", app.app_secret), (name, token), ("grant_type", grant_type))
        url = f"{app.auth_url}{path}?" + "&".join([f"{key}={_encode(value)}" for key, value in query])
        # A copy of the failure without its history: that could hold the URL.
        failure: ExchangeError
        try:
            # Uncompressed, so that a reply that breaks off still shows the tokens it brought.
            reply = self._http.send("GET", url, headers={"Accept-Encoding": "identity"}, fresh_connection=True)
        except RequestNotSent as error:
            failure = ExchangeNotSpent(error.message, endpoint=endpoint, advice=f"{error.advice} {_UNSPENT}")
        except ReplyLost as error:
            if error.http_status == 200:
                grant = salvage_grant(getattr(error, "_partial", b""), token, self._clock.now())
                if grant is not None:
                    return grant
            failure = ExchangeUnknown(error.message, endpoint=endpoint, http_status=error.http_status, advice=_UNKNOWN)
        else:
            outcome = _read(reply, endpoint, token, self._clock.now(), (app.app_secret, token))
            if isinstance(outcome, TokenGrant):
                return outcome
            failure = outcome
        raise failure from None


def _encode(value: str) -> str:
    return quote(value, safe="")


def _read(
    reply: HttpReply, endpoint: str, sent: str, now: float, secrets: tuple[str, ...]
) -> TokenGrant | ExchangeError:
    envelope = _json_object(reply.body)
    code = integer(envelope.get("code"))
    if code == 0 and reply.status == 200:
        grant = read_grant(envelope, now)
        if grant.access_token is not None or grant.refresh_token is not None:
            return grant
    elif code in _DEAD and reply.status < 500:
        return _refusal(ExchangeRefused, reply, envelope, code, endpoint, secrets)
    elif reply.status == 429 or (reply.status < 500 and (code in _SETTINGS or code == 36009002)):
        return _refusal(ExchangeNotSpent, reply, envelope, code, endpoint, secrets)
    if reply.status == 200:
        grant_or_none = salvage_grant(reply.body, sent, now)
        if grant_or_none is not None:
            return grant_or_none
    if not code:
        what = "says success but holds no token" if code == 0 else "cannot be read as a token reply"
        return ExchangeUnknown(
            f"The answer {what} ({len(reply.body)} bytes).",
            endpoint=endpoint,
            http_status=reply.status,
            advice=_UNKNOWN,
        )
    return _refusal(ExchangeUnknown, reply, envelope, code, endpoint, secrets)


def _refusal(
    error: type[ExchangeError],
    reply: HttpReply,
    envelope: Mapping[str, Any],
    code: int | None,
    endpoint: str,
    secrets: tuple[str, ...],
) -> ExchangeError:
    info = CODES.get(code) if code is not None else None
    advice = info.advice if info else ""
    details: dict[str, Any] = {
        "code": code,
        "meaning": info.meaning if info else "",
        "request_id": text(envelope.get("request_id")),
        "endpoint": endpoint,
        "http_status": reply.status,
    }
    message = scrub(envelope.get("message"), *secrets)
    if issubclass(error, ExchangeNotSpent):
        if code == 36009004:
            advice = CODES[98001004].advice
        return error(message, advice=f"{advice} {_UNSPENT}".strip(), configuration=code in _SETTINGS, **details)
    if issubclass(error, ExchangeUnknown):
        advice = _UNKNOWN
    return error(message, advice=advice, **details)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
