"""The shapes of the records of :mod:`airflow_provider_tiktokshop.auth.records`, which is where to import them from."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from airflow_provider_tiktokshop.auth.stores.base import StoreMoved

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = 1
HISTORY_LENGTH = 20


RecordKind = Literal["rotated", "consent", "notice", "seed", "roster", "state", "canary", "alert"]

# Variable keys are at most 250 characters, and a key that held a sensitive word would be masked as a whole at each read.
_KEY_PART = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class RecordKey(NamedTuple):
    """Names one record of one app in any store."""

    kind: RecordKind
    app_key: str
    id: str = ""

    @property
    def name(self) -> str:
        """The key under which stores keep the record, for example ``tiktokshop_rotated__6abc__0f3a…``."""
        for part in (self.app_key, self.id or "-"):
            if not _KEY_PART.fullmatch(part):
                msg = f"{part!r} cannot be part of a record key: use letters, digits, '.', '_' and '-' only"
                raise ValueError(msg)
        base = f"tiktokshop_{self.kind}__{self.app_key}"
        return f"{base}__{self.id}" if self.id else base


def authorization_id(open_id: str) -> str:
    """Return the short, stable id of an authorization: the first 16 hex digits of sha256(open_id)."""
    return hashlib.sha256(open_id.encode()).hexdigest()[:16]


def fingerprint(token: str) -> str:
    """Return 16 hex digits that tell tokens apart without revealing them."""
    return hashlib.sha256(b"tiktokshop-token:" + token.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and a refresh token, each with an absolute expiry in Unix seconds (``None``: does not expire)."""

    access_token: str = field(repr=False)
    access_expires_at: int
    refresh_token: str = field(repr=False)
    refresh_expires_at: int | None = None

    @property
    def fingerprint(self) -> str:
        """The refresh token's fingerprint."""
        return fingerprint(self.refresh_token)


def moved(tombstone: Mapping[str, Any]) -> StoreMoved:
    """Return what to raise where a record's tombstone is found."""
    return StoreMoved(
        f"this record was moved to the token store {tombstone['moved_to']!r}",
        advice="set [tiktokshop] token_store to it on this machine too, and restart; nothing was sent",
    )


def newer_pair(a: TokenPair, b: TokenPair) -> TokenPair:
    """Return the pair whose access token expires later: the service's clock decides, not ours (rule R7)."""
    return b if b.access_expires_at > a.access_expires_at else a


@dataclass(frozen=True, slots=True)
class ShopRecord:
    """One shop that an authorization covers. Shop names are left out: they can be a person's name."""

    id: str
    cipher: str = field(repr=False)
    region: str = ""
    seller_type: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """The announcement, written before a refresh token is spent, of who is about to spend which token."""

    owner: str
    fingerprint: str
    at: float
    boot_at: float
    host: str
    boot_id: str
    pid: int
    pid_started: float
    attempt: int = 1
    # Set once the reply is stored: from then on the intent locks nothing and awaits only the verification.
    answered: bool = False


@functools.cache
def _names(shape: type) -> dict[str, None]:
    """Return the names of a shape's fields, in order: a rotation asks for them twenty times."""
    return dict.fromkeys(f.name for f in fields(shape))


