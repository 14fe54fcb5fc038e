"""The SQL store's database as an Airflow connection names it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy
from cryptography.fernet import Fernet

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable
from airflow_provider_tiktokshop.auth.stores.sql import SqlStore
from airflow_provider_tiktokshop.hooks.wiring import open_token_store
from airflow_provider_tiktokshop.testing.store_conformance import KEY, VALUE


@pytest.fixture
def opened(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the store of a PostgreSQL connection with an extra."""

    def open_with(**extra: Any) -> SqlStore:
        url = sqlalchemy.engine.make_url(postgres_url)
        connection = {
            "conn_type": "postgres",
            "host": url.host,
            "port": url.port,
            "login": url.username,
            "password": url.password or "hunter2",
            "schema": url.database,
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_TOKENS_DB", json.dumps(connection))
        monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE_CONN_ID", "tokens_db")
        monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE_KEY", Fernet.generate_key().decode())
        with sqlalchemy.create_engine(postgres_url).begin() as database:
            database.execute(sqlalchemy.text("drop table if exists tiktokshop_records"))
        store = open_token_store("sql")
        assert isinstance(store, SqlStore)
        return store

    return open_with


@pytest.mark.parametrize("extra", [{}, {"sslmode": "disable"}, {"sqlalchemy_driver": "postgresql+psycopg"}])
def test_a_connection_of_airflow_is_all_that_it_takes(opened: Any, extra: dict[str, str]) -> None:
    store = opened(**extra)

    store.write(KEY, VALUE)

    assert store.read(KEY).value == VALUE


@pytest.mark.parametrize("driver", ["postgresql+psycopg2", "postgresql+psycopg"])
def test_a_connection_that_must_be_encrypted_is_never_a_plain_one(opened: Any, driver: str) -> None:
    # This server has no certificate. Without the demand it would be talked to in the clear.
    with pytest.raises(StoreUnavailable, match="did not read"):
        opened(sslmode="require", sqlalchemy_driver=driver).read(KEY)


def test_a_demand_for_encryption_that_cannot_be_passed_on_is_refused(opened: Any) -> None:
    with pytest.raises(ConfigurationError, match="ssl_context.*might travel unencrypted"):
        opened(ssl_context={"verify": True}).read(KEY)


@pytest.mark.parametrize("driver", ["postgresql+pg8000", "postgresql+nonsense", "no such thing"])
def test_a_driver_that_is_not_installed_is_named(opened: Any, driver: str) -> None:
    with pytest.raises(ConfigurationError, match="not installed") as caught:
        opened(sqlalchemy_driver=driver).read(KEY)

    assert "hunter2" not in str(caught.value)
