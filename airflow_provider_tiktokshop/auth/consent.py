"""Begin and finish an authorization: the link, the ``state``, the exchange of the code, the consent record.

The command line, the operator and the pages inside Airflow are thin over this module.
"""

from __future__ import annotations

import contextlib
import secrets
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK, Clock
from airflow_provider_tiktokshop.api.errors import ExchangeNotSpent, ExchangeRefused, TikTokShopError
from airflow_provider_tiktokshop.auth import keeping
from airflow_provider_tiktokshop.auth.records import (
    Authorization,
    ConsentRecord,
    RecordKey,
    ShopRecord,
    authorization_id,
)
from airflow_provider_tiktokshop.auth.redirect import AuthorizationDenied, parse_redirect
from airflow_provider_tiktokshop.auth.states import STATE_LIFETIME, StateRejected, States
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.oauth import OAuthClient, TokenGrant
    from airflow_provider_tiktokshop.auth.escrow import Escrow
    from airflow_provider_tiktokshop.auth.reader import Authorizations
    from airflow_provider_tiktokshop.auth.stores.base import TokenStore

__all__ = ["AuthorizationDenied", "AuthorizationFlow", "AuthorizationLink", "StateRejected", "WrongAccount"]

UserType = Literal["seller", "creator", "partner"]

WRITE_TRIES = 8
# Seconds. A code lives for 30 minutes, but a person is waiting.
PAUSES_BEFORE_ANOTHER_TRY = (1.0, 3.0)


class WrongAccount(TikTokShopError):
    """Somebody other than the expected seller consented."""


@dataclass(frozen=True, slots=True)
class AuthorizationLink:
    """What to give the seller, and the state to keep.

    :param url: open it in a browser, logged in as the seller.
    :param state: comes back in the redirect; proves that the redirect belongs to this link.
    :param expires_at: Unix seconds until which the state is accepted.
    """

    url: str
    state: str = field(repr=False)
    expires_at: float


