"""Move one app's records from one token store to another, and leave a tombstone at each old place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.auth.records import ConsentRecord, RecordKey, RecordKind, RotatedRecord, SeedRecord
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable, TokenStore, TokenStoreError

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.clock import Clock

__all__ = ["MOVED_KINDS", "migrate"]

MOVED_KINDS: tuple[RecordKind, ...] = ("rotated", "consent", "notice", "seed", "state", "alert")


def migrate(source: TokenStore, target: TokenStore, app_key: str, *, target_name: str, clock: Clock) -> dict[str, int]:
    """Move every record, verify it at its new place, and put a tombstone at the old one.

    Safe to run again: what was moved is passed over, and of what an interrupted move left in both, the old store's counts
    as long as it is ahead. A worker that still uses the old store finds the tombstones and stops, with a message that names
    the new store; so does whoever would authorize a new seller there.

    :param target_name: what ``[tiktokshop] token_store`` is called for the target; the tombstones say so.
    :return: how many records of each kind were moved.
    :raises StoreUnavailable: a store does not answer, or the source cannot list its records here.
    :raises TokenStoreError: a rotation is under way, or the target holds a record of its own; what was moved stays moved.
    """
    names: dict[RecordKind, tuple[str, ...]] = {}
    for kind in MOVED_KINDS:
        ids = source.ids(kind, app_key)
        if ids is None:
            raise StoreUnavailable(
                "this store cannot list its records here", advice="run the migration on the command line of a scheduler"
            )
        names[kind] = ids
    for id_ in names["rotated"]:
        value = source.read(RecordKey("rotated", app_key, id_)).value
        if value is not None and "moved_to" not in value and RotatedRecord.from_json(value).open_intent is not None:
            raise _busy(f"authorization {id_} is being rotated")
    for id_ in names["seed"]:
        value = source.read(RecordKey("seed", app_key, id_)).value
        if value is not None and value.get("intent") and value.get("outcome") is None:
            raise _busy("the connection's refresh token is being redeemed")
    tombstone = {"schema": 1, "moved_to": target_name, "at": int(clock.now())}
    # The roster's tombstone stands for the whole app, and comes first: no new record may appear behind our back.
    roster = RecordKey("roster", app_key)
    source.write(roster, tombstone)
    counts: dict[str, int] = {
        kind: sum(_move(source, target, RecordKey(kind, app_key, i), tombstone) for i in ids)
        for kind, ids in names.items()
    }
    if "moved_to" in (target.read(roster).value or {}):
        # Moved away from there once, and now back again.
        target.write(roster, {"schema": 1, "authorizations": {}})
    return counts


def _busy(what: str) -> TokenStoreError:
    return TokenStoreError(
        f"{what}, or the outcome of an exchange is unknown",
        advice="pause the rotation DAG, wait for its run to end, and migrate again",
    )


def _move(source: TokenStore, target: TokenStore, key: RecordKey, tombstone: dict[str, Any]) -> bool:
    held = source.read(key)
    if held.value is None or "moved_to" in held.value:
        return False
    there = target.read(key)
    if there.value is not None and there.value != held.value and not _is_earlier(key.kind, there.value, held.value):
        raise TokenStoreError(
            f"the target already holds another record {key.name}, which is not an earlier state of this one",
            advice="it was used before; compare the two with `airflow tiktokshop status` and forget one of them",
        )
    if there.value != held.value:
        target.write(key, held.value, there)
    if target.read(key).value != held.value:
        raise StoreUnavailable(f"the target does not return {key.name} as it was written; nothing was removed")
    source.write(key, tombstone, held)
    return True


def _is_earlier(kind: RecordKind, there: dict[str, Any], held: dict[str, Any]) -> bool:
    """Tell whether ``there`` is what an interrupted move copied, and ``held`` what has become of it since."""
    if "moved_to" in there:
        return True
    if kind == "rotated":
        old, new = RotatedRecord.from_json(there), RotatedRecord.from_json(held)
        same = (old.open_id, old.epoch, old.consent_id) == (new.open_id, new.epoch, new.consent_id)
        return same and (old.generation, old.pair_at) <= (new.generation, new.pair_at)
    if kind == "consent":
        return ConsentRecord.from_json(there).at <= ConsentRecord.from_json(held).at
    if kind == "seed":
        return SeedRecord.from_json(there).updated_at <= SeedRecord.from_json(held).updated_at
    # Hints and memories: nothing is lost whichever stays, and the old store's were in use last.
    return True
