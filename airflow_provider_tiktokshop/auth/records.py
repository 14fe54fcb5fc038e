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
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_tiktokshop.auth.record_shapes import (
    ConsentRecord,
    Intent,
    NoticeRecord,
    RecordKey,
    RecordKind,
    RotatedRecord,
    SeedRecord,
    ShopRecord,
    StateRecord,
    TokenPair,
    authorization_id,
    fingerprint,
    moved,
    newer_pair,
)

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
    "moved",
    "newer_pair",
]

# Access tokens live seven days. Rotating with three left leaves twelve six-hourly runs to recover from a bad weekend.
DEFAULT_ADVISORY = 3 * 86_400
WARN_BEFORE_EXPIRY = 30 * 86_400


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
    history: tuple[dict[str, Any], ...] = field(default=(), repr=False)

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
        history=record.history,
    )
