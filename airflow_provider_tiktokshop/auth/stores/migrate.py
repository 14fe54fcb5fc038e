"""Move one app's records from one token store to another, and leave a tombstone at each old place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind, RotatedRecord
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable, TokenStore, TokenStoreError

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.clock import Clock

__all__ = ["MOVED_KINDS", "migrate"]

MOVED_KINDS: tuple[RecordKind, ...] = ("rotated", "consent", "notice", "seed", "state", "alert")


def migrate(source: TokenStore, target: TokenStore, app_key: str, *, target_name: str, clock: Clock) -> dict[str, int]:
    """Move every record, verify it at its new place, and put a tombstone at the old one.

    Safe to run again: what was moved is passed over. A worker that still uses the old store finds the tombstones and
    stops, with a message that names the new store.

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
            raise TokenStoreError(
                f"authorization {id_} is being rotated, or the outcome of an exchange is unknown",
                advice="pause the rotation DAG, wait for its run to end, and migrate again",
            )
    return {
        kind: sum(_move(source, target, RecordKey(kind, app_key, i), target_name, clock) for i in ids)
        for kind, ids in names.items()
    }


def _move(source: TokenStore, target: TokenStore, key: RecordKey, target_name: str, clock: Clock) -> bool:
    held = source.read(key)
    if held.value is None or "moved_to" in held.value:
        return False
    there = target.read(key)
    if there.value is not None and there.value != held.value and "moved_to" not in there.value:
        raise TokenStoreError(
            f"the target already holds another record {key.name}",
            advice="it was used before; compare the two with `airflow tiktokshop status` and forget one of them",
        )
        # Moved away from there once, and now back again.
    if there.value != held.value:
        target.write(key, held.value, there)
    if target.read(key).value != held.value:
        raise StoreUnavailable(f"the target does not return {key.name} as it was written; nothing was removed")
    source.write(key, {"schema": 1, "moved_to": target_name, "at": int(clock.now())}, held)
    return True
