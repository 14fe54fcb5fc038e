"""Token stores in which two rotation tasks meet, so that they overlap in the worst way that the protocol allows.

Both have read the same record before either goes on, and both are about to write their intent before either does; then one
writes after the other. The directory in the environment, ``MEETING``, says which store it is and whether they meet.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from airflow_provider_tiktokshop.auth.stores.airflow_variables import VariableStore
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, TokenStore

ARRANGED = "tests.support.meeting_store.arranged"
VARIABLES, SQL = "variables", "sql"
PATIENCE = 100.0


class MeetingStore(TokenStore):
    """Waits for the other task before the first read of a rotated record and before the first intent."""

    def __init__(self, inner: TokenStore, directory: Path) -> None:
        self.inner = inner
        self.strict = inner.strict  # type: ignore[misc]
        self._directory = directory
        self._met: set[str] = set()

    def read(self, key: Any) -> Snapshot:
        if key.kind == "rotated":
            self._meet("read")
        return self.inner.read(key)

    def ids(self, kind: Any, app_key: str) -> tuple[str, ...] | None:
        return self.inner.ids(kind, app_key)

    def write(self, key: Any, value: dict[str, Any], expected: Any = None) -> Snapshot:
        if key.kind != "rotated" or not value.get("intent") or "intent" in self._met:
            return self.inner.write(key, value, expected)
        self._meet("intent")
        first = self._directory / "first"
        mine = min(path.name for path in self._directory.glob("intent-*")) == f"intent-{os.getpid()}"
        if not mine:
            self._wait(first.exists)
        try:
            return self.inner.write(key, value, expected)
        finally:
            if mine:
                first.touch()

    def _meet(self, where: str) -> None:
        if where in self._met:
            return
        self._met.add(where)
        (self._directory / f"{where}-{os.getpid()}").touch()
        self._wait(lambda: len(list(self._directory.glob(f"{where}-*"))) == 2)

    @staticmethod
    def _wait(condition: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the other rotation did not come")
            time.sleep(0.01)


def arrange(directory: Path, store: str, *, together: bool) -> None:
    """Decide which store the next rotations use, and whether two of them wait for each other.

    :param directory: what ``MEETING`` names
    :param store: ``VARIABLES`` or ``SQL``
    """
    place = directory / f"{store}-meeting"
    if together:
        place.mkdir()
    plan = directory / "plan.json"
    plan.with_suffix(".new").write_text(json.dumps({"store": store, "meeting": str(place) if together else None}))
    plan.with_suffix(".new").replace(plan)


def arranged() -> TokenStore:
    """Return the store that was arranged, with a meeting in it if one was."""
    plan = json.loads((Path(os.environ["MEETING"]) / "plan.json").read_text())
    if plan["store"] == SQL:
        from airflow_provider_tiktokshop.hooks.sql_store import open_sql_store

        store: TokenStore = open_sql_store()
    else:
        store = VariableStore()
    return MeetingStore(store, Path(plan["meeting"])) if plan["meeting"] else store
