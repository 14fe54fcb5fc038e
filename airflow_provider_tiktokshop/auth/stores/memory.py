"""A store in this process's memory, for tests and plain scripts that keep their tokens elsewhere."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.auth.stores.base import Snapshot, TokenStore

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind

__all__ = ["MemoryStore"]


class MemoryStore(TokenStore):
    """Last writer wins, as with Airflow Variables. What it holds ends with the process."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def read(self, key: RecordKey) -> Snapshot:
        """Return the record, or a proven absence."""
        with self._lock:
            return Snapshot(copy.deepcopy(self.records.get(key.name)))

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:  # noqa: ARG002
        """Write the whole record."""
        with self._lock:
            self.records[key.name] = copy.deepcopy(value)
        return Snapshot(copy.deepcopy(value))

    def ids(self, kind: RecordKind, app_key: str) -> tuple[str, ...]:
        """Return the ids of one kind of record."""
        prefix = f"tiktokshop_{kind}__{app_key}__"
        with self._lock:
            return tuple(sorted(name.removeprefix(prefix) for name in self.records if name.startswith(prefix)))
