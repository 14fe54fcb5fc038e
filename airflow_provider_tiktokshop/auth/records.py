"""The small records that hold an authorization, and the one pure function that reads them together.

Every record has one kind of writer and is always written whole, so no read-modify-write can lose anything:

========= ==================================================== =====================================================
record    written only by                                      holds
========= ==================================================== =====================================================
rotated   the rotation task                                    current and previous pair, intent, status, history
consent   whoever finishes an authorization                    the pair of the newest consent
notice    the webhook endpoint                                 the newest webhook 6, 7 or 20: a hint, never a verdict
seed      the rotation task                                    intent and tombstone of a seed refresh token
state     whoever begins an authorization                      hash, expiry and use of one OAuth ``state``
alert     the rotation task                                    what a person was told of, so that it is told once
========= ==================================================== =====================================================

Secrets are flat top-level fields whose own names contain ``token``: Airflow 3.1 masks only those in its REST API.
"""

from __future__ import annotations

import enum
import hashlib
import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from airflow_provider_tiktokshop.auth.stores.base import StoreMoved

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Authorization",
    "ConsentRecord",
    "Intent",
    "NoticeRecord",
    "RecordKey",
    "RecordKind",
    "RotatedRecord",
    "SeedRecord",
    "ShopRecord",
    "StateRecord",
    "Status",
    "TokenPair",
    "authorization_id",
    "effective",
    "fingerprint",
    "newer_pair",
]

SCHEMA = 1
HISTORY_LENGTH = 20
# Access tokens live seven days. Rotating with three left leaves twelve six-hourly runs to recover from a bad weekend.
DEFAULT_ADVISORY = 3 * 86_400
WARN_BEFORE_EXPIRY = 30 * 86_400

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


