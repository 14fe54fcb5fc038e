"""The one-time ``state`` that ties a redirect to the link that it answers, and what is remembered of spent codes.

Both are kept as hashes only.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.api.errors import ExchangeRefused, TikTokShopError
from airflow_provider_tiktokshop.auth.records import RecordKey, StateRecord
from airflow_provider_tiktokshop.auth.stores.base import StoreConflict

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.auth.stores.base import TokenStore

__all__ = ["STATE_LIFETIME", "StateRejected", "States"]

# TikTok Shop's code lives 30 minutes from the consent; the person needs some time before it to log in and read.
STATE_LIFETIME = 3600.0
CODE_LIFETIME = 1800.0

_BEGIN_AGAIN = "begin again with a new link"
INVALID_CODE = 36004004


class StateRejected(TikTokShopError):
    """The ``state`` of a redirect is not one that was handed out, or is expired, used or another app's."""


class States:
    """Hands out states, and takes each back once.

    :param app: states of another app are unknown here.
    """

    def __init__(self, app: App, store: TokenStore, clock: Clock) -> None:
        self._app = app
        self._store = store
        self._clock = clock

    def hand_out(self, state: str, user_type: str, expected_open_id: str | None, lifetime: float) -> float:
        """Remember the hash of a state, and return the Unix time until which it is accepted.

        :param lifetime: seconds.
        :raises StoreUnavailable: it could not be kept.
        """
        now = self._clock.now()
        record = StateRecord(
            app_key=self._app.app_key,
            digest=_digest(state),
            at=now,
            expires_at=now + lifetime,
            user_type=user_type,
            expected_open_id=expected_open_id,
        )
        self._store.write(self._key(state), record.to_json())
        return record.expires_at

    def check_app(self, app_key: str | None) -> None:
        """Refuse a redirect that names another app.

        :raises StateRejected: it does.
        """
        if app_key is not None and app_key != self._app.app_key:
            raise StateRejected(
                f"the redirect is of app {app_key[:40]}, the connection's app is {self._app.app_key} "
                f"(market {self._app.market})",
                advice="every market has an app of its own: use the connection of that app, or consent to a link of this one; "
                "the code was not spent",
            )

    def take(self, brought: str | None, kept: str | None, *, required: bool) -> StateRecord | None:
        """Check a state and use it up.

        :param brought: what the redirect brought.
        :param kept: what the caller knows its link was made with.
        :param required: whether there must be one.
        :returns: what is remembered of the link; ``None`` where there is no state and none is required.
        :raises StateRejected: the text says why; the code is unspent.
        """
        state = brought or kept
        if state is None:
            if not required:
                return None
            raise StateRejected(
                "the redirect carries no state, so nothing proves that it belongs to a link of ours",
                advice="a seller who starts from the app store brings none: allow that expressly, or begin with a link",
            )
        held = self._store.read(self._key(state))
        record = None if held.value is None else StateRecord.from_json(held.value)
        if record is None:
            raise StateRejected(
                "the state of this redirect was not handed out for this app",
                advice=f"{_BEGIN_AGAIN}; a link of another app, market or deployment does not count here",
            )
        if record.used_at is not None:
            raise StateRejected(f"this redirect was used before, {self._ago(record.used_at)}", advice=_BEGIN_AGAIN)
        if kept is not None and brought is not None and not hmac.compare_digest(kept, brought):
            raise StateRejected(
                "the redirect belongs to another link than the one given out here",
                advice="paste the URL that the browser shows after consenting to this very link",
            )
        if record.expires_at < self._clock.now():
            raise StateRejected(
                f"the link has expired, {self._ago(record.expires_at)}: it was good for "
                f"{_duration(record.expires_at - record.at)}",
                advice=_BEGIN_AGAIN,
            )
        # Used up before the code is spent: of two pastes of one redirect, one is refused here.
        try:
            self._store.write(self._key(state), replace(record, used_at=self._clock.now()).to_json(), held)
        except StoreConflict:
            raise StateRejected("this redirect is being used by somebody else right now", advice=_BEGIN_AGAIN) from None
        return record

    def note_spent(self, code: str) -> None:
        """Remember that a code was redeemed, so that who pastes it again hears just that."""
        now = self._clock.now()
        record = StateRecord(app_key=self._app.app_key, digest=_digest(code), at=now, expires_at=now, used_at=now)
        self._store.write(self._key(code), record.to_json())

    def explain(self, refusal: ExchangeRefused, code: str, link: StateRecord | None) -> ExchangeRefused:
        """Return the refusal of a code with what is known here and not by the service: why, most likely."""
        if refusal.code != INVALID_CODE:
            return refusal
        spent = None
        with contextlib.suppress(TikTokShopError):
            spent = self._read(code)
        if spent is not None and spent.used_at is not None:
            why = f"This code was used before: it was redeemed here {self._ago(spent.used_at)}."
        elif link is not None and link.at and self._clock.now() - link.at > CODE_LIFETIME:
            why = f"The link was made {self._ago(link.at)}: most likely the code is older than 30 minutes."
        else:
            why = (
                "It was not redeemed here before: most likely it is mistyped or cut off, belongs to another app or market, "
                "or was given more than 30 minutes ago."
            )
        return ExchangeRefused(
            refusal.message,
            code=refusal.code,
            meaning=f"{refusal.meaning} {why}".strip(),
            advice=refusal.advice,
            request_id=refusal.request_id,
            endpoint=refusal.endpoint,
            http_status=refusal.http_status,
        )

    def _read(self, state: str) -> StateRecord | None:
        value = self._store.read(self._key(state)).value
        return None if value is None else StateRecord.from_json(value)

    def _key(self, state: str) -> RecordKey:
        # The key holds the app, so a state of another app is simply unknown here.
        return RecordKey("state", self._app.app_key, _digest(state)[:32])

    def _ago(self, at: float) -> str:
        return f"{_duration(self._clock.now() - at)} ago"


def _digest(state: str) -> str:
    return hashlib.sha256(b"tiktokshop-state:" + state.encode()).hexdigest()


def _duration(seconds: float) -> str:
    minutes = int(max(seconds, 0) // 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"