class AuthorizationFlow:
    """One app's authorizations, from link to consent record."""

    def __init__(
        self,
        app: App,
        store: TokenStore,
        escrow: Escrow,
        oauth: OAuthClient,
        authorizations: Authorizations,
        probe: Callable[[str, int], tuple[ShopRecord, ...]],
        *,
        clock: Clock = SYSTEM_CLOCK,
        mask: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._app = app
        self._store = store
        self._states = States(app, store, clock)
        self._escrow = escrow
        self._oauth = oauth
        self._authorizations = authorizations
        self._probe = probe
        self._clock = clock
        self._mask = mask

    def begin(
        self,
        user_type: UserType = "seller",
        *,
        expected_open_id: str | None = None,
        lifetime: float = STATE_LIFETIME,
    ) -> AuthorizationLink:
        """Return a link for a seller, creator or partner.

        :param expected_open_id: for a re-authorization: only this account's consent is taken.
        :param lifetime: seconds for which the link is good.
        :raises ConfigurationError: the connection has no service_id.
        :raises StoreUnavailable: the state could not be kept, or the app's records were moved to another store.
        """
        self._authorizations.check_not_moved()
        state = secrets.token_urlsafe(32)
        url = self._oauth.authorization_url(state, user_type)
        return AuthorizationLink(url, state, self._states.hand_out(state, user_type, expected_open_id, lifetime))

    def finish(
        self,
        redirect: str,
        *,
        source: str,
        state: str | None = None,
        without_state: bool = False,
        pending: bool = False,
        expected_open_id: str | None = None,
    ) -> Authorization:
        """Exchange the code that a redirect brought, and keep the pair as a consent.

        :param redirect: the whole redirect URL as pasted from the browser, or the bare code.
        :param source: who finishes: ``"callback"``, ``"cli"``, ``"operator"``.
        :param state: the state of :meth:`begin`, for callers that keep it; needed with a bare code.
        :param without_state: accept a redirect without a state: a seller who starts from the app store brings none.
        :param pending: keep the consent, but let it wait until :meth:`confirm`.
        :param expected_open_id: beside what the state remembers.
        :raises AuthorizationDenied: the seller declined.
        :raises StateRejected: the state is missing, unknown, expired, used, or another app's; the code was not spent.
        :raises ExchangeRefused: the code is wrong, used, older than 30 minutes, or another app's; the text says which,
            as far as can be known.
        :raises WrongAccount: another account consented; its consent is kept as pending.
        """
        came = parse_redirect(redirect)
        keeping.mask_all(self._mask, came.code)
        self._states.check_app(came.app_key)
        self._authorizations.check_not_moved()
        link = self._states.take(came.state, state, required=not without_state)
        expected = (link and link.expected_open_id) or expected_open_id
        self._escrow.check()
        try:
            grant = self._redeem(came.code)
        except ExchangeRefused as refusal:
            raise self._states.explain(refusal, came.code, link) from None
        keeping.mask_all(self._mask, grant.access_token, grant.refresh_token)
        wrong = expected is not None and grant.open_id is not None and grant.open_id != expected
        record = self.consent_of(grant, source=source, pending=pending or wrong)
        consent = self.keep(record)
        # Only now: nothing comes between the service's answer and the store.
        self._note_spent(came.code)
        if wrong:
            raise WrongAccount(
                f"account {grant.open_id} consented, but the link was made for {expected}",
                advice="the consent is kept as pending and is not used; log in as the right seller and open a new link",
            )
        return consent

    def _redeem(self, code: str) -> TokenGrant:
        """Exchange a code; where it is certainly unspent and nothing has to be corrected, try again rather than ask anew."""
        for pause in PAUSES_BEFORE_ANOTHER_TRY:
            try:
                return self._oauth.redeem_code(code)
            except ExchangeNotSpent as error:
                if error.configuration:
                    raise
            self._clock.sleep(pause)
        return self._oauth.redeem_code(code)

    def consent_of(
        self, grant: TokenGrant, *, source: str, pending: bool = False, consent_id: str = ""
    ) -> ConsentRecord:
        """Return the consent record of a grant.

        :raises TikTokShopError: the reply lacks what no authorization can do without.
        """
        if grant.open_id is None or grant.access_token is None or grant.refresh_token is None:
            raise TikTokShopError(
                "TikTok Shop's reply to the code was cut off and lacks the open_id or a token",
                request_id=grant.request_id,
                advice="the code is spent: authorize again",
            )
        return ConsentRecord(
            app_key=self._app.app_key,
            issuer=self._app.issuer,
            id=authorization_id(grant.open_id),
            open_id=grant.open_id,
            consent_id=consent_id or uuid.uuid4().hex,
            at=grant.received_at,
            source=source,
            pending=pending,
            user_type=grant.user_type or 0,
            region=grant.region,
            granted_scopes=grant.granted_scopes,
            access_token=grant.access_token,
            access_expires_at=grant.access_expires_at,
            refresh_token=grant.refresh_token,
            refresh_expires_at=grant.refresh_expires_at,
        )

    def keep(self, record: ConsentRecord) -> Authorization:
        """Seal a consent, store it, look up its shops, and return the authorization.

        :raises StoreUnavailable: the store took nothing for about a minute; the pair is in escrow.
        """
        key = RecordKey("consent", self._app.app_key, record.id)
        sealed = keeping.seal(self._escrow, record.id, "consent", record)
        delay, tries = 0.25, WRITE_TRIES
        while True:
            try:
                self._store.write(key, record.to_json())
                break
            except StoreUnavailable:
                tries -= 1
                if tries == 0:
                    raise
            self._clock.sleep(delay)
            delay = min(delay * 2, 15.0)
        if sealed is not None:
            self._escrow.erase(sealed)
        if not record.pending:
            record = self._with_shops(key, record)
        found = self._authorizations.get(record.id)
        if found is None:
            raise StoreUnavailable(f"the consent of authorization {record.id} was stored, but cannot be read back")
        self._authorizations.enroll(found)
        return found

    def confirm(self, id: str) -> Authorization:  # noqa: A002
        """Let a pending consent count. For people who may edit the connection.

        :raises TikTokShopError: there is no pending consent.
        """
        return self.keep(replace(self._pending(id), pending=False))

    def forget(self, id: str, *, source: str) -> None:  # noqa: A002
        """Stop using an authorization: a consent without tokens. TikTok Shop is not told; the seller does that.

        :raises TikTokShopError: there is no such authorization.
        """
        held = self._authorizations.get(id)
        if held is None:
            raise TikTokShopError(f"there is no authorization {id}")
        record = ConsentRecord(
            app_key=self._app.app_key,
            issuer=self._app.issuer,
            id=id,
            open_id=held.open_id,
            consent_id=uuid.uuid4().hex,
            at=self._clock.now(),
            source=source,
            user_type=held.user_type,
        )
        self._store.write(RecordKey("consent", self._app.app_key, id), record.to_json())

    def _note_spent(self, code: str) -> None:
        # Only makes a later message clearer: not worth failing for.
        with contextlib.suppress(TikTokShopError):
            self._states.note_spent(code)

    def _pending(self, id_: str) -> ConsentRecord:
        value = self._store.read(RecordKey("consent", self._app.app_key, id_)).value
        record = ConsentRecord.from_json(value) if value is not None else None
        if record is None or not record.pending:
            raise TikTokShopError(f"authorization {id_} has no consent that waits for a confirmation")
        return record

    def _with_shops(self, key: RecordKey, record: ConsentRecord) -> ConsentRecord:
        # Worth having at once, so that extraction can be mapped over shops before the first rotation; not worth failing for.
        try:
            shops = self._probe(record.access_token or "", record.user_type)
            with_shops = replace(record, shops=shops)
            self._store.write(key, with_shops.to_json())
        except TikTokShopError:
            return record
        return with_shops