class Record:
    """Shared reading and writing: flat JSON objects, unknown fields ignored so that a newer writer does no harm."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record as a JSON object."""
        result: dict[str, Any] = {"schema": SCHEMA}
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if value is None or value == ():
                continue
            if isinstance(value, Intent):
                value = {g.name: getattr(value, g.name) for g in fields(value)}
            elif f.name == "shops":
                value = [{g.name: getattr(s, g.name) for g in fields(s)} for s in value]
            elif isinstance(value, tuple):
                value = list(value)
            result[f.name] = value
        return result

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a record from its JSON object.

        :raises ValueError: the object is not such a record, or was written by a newer, incompatible version.
        :raises StoreMoved: the record was moved to another store.
        """
        if "moved_to" in value:
            raise StoreMoved(
                f"this record was moved to the token store {value['moved_to']!r}",
                advice="set [tiktokshop] token_store to it on this machine too, and restart; nothing was sent",
            )
        if int(value.get("schema", 0)) > SCHEMA:
            msg = (
                f"a stored {cls.__name__} has schema {value['schema']}, this version reads up to {SCHEMA}: "
                "upgrade airflow-provider-tiktokshop on this machine"
            )
            raise ValueError(msg)
        known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
        data = {k: v for k, v in value.items() if k in known}
        if isinstance(data.get("intent"), dict):
            names = {f.name for f in fields(Intent)}
            data["intent"] = Intent(**{k: v for k, v in data["intent"].items() if k in names})
        if "shops" in data:
            names = {f.name for f in fields(ShopRecord)}
            data["shops"] = tuple(ShopRecord(**{k: v for k, v in s.items() if k in names}) for s in data["shops"])
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


class Status(enum.StrEnum):
    """What a reader of an authorization needs to know."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"
    REAUTHORIZATION_REQUIRED = "reauthorization_required"
    REVOKED = "revoked"
    PENDING = "pending"

    @property
    def usable(self) -> bool:
        """Whether an access token may be presented."""
        return self in {Status.FRESH, Status.STALE}

    @property
    def needs_person(self) -> bool:
        """Whether nothing but a new consent helps."""
        return self in {Status.REAUTHORIZATION_REQUIRED, Status.REVOKED, Status.PENDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One seller's (creator's, partner's) consent to one app, read from all of its records."""

    app_key: str
    issuer: str
    id: str
    open_id: str
    status: Status
    user_type: int = 0
    region: str | None = None
    granted_scopes: tuple[str, ...] | None = None
    pair: TokenPair | None = field(default=None, repr=False)
    epoch: int = 0
    generation: int = 0
    verified: bool = False
    shops: tuple[ShopRecord, ...] = ()
    rotating: bool = False
    last_error: dict[str, Any] | None = None
    transient_failures: int = 0
    last_rotated_at: float | None = None
    authorization_expires_at: int | None = None
    expires_soon: bool = False
    deauthorization_noticed: bool = False

    @property
    def access_expires_at(self) -> int | None:
        """When the access token expires, in Unix seconds."""
        return self.pair.access_expires_at if self.pair else None

    @property
    def refresh_expires_at(self) -> int | None:
        """When the refresh token expires, in Unix seconds; ``None`` means never or unknown."""
        return self.pair.refresh_expires_at if self.pair else None

    def public(self) -> dict[str, Any]:
        """Return what may be shown anywhere: no token, no cipher, nobody's name.

        :return: a JSON object with ``id``, ``open_id``, ``status``, ``generation``, expiries in Unix seconds,
            ``shops`` as ``[{"id", "region", "seller_type"}]`` and the last error (code, request_id, text).
        """
        return {
            "id": self.id,
            "open_id": self.open_id,
            "user_type": self.user_type,
            "region": self.region,
            "status": str(self.status),
            "epoch": self.epoch,
            "generation": self.generation,
            "verified": self.verified,
            "access_expires_at": self.access_expires_at,
            "refresh_expires_at": self.refresh_expires_at,
            "authorization_expires_at": self.authorization_expires_at,
            "expires_soon": self.expires_soon,
            "deauthorization_noticed": self.deauthorization_noticed,
            "last_rotated_at": self.last_rotated_at,
            "transient_failures": self.transient_failures,
            "granted_scopes": list(self.granted_scopes) if self.granted_scopes is not None else None,
            "shops": [{"id": s.id, "region": s.region, "seller_type": s.seller_type} for s in self.shops],
            "last_error": self.last_error,
        }


def adopt(rotated: RotatedRecord | None, consent: ConsentRecord, now: float) -> RotatedRecord:
    """Return the rotated record that a new consent starts: the next epoch, generation 1, no intent.

    :param consent: an unseen consent that carries tokens.
    """
    pair = consent.pair
    if pair is None:
        msg = "a consent without tokens cannot be adopted"
        raise ValueError(msg)
    fresh = RotatedRecord(
        app_key=consent.app_key,
        issuer=consent.issuer,
        id=consent.id,
        open_id=consent.open_id,
        user_type=consent.user_type,
        region=consent.region,
        granted_scopes=consent.granted_scopes,
        access_token=pair.access_token,
        access_expires_at=pair.access_expires_at,
        refresh_token=pair.refresh_token,
        refresh_expires_at=pair.refresh_expires_at,
        epoch=(rotated.epoch if rotated else 0) + 1,
        consent_id=consent.consent_id,
        pair_at=consent.at,
        shops=consent.shops,
        updated_at=now,
    )
    entry = {"at": int(now), "what": "consent", "epoch": fresh.epoch, "generation": 1, "source": consent.source}
    return replace(fresh, history=(rotated or fresh).remember(entry))


def unseen(rotated: RotatedRecord | None, consent: ConsentRecord | None) -> ConsentRecord | None:
    """Return the consent when the rotation task has not taken it up yet."""
    if consent is None or consent.pending or (rotated is not None and rotated.consent_id == consent.consent_id):
        return None
    return consent


def effective(
    rotated: RotatedRecord | None,
    consent: ConsentRecord | None,
    notice: NoticeRecord | None = None,
    *,
    now: float,
    advisory: float = DEFAULT_ADVISORY,
) -> Authorization | None:
    """Read an authorization from its records; ``None`` where there is none.

    An unseen consent is the newest will of the seller and wins over whatever was rotated before it; a notice changes
    no status by itself.

    :param now: Unix seconds.
    :param advisory: seconds before the access token's expiry from which on the status is ``stale``.
    """
    new = unseen(rotated, consent)
    if rotated is None and new is None:
        if consent is None:
            return None
        return Authorization(
            app_key=consent.app_key,
            issuer=consent.issuer,
            id=consent.id,
            open_id=consent.open_id,
            user_type=consent.user_type,
            region=consent.region,
            status=Status.PENDING,
        )
    if new is not None and new.pair is None:
        return Authorization(
            app_key=new.app_key,
            issuer=new.issuer,
            id=new.id,
            open_id=new.open_id,
            user_type=new.user_type,
            status=Status.REVOKED,
            epoch=rotated.epoch if rotated else 0,
            generation=rotated.generation if rotated else 0,
        )
    record = adopt(rotated, new, now) if new is not None else rotated
    assert record is not None  # noqa: S101 - one of the two is there, see above
    left = record.access_expires_at - now
    if record.status != "active":
        status = Status(record.status)
    elif left <= 0:
        status = Status.EXPIRED
    else:
        status = Status.STALE if left < advisory else Status.FRESH
    noticed = notice if notice is not None and notice.at > record.pair_at else None
    ends = record.refresh_expires_at
    if noticed is not None and noticed.type == 7 and noticed.expires_at is not None:
        ends = noticed.expires_at
    return Authorization(
        app_key=record.app_key,
        issuer=record.issuer,
        id=record.id,
        open_id=record.open_id,
        status=status,
        user_type=record.user_type,
        region=record.region,
        granted_scopes=record.granted_scopes,
        pair=record.pair,
        epoch=record.epoch,
        generation=record.generation,
        verified=record.verified,
        shops=record.shops,
        rotating=record.open_intent is not None,
        last_error=record.last_error,
        transient_failures=record.transient_failures,
        last_rotated_at=record.pair_at or None,
        authorization_expires_at=ends,
        expires_soon=ends is not None and ends - now < WARN_BEFORE_EXPIRY,
        deauthorization_noticed=noticed is not None and noticed.type in {6, 20},
    )
