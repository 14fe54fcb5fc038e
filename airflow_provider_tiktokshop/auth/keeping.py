"""Keep a pair that was received: mask, seal, write until it is there, and adopt what an earlier run left in escrow."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.escrow import EscrowError
from airflow_provider_tiktokshop.auth.records import (
    ConsentRecord,
    RecordKey,
    RotatedRecord,
    adopt,
    newer_pair,
)
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreConflict, TokenStoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.oauth import TokenGrant
    from airflow_provider_tiktokshop.auth.escrow import Escrow
    from airflow_provider_tiktokshop.auth.rotation import Rotator

log = logging.getLogger(__name__)

# A task's own credentials for Airflow's API live ten minutes: after that no write from this process can succeed.
PERSIST_FOR = 600.0
# A process that was frozen between reading a record and writing it must look again. Stores without compare-and-swap would
# let it write over what others did meanwhile.
VIEW_FRESH_FOR = 30.0
# Between SIGTERM and SIGKILL Airflow leaves five seconds.
PERSIST_AFTER_INTERRUPT = 4.0


def check_identity(app: App, app_key: str, issuer: str) -> None:
    """Refuse records of another app or another auth host, before anything is sent.

    :raises ConfigurationError: a real connection pointed at an emulator, say, or the other way round.
    """
    if app_key != app.app_key:
        raise ConfigurationError(
            f"the stored authorization belongs to app {app_key!r}, the connection names {app.app_key!r}",
            advice="nothing was sent; use the connection of the app that the seller authorized",
        )
    if issuer != app.issuer:
        raise ConfigurationError(
            f"the stored authorization was issued by {issuer}, the connection's auth_url names {app.issuer}",
            advice="nothing was sent; correct auth_url, or authorize the seller again there",
        )


def mask_all(mask: Callable[[str], None], *secrets: str | None) -> None:
    """Tell the log masker every new secret. It may fail (its supervisor gone): the pair matters more."""
    for secret in secrets:
        if secret:
            try:
                mask(secret)
            except Exception as error:  # noqa: BLE001 - whatever it is, the pair must be kept now
                log.warning("a new token could not be registered with the log masker: %s", type(error).__name__)


def with_grant(record: RotatedRecord, grant: TokenGrant, now: float) -> RotatedRecord:
    """Return the record with the pair of a reply, the old one kept as previous.

    A reply without a refresh token keeps the old one; of a truncated reply only whole tokens are taken.
    """
    refresh_token = grant.refresh_token or record.refresh_token
    entry = {"at": int(now), "what": "rotated", "epoch": record.epoch, "generation": record.generation + 1}
    if grant.request_id:
        entry["request_id"] = grant.request_id
    # Without the refresh token of a reply that was cut off, whether the old one is spent stays unknown.
    answered = grant.complete or grant.refresh_token is not None
    return replace(
        record,
        user_type=grant.user_type if grant.user_type is not None else record.user_type,
        region=grant.region or record.region,
        granted_scopes=grant.granted_scopes if grant.granted_scopes is not None else record.granted_scopes,
        access_token=grant.access_token or record.access_token,
        access_expires_at=grant.access_expires_at or record.access_expires_at,
        refresh_token=refresh_token,
        refresh_expires_at=grant.refresh_expires_at if grant.complete else record.refresh_expires_at,
        previous_refresh_token=record.refresh_token,
        generation=record.generation + 1,
        pair_at=grant.received_at,
        verified=False,
        intent=replace(record.intent, answered=answered) if record.intent is not None else None,
        history=record.remember(entry),
        updated_at=now,
    )


def seal(escrow: Escrow, slot: str, kind: str, record: RotatedRecord | ConsentRecord) -> Path | None:
    """Seal the record that is about to be written; ``None`` when the disk refuses (the store is still tried)."""
    try:
        return escrow.seal(slot, {"kind": kind, "record": record.to_json()})
    except EscrowError as error:
        log.error("%s", error)  # noqa: TRY400 - the text says it all, a traceback would only add frames
        return None


def persist(
    rotator: Rotator, key: RecordKey, new: RotatedRecord, announced: Snapshot, *, sealed: bool
) -> Snapshot | None:
    """Write a received pair, again and again until the store has it.

    :param announced: the record with the intent, as it was written before the token was spent.
    :param sealed: whether escrow holds the pair. If not, only success or the end of the process ends this.
    :return: what the store holds now (a newer pair than ours, if a peer's won), or ``None``: given up, in escrow.
    """
    clock = rotator.clock
    delay, started, attempts = 0.25, clock.boottime(), 0
    interrupted_at: float | None = None
    while True:
        attempts += 1
        try:
            if attempts == 1 and rotator.store.strict:
                # Nearly always nobody wrote meanwhile, and a strict store tells: no need to look first.
                return rotator.store.write(key, new.to_json(), announced)
            looked_at = clock.boottime()
            current = rotator.store.read(key)
            merged = merge(current, new)
            if merged is None:
                return current
            if clock.boottime() - looked_at < VIEW_FRESH_FOR:
                return rotator.store.write(key, merged.to_json(), current)
            # Frozen since the look: what was seen may be history by now.
            continue
        except StoreConflict:
            continue
        except TokenStoreError as error:
            if attempts == 1:
                log.warning("the new pair of %s is not stored yet, retrying: %s", new.id, error.message)
        now = clock.boottime()
        if rotator.interrupted.is_set() and interrupted_at is None:
            interrupted_at = now
        ending = interrupted_at is not None and now - interrupted_at > PERSIST_AFTER_INTERRUPT
        if sealed and (ending or now - started > PERSIST_FOR):
            return None
        # Never long: between SIGTERM and SIGKILL there are five seconds, and they should not be slept through.
        clock.sleep(delay)
        delay = min(delay * 2, 2.0)


def write_over_seen(rotator: Rotator, key: RecordKey, value: dict[str, Any], seen: Snapshot) -> Snapshot:
    """Write a record where the store still holds what was seen.

    A strict store compares by itself; before writing to any other, look again: whoever slept since the first look, for
    however short a time, would write over what a peer did meanwhile, and a rotated pair would be gone.

    :raises StoreConflict: somebody else wrote meanwhile.
    """
    store, clock = rotator.store, rotator.clock
    while not store.strict:
        looked_at = clock.boottime()
        current = store.read(key)
        if current.value != seen.value:
            raise StoreConflict(f"somebody else wrote {key.name} meanwhile")
        if clock.boottime() - looked_at < VIEW_FRESH_FOR:
            return store.write(key, value, current)
    return store.write(key, value, seen)


def merge(current: Snapshot, new: RotatedRecord) -> RotatedRecord | None:
    """Return what to write over ``current``, or ``None`` when what is stored is ahead of ``new``.

    An older epoch's pair never replaces a newer consent's, and of two pairs of one epoch the one whose access token
    expires later wins; the generation never goes back.
    """
    if current.value is None:
        return new
    held = RotatedRecord.from_json(current.value)
    if held.epoch != new.epoch:
        return new if held.epoch < new.epoch else None
    if held.generation < new.generation:
        return new
    if held.pair == new.pair or newer_pair(held.pair, new.pair) == held.pair:
        return None
    return replace(new, generation=held.generation + 1)


def adopt_escrow(
    rotator: Rotator, id_: str, record: RotatedRecord | None, base: Snapshot, consent: ConsentRecord | None
) -> tuple[RotatedRecord | None, Snapshot]:
    """Take up the pairs that an earlier run sealed and could not store.

    :return: the record and snapshot to go on with; the same objects when there was nothing to adopt.
    """
    key = RecordKey("rotated", rotator.app.app_key, id_)
    if base.value is None and not base.proven:
        # The record may merely be out of sight; what is sealed can wait, what would be overwritten could not be had back.
        return record, base
    for sealed in rotator.escrow.found(id_):
        kind, content = sealed.content.get("kind"), sealed.content.get("record") or {}
        if kind == "rotation":
            rescued: RotatedRecord | None = merge(base, RotatedRecord.from_json(content))
        else:
            rescued = _rescue_consent(rotator, record, ConsentRecord.from_json(content), consent)
        if rescued is not None:
            check_identity(rotator.app, rescued.app_key, rescued.issuer)
            mask_all(rotator.mask, rescued.access_token, rescued.refresh_token)
            base = write_over_seen(rotator, key, rescued.to_json(), base)
            record = rescued
            log.info("adopted a pair of %s that was waiting in escrow", id_)
        rotator.escrow.erase(sealed.path)
    return record, base


def _rescue_consent(
    rotator: Rotator, record: RotatedRecord | None, sealed: ConsentRecord, stored: ConsentRecord | None
) -> RotatedRecord | None:
    seen = record is not None and (record.consent_id == sealed.consent_id or record.pair_at >= sealed.at)
    superseded = stored is not None and stored.at >= sealed.at
    if seen or superseded or sealed.pending or sealed.pair is None:
        return None
    return adopt(record, sealed, rotator.clock.now())
