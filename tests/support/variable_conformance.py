"""The conformance suite for the Variable store: where it runs, Airflow's Variables must be reachable."""

from __future__ import annotations

import os
import secrets
from typing import Any

import pytest

from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind
from airflow_provider_tiktokshop.auth.stores.airflow_variables import VariableStore, in_task
from airflow_provider_tiktokshop.auth.stores.base import Snapshot
from airflow_provider_tiktokshop.testing.store_conformance import TokenStoreConformance

__all__ = ["ARGUMENTS", "TestVariableStore"]

# For a pytest of its own, in a process of a real Airflow: our configuration and conftest would make it another Airflow's.
ARGUMENTS = ("-q", "-c", os.devnull, "--noconftest", "-p", "no:cacheprovider", "--import-mode=importlib", __file__)


class OneCorner(VariableStore):
    """A Variable store in which this test's records lie apart from all others: each test asks for an empty store."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(4)

    def read(self, key: RecordKey) -> Snapshot:
        return super().read(self._apart(key))

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
        return super().write(self._apart(key), value, expected)

    def ids(self, kind: RecordKind, app_key: str) -> tuple[str, ...] | None:
        return super().ids(kind, f"{self._mark}{app_key}")

    def _apart(self, key: RecordKey) -> RecordKey:
        return key._replace(app_key=f"{self._mark}{key.app_key}")


class TestVariableStore(TokenStoreConformance):
    """Every promise of a token store that is not strict."""

    @pytest.fixture
    def store(self) -> VariableStore:
        return OneCorner()

    def test_it_runs_where_it_is_meant_to(self) -> None:
        """Through the Task SDK in a task, through Airflow's models outside of one."""
        assert in_task() is ("CONFORMANCE_IN_TASK" in os.environ)
