"""Opens the ``sql`` token store: the engine from an Airflow connection, the cipher from airflow.cfg."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop import config
from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher
from airflow_provider_tiktokshop.auth.stores.sql_engine import store_engine
from airflow_provider_tiktokshop.hooks.wiring import find_connection

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

    from airflow_provider_tiktokshop.hooks.connection import ConnectionLike

__all__ = ["open_sql_store"]

_DRIVERS = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "sqlite": "sqlite"}


def open_sql_store() -> SqlStore:
    """Return the store in the database that ``[tiktokshop] token_store_conn_id`` names.

    :raises ConfigurationError: the connection or the key is missing or cannot be used.
    """
    conn_id = config.token_store_conn_id()
    if conn_id is None:
        raise ConfigurationError(
            "token_store is sql, but no database is named.",
            advice="Set [tiktokshop] token_store_conn_id to an Airflow connection of a PostgreSQL or MySQL database.",
        )

    def engine() -> Engine:
        return store_engine(_url(conn_id, find_connection(conn_id)))

    return SqlStore(engine, fernet_cipher(config.token_store_key()))


def _url(conn_id: str, connection: ConnectionLike) -> URL:
    """Return the database's address. No database hook is asked for it: their packages need not be installed."""
    from sqlalchemy.engine import URL

    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = {}
    driver = extra.get("sqlalchemy_driver") or _DRIVERS.get(connection.conn_type or "")
    if driver is None:
        raise ConfigurationError(
            f"Connection {conn_id!r} has type {connection.conn_type!r}, which is not a database that keeps tokens.",
            advice='Use postgres, mysql or sqlite, or name the driver in its extra: {"sqlalchemy_driver": "postgresql+psycopg"}.',
        )
    if driver.startswith("sqlite"):
        # Airflow's sqlite connections hold the file's path in host.
        return URL.create(driver, database=connection.host or connection.schema)
    return URL.create(
        driver,
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
    )
