"""What the Variable store tells of Airflow's failures. What it does with Variables is tested in a real Airflow."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow import settings
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

from airflow_provider_tiktokshop.auth.stores.airflow_variables import VariableStore, _asked
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable


def test_what_airflow_raised_is_neither_told_nor_kept_as_context() -> None:
    def write() -> None:
        raise ValueError('1 validation error: input_value={"access_token": "EMU_secret"}')

    with pytest.raises(StoreUnavailable, match="ValueError") as caught:
        _asked("write", "tiktokshop_rotated__key__id", write)

    assert "EMU_secret" not in str(caught.value)
    # An error tracker follows these, whatever the traceback hides.
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_nothing_asked_for_is_nothing_asked() -> None:
    assert VariableStore().read_many([]) == []


def test_outside_of_a_task_the_database_is_what_to_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A database that was never migrated, as on a machine where somebody has just installed Airflow.
    engine = create_engine(f"sqlite:///{tmp_path}/empty.db")
    monkeypatch.setattr(settings, "Session", scoped_session(sessionmaker(bind=engine)))

    with pytest.raises(StoreUnavailable, match="airflow db migrate"):
        VariableStore().ids("rotated", "key")
