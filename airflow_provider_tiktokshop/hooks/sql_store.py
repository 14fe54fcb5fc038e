"""Opens the ``sql`` token store: the engine from an Airflow connection, the cipher from airflow.cfg."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop import config
from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher
from airflow_provider_tiktokshop.auth.stores.sql_engine import store_engine
from airflow_provider_tiktokshop.hooks.wiring import find_connection

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

    from airflow_provider_tiktokshop.hooks.connection import ConnectionLike

__all__ = ["open_sql_store"]

# Of a connection's extra, what the database's driver must be told. Left out, an encrypted connection would become a plain one.
_TOLD = {
    "postgresql": (
        *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "ssl_min_protocol_version"),
        *("gssencmode", "channel_binding", "options", "application_name", "connect_timeout", "target_session_attrs"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    ),
    "mysql": ("ssl_mode", "ssl_ca", "ssl_cert", "ssl_key", "charset", "unix_socket", "connect_timeout"),
}
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
        from sqlalchemy.exc import ArgumentError

        url = _url(conn_id, find_connection(conn_id))
        try:
            return store_engine(url)
        except (ImportError, ArgumentError):
            raise ConfigurationError(
                f"Connection {conn_id!r} needs the driver {url.drivername!r}, which is not installed.",
                advice="Install it (psycopg2-binary, mysqlclient), or name one that is in the connection's extra: "
                '{"sqlalchemy_driver": "postgresql+psycopg"}.',
            ) from None

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
        query=_told(conn_id, driver.partition("+")[0], extra),
    )


def _told(conn_id: str, backend: str, extra: dict[str, Any]) -> dict[str, str]:
    """Return what of a connection's extra goes to the driver."""
    known = _TOLD.get(backend, ())
    # Airflow's MySQL connections hold certificates in an object of their own.
    if backend == "mysql" and isinstance(extra.get("ssl"), dict):
        extra = {**extra, **{f"ssl_{name}": value for name, value in extra["ssl"].items()}}
        del extra["ssl"]
    if unheard := [name for name in extra if name.startswith(("ssl", "gss")) and name not in known]:
        raise ConfigurationError(
            f"Connection {conn_id!r} asks for {', '.join(sorted(unheard))}, which the token store cannot pass on: without it the "
            "tokens might travel unencrypted.",
            advice=f"Use {', '.join(name for name in known if name.startswith('ssl')) or 'no such option'}.",
        )
    return {name: str(extra[name]) for name in known if extra.get(name) not in {None, ""}}
