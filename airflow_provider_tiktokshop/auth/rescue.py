"""Bring into the store what earlier runs sealed in escrow and could not store."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.auth import keeping, owner
from airflow_provider_tiktokshop.auth.records import ConsentRecord, RecordKey, RotatedRecord, SeedRecord

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_tiktokshop.auth.consent import AuthorizationFlow
    from airflow_provider_tiktokshop.auth.rotation import Rotator

__all__ = ["Rescue", "Rescued", "rescue_all"]

_ID = re.compile(r"[0-9a-f]{16}")
_SEED = "seed-"


class Rescue(enum.StrEnum):
    """What became of one place in escrow."""

    ADOPTED = "adopted"
    SUPERSEDED = "superseded"
    BUSY = "busy"
    UNPROVEN = "absence_not_proven"
    FAILED = "failed"
    UNREADABLE = "unreadable"

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do about it."""
        return self in {Rescue.ADOPTED, Rescue.SUPERSEDED}


@dataclass(frozen=True, slots=True)
class Rescued:
    """One place in escrow and what became of it. Holds no secret."""

    slot: str
    outcome: Rescue
    text: str = ""


def rescue_all(rotator: Rotator, flow: AuthorizationFlow) -> list[Rescued]:
    """Adopt every sealed pair of the app that this machine's escrow holds, and list those that cannot be opened.

    A pair that the store is ahead of is erased; one whose rotation is still running is left to it. Nothing is sent to the
    token endpoints.
    """
    results: list[Rescued] = []
    unreadable = rotator.escrow.unreadable()
    for slot in rotator.escrow.slots():
        if not rotator.escrow.found(slot):
            continue
        try:
            if slot.startswith(_SEED):
                results.append(_seed(rotator, flow, slot))
            elif _ID.fullmatch(slot):
                results.append(_authorization(rotator, slot))
            # What is left is the escrow's own check of whether it can write.
        except (TikTokShopError, ValueError) as error:
            results.append(Rescued(slot, Rescue.FAILED, str(error)))
    results += [_unreadable(path) for path in unreadable]
    return results


def _authorization(rotator: Rotator, id_: str) -> Rescued:
    app_key = rotator.app.app_key
    base, given = rotator.store.read_many([RecordKey("rotated", app_key, id_), RecordKey("consent", app_key, id_)])
    record = RotatedRecord.from_json(base.value) if base.value is not None else None
    consent = ConsentRecord.from_json(given.value) if given.value is not None else None
    intent = record.open_intent if record is not None else None
    if intent is not None and not owner.sender_is_gone(intent, rotator.clock):
        return Rescued(id_, Rescue.BUSY, "its rotation is still running and will store the pair itself")
    if base.value is None and not base.proven:
        return Rescued(id_, Rescue.UNPROVEN, "the store cannot prove that it holds nothing newer")
    rescued, _ = keeping.adopt_escrow(rotator, id_, record, base, consent)
    if rescued is record or rescued is None:
        return Rescued(id_, Rescue.SUPERSEDED, "the store was ahead of it")
    return Rescued(
        id_, Rescue.ADOPTED, f"open_id {rescued.open_id}, epoch {rescued.epoch}, generation {rescued.generation}"
    )


def _seed(rotator: Rotator, flow: AuthorizationFlow, slot: str) -> Rescued:
    key = RecordKey("seed", rotator.app.app_key, slot.removeprefix(_SEED))
    base = rotator.store.read(key)
    record = SeedRecord.from_json(base.value) if base.value is not None else None
    if record is not None and record.intent is not None and not owner.sender_is_gone(record.intent, rotator.clock):
        return Rescued(slot, Rescue.BUSY, "it is being redeemed right now")
    outcome, text = Rescue.SUPERSEDED, "the store was ahead of it"
    for sealed in rotator.escrow.found(slot):
        consent = ConsentRecord.from_json(sealed.content.get("record") or {})
        keeping.check_identity(rotator.app, consent.app_key, consent.issuer)
        keeping.mask_all(rotator.mask, consent.access_token, consent.refresh_token)
        held = rotator.store.read(RecordKey("consent", rotator.app.app_key, consent.id)).value
        if held is None or ConsentRecord.from_json(held).at < consent.at:
            flow.keep(consent)
            outcome, text = Rescue.ADOPTED, f"open_id {consent.open_id}, from the connection's refresh token"
        done = SeedRecord(
            app_key=rotator.app.app_key,
            issuer=rotator.app.issuer,
            fingerprint=key.id,
            outcome="redeemed",
            open_id=consent.open_id,
            updated_at=rotator.clock.now(),
        )
        base = rotator.store.write(key, done.to_json(), base)
        rotator.escrow.erase(sealed.path)
    return Rescued(slot, outcome, text)


def _unreadable(path: Path) -> Rescued:
    return Rescued(
        path.name,
        Rescue.UNREADABLE,
        "sealed with another app secret, or cut off in the middle of writing: run this again with a connection that holds "
        "the app secret of that time; delete the file when its seller works again",
    )