class Record:
    """Shared reading and writing: flat JSON objects, unknown fields ignored so that a newer writer does no harm."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        result: dict[str, Any] = {"schema": SCHEMA}
        for name in _names(type(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            if value is None or value == ():
                continue
            if isinstance(value, Intent):
                value = {part: getattr(value, part) for part in _names(Intent)}
            elif name == "shops":
                value = [{part: getattr(s, part) for part in _names(ShopRecord)} for s in value]
            elif isinstance(value, tuple):
                value = list(value)
            result[name] = value
        return result

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a record from its JSON object.

        :raises ValueError: the object is not such a record, or was written by a newer, incompatible version.
        :raises StoreMoved: the record was moved to another store.
        """
        if "moved_to" in value:
            raise moved(value)
        if int(value.get("schema", 0)) > SCHEMA:
            msg = (
                f"a stored {cls.__name__} has schema {value['schema']}, this version reads up to {SCHEMA}: "
                "upgrade airflow-provider-tiktokshop on this machine"
            )
            raise ValueError(msg)
        known = _names(cls)  # type: ignore[arg-type]
        data = {k: v for k, v in value.items() if k in known}
        if isinstance(data.get("intent"), dict):
            parts = _names(Intent)
            data["intent"] = Intent(**{k: v for k, v in data["intent"].items() if k in parts})
        if "shops" in data:
            parts = _names(ShopRecord)
            data["shops"] = tuple(ShopRecord(**{k: v for k, v in s.items() if k in parts}) for s in data["shops"])
        for name in ("granted_scopes", "history"):
            if name in data:
                data[name] = tuple(data[name])
        try:
            return cls(**data)
        except TypeError as error:
            msg = f"a stored {cls.__name__} is incomplete ({error}): it was not written by this provider"
            raise ValueError(msg) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedRecord(Record):
    """What the rotation task knows of one authorization."""

    app_key: str
    issuer: str
    id: str
    open_id: str
    user_type: int = 0
    region: str | None = None
    granted_scopes: tuple[str, ...] | None = None
    access_token: str = field(repr=False)
    access_expires_at: int
    refresh_token: str = field(repr=False)
    refresh_expires_at: int | None = None
    previous_refresh_token: str | None = field(default=None, repr=False)
    epoch: int = 1
    generation: int = 1
    consent_id: str | None = None
    pair_at: float = 0.0
    verified: bool = False
    intent: Intent | None = None
    status: str = "active"  # active | reauthorization_required | revoked
    shops: tuple[ShopRecord, ...] = ()
    last_error: dict[str, Any] | None = None
    transient_failures: int = 0
    alerted: bool = False
    history: tuple[dict[str, Any], ...] = ()
    updated_at: float = 0.0

    @property
    def pair(self) -> TokenPair:
        """The current pair."""
        return TokenPair(self.access_token, self.access_expires_at, self.refresh_token, self.refresh_expires_at)

    @property
    def open_intent(self) -> Intent | None:
        """The intent whose outcome is not known yet, if any."""
        if self.intent is None or self.intent.answered or self.intent.fingerprint != self.pair.fingerprint:
            return None
        return self.intent

    def remember(self, entry: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Return the history with ``entry`` added, the newest last, no longer than 20."""
        return (*self.history, entry)[-HISTORY_LENGTH:]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord(Record):
    """The newest consent of one authorization. Without tokens it says: forget this authorization."""

    app_key: str
    issuer: str
    id: str
    open_id: str
    consent_id: str
    at: float
    source: str  # callback | cli | operator | seed
    pending: bool = False
    user_type: int = 0
    region: str | None = None
    granted_scopes: tuple[str, ...] | None = None
    access_token: str | None = field(default=None, repr=False)
    access_expires_at: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_at: int | None = None
    shops: tuple[ShopRecord, ...] = ()

    @property
    def pair(self) -> TokenPair | None:
        """The pair that the consent brought, or ``None`` where it says: forget."""
        if self.access_token is None or self.refresh_token is None or self.access_expires_at is None:
            return None
        return TokenPair(self.access_token, self.access_expires_at, self.refresh_token, self.refresh_expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRecord(Record):
    """The newest webhook about an authorization itself: 6 deauthorized, 7 about to expire, 20 creator deauthorized."""

    app_key: str
    id: str
    type: int
    at: float
    notification_id: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRecord(Record):
    """What became of one seed refresh token: it is redeemed once, ever."""

    app_key: str
    issuer: str
    fingerprint: str
    intent: Intent | None = None
    outcome: str | None = None  # None: open | redeemed | refused | known
    open_id: str | None = None
    last_error: dict[str, Any] | None = None
    updated_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecord(Record):
    """One OAuth ``state`` handed out, or one code redeemed, by hash only."""

    app_key: str
    digest: str
    expires_at: float
    at: float = 0.0
    user_type: str = "seller"
    expected_open_id: str | None = None
    used_at: float | None = None
