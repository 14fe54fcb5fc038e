"""Grants and tokens: issued, redeemed, spent, expired, revoked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.ids import fingerprint, word

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Account
    from airflow_provider_tiktokshop.emulator.clock import EmulatorClock
    from airflow_provider_tiktokshop.emulator.settings import Settings
    from airflow_provider_tiktokshop.emulator.stats import Stats

__all__ = ["AccessToken", "Code", "Grant", "RefreshToken", "TokenDesk"]

# Creator authorizations do not expire; recorded answers show dates about a century ahead, beyond 32 bits.
_FOREVER = 3_121_000_000


@dataclass(slots=True)
class Grant:
    """One consent: what it covers and how long. Its tokens form a family."""

    account: Account
    number: int
    scopes: tuple[str, ...]
    shop_ids: tuple[str, ...]
    expires_at: int
    alive: bool = True
    issued: int = 0
    refresh_tokens: list[RefreshToken] = field(default_factory=list)


@dataclass(slots=True)
class AccessToken:
    value: str
    grant: Grant
    expires_at: int
    revoked: bool = False


@dataclass(slots=True)
class RefreshToken:
    value: str
    grant: Grant
    expires_at: int
    access: AccessToken
    spent_at: float | None = None
    successor: RefreshToken | None = None
    revoked: bool = False


@dataclass(slots=True)
class Code:
    value: str
    account: Account
    shop_ids: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: float
    duration: int | None
    used: bool = False


@dataclass(slots=True)
class TokenDesk:
    """Issues tokens and answers for them."""

    seed: int
    clock: EmulatorClock
    settings: Settings
    stats: Stats
    access: dict[str, AccessToken] = field(default_factory=dict)
    refresh: dict[str, RefreshToken] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    grants: dict[str, list[Grant]] = field(default_factory=dict)

    def consent(
        self, account: Account, shop_ids: tuple[str, ...], scopes: tuple[str, ...], duration: int | None = None
    ) -> Code:
        """Issue a single-use auth code for what the user ticked."""
        value = "EMU_code_" + word(60, self.seed, "code", account.open_id, len(self.codes))
        code = Code(value, account, shop_ids, scopes, self.clock.now() + self.settings.code_ttl, duration)
        self.codes[value] = code
        return code

    def redeem_code(self, value: str) -> RefreshToken:
        """Spend an auth code.

        :raises Refusal: 36004004 when it is unknown, spent or older than 30 minutes.
        """
        code = self.codes.get(value)
        if code is None or code.used or self.clock.now() >= code.expires_at:
            self.stats.codes_refused += 1
            raise refuse(36004004)
        code.used = True
        if self.settings.refresh_mode in {"rotate", "family"}:
            # The worst case of what the service leaves unsaid: a new consent ends the tokens of the older one.
            for grant in self.grants.get(code.account.open_id, ()):
                grant.alive = False
        self.stats.codes_redeemed[code.account.open_id] += 1
        return self.open_grant(code.account, code.shop_ids, code.scopes, code.duration)

    def open_grant(
        self, account: Account, shop_ids: tuple[str, ...], scopes: tuple[str, ...], duration: int | None = None
    ) -> RefreshToken:
        """Start a family of tokens and return its first pair."""
        family = self.grants.setdefault(account.open_id, [])
        lifetime = _FOREVER if account.user_type == 1 else (duration or self.settings.refresh_ttl)
        grant = Grant(account, len(family), scopes, shop_ids, int(self.clock.now()) + lifetime)
        family.append(grant)
        return self._issue(grant)

    def redeem_refresh_token(self, value: str) -> RefreshToken:
        """Spend a refresh token as the refresh mode says, and return the pair to answer with.

        :raises Refusal: 36004005 when it is unknown, spent or revoked; 36004001 when it is expired.
        """
        token = self.refresh.get(value)
        if token is None or token.revoked or not token.grant.alive:
            if token is not None and token.spent_at is not None:
                self._count_reuse(token)
            raise refuse(36004005)
        now = self.clock.now()
        mode = self.settings.refresh_mode
        if token.spent_at is not None:
            self._count_reuse(token)
            if mode == "grace" and token.successor is not None and now - token.spent_at <= self.settings.grace_seconds:
                return token.successor
            if mode == "family":
                token.grant.alive = False
            raise refuse(36004005)
        if now >= token.expires_at:
            raise refuse(36004001)
        self.stats.redemptions[token.grant.account.open_id] += 1
        if mode == "reusable":
            token.access = self._issue_access(token.grant)
            return token
        token.spent_at = now
        if mode in {"rotate", "family"}:
            token.access.revoked = True
        token.successor = self._issue(token.grant)
        return token.successor

    def find_access(self, value: str) -> AccessToken:
        """Return a valid access token.

        :raises Refusal: 105001 when it is unknown or withdrawn, 105002 when it is expired.
        """
        token = self.access.get(value)
        if token is None or token.revoked or not token.grant.alive:
            raise refuse(105001)
        if self.clock.now() >= token.expires_at:
            if self.settings.expired_status == 200:
                raise refuse(105002, "access token is expired, please refresh it", status=200)
            raise refuse(105002)
        return token

    def revoke(self, open_id: str) -> None:
        """Withdraw every authorization of a user, as the user can in Seller Center."""
        for grant in self.grants.get(open_id, ()):
            grant.alive = False

    def current(self, open_id: str) -> list[RefreshToken]:
        """Return the usable refresh tokens of a user, newest last."""
        return [
            token
            for grant in self.grants.get(open_id, ())
            for token in grant.refresh_tokens
            if grant.alive and token.spent_at is None and not token.revoked
        ]

    def reply(self, token: RefreshToken) -> dict[str, Any]:
        """Return the ``data`` of a token answer. Both expiries are absolute Unix seconds."""
        account = token.grant.account
        data: dict[str, Any] = {
            "access_token": token.access.value,
            "access_token_expire_in": token.access.expires_at,
            "refresh_token": token.value,
            "refresh_token_expire_in": token.expires_at,
            "open_id": account.open_id,
            "seller_name": account.name,
            "seller_base_region": account.region,
            "user_type": account.user_type,
            "granted_scopes": list(token.grant.scopes),
        }
        if self.settings.omit_scopes:
            del data["granted_scopes"]
        if self.settings.omit_refresh_token:
            del data["refresh_token"], data["refresh_token_expire_in"]
        return data

    def _count_reuse(self, token: RefreshToken) -> None:
        self.stats.reused[token.grant.account.open_id] += 1
        self.stats.reused_tokens[fingerprint(token.value)] += 1

    def _issue_access(self, grant: Grant) -> AccessToken:
        grant.issued += 1
        value = "EMU_" + word(120, self.seed, "access", grant.account.open_id, grant.number, grant.issued)
        token = AccessToken(value, grant, int(self.clock.now()) + self.settings.access_ttl)
        self.access[value] = token
        return token

    def _issue(self, grant: Grant) -> RefreshToken:
        access = self._issue_access(grant)
        value = "EMU_" + word(116, self.seed, "refresh", grant.account.open_id, grant.number, grant.issued)
        # A refresh does not prolong the authorization: its end was chosen at consent.
        token = RefreshToken(value, grant, grant.expires_at, access)
        self.refresh[value] = token
        grant.refresh_tokens.append(token)
        return token
