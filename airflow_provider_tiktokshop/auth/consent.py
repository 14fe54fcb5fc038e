"""Begin and finish an authorization: the link, the ``state``, the exchange of the code, the consent record.

The command line, the operator and the pages inside Airflow are thin over this module.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs, urlsplit

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK, Clock
from airflow_provider_tiktokshop.api.errors import ScopeMissing, TikTokShopError
from airflow_provider_tiktokshop.auth import keeping
from airflow_provider_tiktokshop.auth.records import (
    Authorization,
    ConsentRecord,
    RecordKey,
    ShopRecord,
    StateRecord,
    authorization_id,
)
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

# TikTok Shop's code lives 30 minutes from the consent; the person needs some time before it to log in and read.
STATE_LIFETIME = 3600.0
WRITE_TRIES = 8


class AuthorizationDenied(TikTokShopError):
    """The seller declined, or TikTok Shop redirected with an error."""


class StateRejected(TikTokShopError):
    """The ``state`` of a redirect is not one that was handed out, or is expired, used or another app's."""


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
        self._escrow = escrow
        self._oauth = oauth
        self._authorizations = authorizations
        self._probe = probe
        self._clock = clock
        self._mask = mask

    def begin(self, user_type: UserType = "seller", *, expected_open_id: str | None = None) -> AuthorizationLink:
        """Return a link for a seller, creator or partner.

        :param expected_open_id: for a re-authorization: only this account's consent is taken.
        :raises ConfigurationError: the connection has no service_id.
        :raises StoreUnavailable: the state could not be kept.
        """
        state = secrets.token_urlsafe(32)
        url = self._oauth.authorization_url(state, user_type)
        record = StateRecord(
            app_key=self._app.app_key,
            digest=_digest(state),
            expires_at=self._clock.now() + STATE_LIFETIME,
            user_type=user_type,
            expected_open_id=expected_open_id,
        )
        self._store.write(_state_key(self._app.app_key, state), record.to_json())
        return AuthorizationLink(url, state, record.expires_at)

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
        :raises ExchangeRefused: the code is wrong, used, older than 30 minutes, or another app's.
        :raises WrongAccount: another account consented; its consent is kept as pending.
        """
        code, brought = parse_redirect(redirect)
        expected = self._take_state(brought, state, required=not without_state) or expected_open_id
        self._escrow.check()
        grant = self._oauth.redeem_code(code)
        keeping.mask_all(self._mask, grant.access_token, grant.refresh_token)
        wrong = expected is not None and grant.open_id is not None and grant.open_id != expected
        record = self.consent_of(grant, source=source, pending=pending or wrong)
        consent = self.keep(record)
        if wrong:
            raise WrongAccount(
                f"account {grant.open_id} consented, but the link was made for {expected}",
                advice="the consent is kept as pending and is not used; log in as the right seller and open a new link",
            )
        return consent

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
        except (ScopeMissing, TikTokShopError):
            return record
        return with_shops

    def _take_state(self, brought: str | None, kept: str | None, *, required: bool) -> str | None:
        """Check and use up the state; return the open_id it expects."""
        if kept is not None and brought is not None and not hmac.compare_digest(kept, brought):
            raise StateRejected(
                "the redirect belongs to another link than the one given out here",
                advice="paste the URL that the browser shows after consenting to this very link",
            )
        state = brought or kept
        if state is None:
            if not required:
                return None
            raise StateRejected(
                "the redirect carries no state, so nothing proves that it belongs to a link of ours",
                advice="a seller who starts from the app store brings none: allow that expressly, or begin with a link",
            )
        key = _state_key(self._app.app_key, state)
        value = self._store.read(key).value
        if value is None:
            raise StateRejected(
                "the state of this redirect was not handed out for this app",
                advice="begin again with a new link; a link of another app or deployment does not count here",
            )
        record = StateRecord.from_json(value)
        if record.used_at is not None:
            raise StateRejected("this redirect was used before", advice="begin again with a new link")
        if record.expires_at < self._clock.now():
            raise StateRejected("the link is older than an hour", advice="begin again with a new link")
        # Used up before the code is spent: of two pastes of one redirect, one is refused here.
        self._store.write(key, replace(record, used_at=self._clock.now()).to_json())
        return record.expected_open_id


def parse_redirect(redirect: str) -> tuple[str, str | None]:
    """Return the code and state of a pasted redirect URL, query string or bare code.

    :raises AuthorizationDenied: the redirect says that the seller declined.
    :raises TikTokShopError: there is no code in it.
    """
    text = redirect.strip()
    parsed = urlsplit(text)
    query = parsed.query or (text.lstrip("?") if "code=" in text or "error=" in text else "")
    if not query:
        if text and "/" not in text and " " not in text:
            return text, None
        raise TikTokShopError(
            "there is no code in what was given",
            advice="paste the whole address that the browser shows after consenting; it contains ?code=…",
        )
    fields = parse_qs(query)
    error = (fields.get("error") or [""])[0]
    code = (fields.get("code") or [""])[0]
    if error:
        raise AuthorizationDenied(
            f"the authorization was not given: {error[:80]}",
            advice="the seller declined on the consent page; open the link again and accept",
        )
    if not code or code == "null":
        raise TikTokShopError(
            "the redirect has no code",
            advice="paste the whole address that the browser shows after consenting; it contains ?code=…",
        )
    return code, next(iter(fields.get("state", ())), None)


def _digest(state: str) -> str:
    return hashlib.sha256(b"tiktokshop-state:" + state.encode()).hexdigest()


def _state_key(app_key: str, state: str) -> RecordKey:
    # The key holds the app, so a state of another app is simply unknown here.
    return RecordKey("state", app_key, _digest(state)[:32])
