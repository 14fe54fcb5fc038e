"""Token stores for ``[tiktokshop] token_store`` in tests: one that outlives a task object, and one that breaks."""

from __future__ import annotations

from typing import Any

from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, TokenStore
from airflow_provider_tiktokshop.auth.stores.memory import MemoryStore

SHARED = "tests.support.shared_store.shared_store"
BROKEN = "tests.support.shared_store.BrokenStore"
STORE = MemoryStore()


def shared_store() -> MemoryStore:
    """Return the one store of this process."""
    return STORE


class BrokenStore(TokenStore):
    """Fails like foreign code does: with an exception of its own whose text holds a secret."""

    def read(self, key: RecordKey) -> Snapshot:
        raise RuntimeError("postgresql://user:hunter2@db/airflow refused")

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
        raise RuntimeError("postgresql://user:hunter2@db/airflow refused")

    def ids(self, kind: RecordKind, app_key: str) -> tuple[str, ...] | None:
        raise RuntimeError("postgresql://user:hunter2@db/airflow refused")
