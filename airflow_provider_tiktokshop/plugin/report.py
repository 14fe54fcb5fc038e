"""Gathers what the status page shows: metadata of every authorization of every app, never a secret."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop import config
from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.hooks.connection import CONN_TYPE, read_connection
from airflow_provider_tiktokshop.hooks.wiring import AppWiring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.hooks.connection import ConnectionLike

__all__ = ["AppReport", "app_reports"]

log = logging.getLogger(__name__)

# Each authorization takes three reads of some milliseconds; a page must not hold a server thread for a minute.
MOST = 200
_ENV_PREFIX = "AIRFLOW_CONN_"


@dataclass(slots=True)
class AppReport:
    """One app connection and its authorizations.

    :param authorizations: as :meth:`Authorization.public` gives them, those that need a person first.
    :param total: how many there are; more than ``authorizations`` holds where there are very many.
    :param problem: why nothing can be shown, in words for a person; ``None`` when all is well.
    """

    conn_ids: list[str]
    app_key: str = ""
    market: str = ""
    app_type: str = ""
    seeded: bool = False
    authorizations: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    problem: str | None = None
    warnings: tuple[str, ...] = ()


def app_reports() -> list[AppReport]:
    """Return a report for each app that a connection of the metadata database or the environment names.

    Connections of a secrets backend are not listed: backends cannot enumerate them.
    """
    reports: dict[str, AppReport] = {}
    for connection in _connections():
        report = _report(connection)
        known = reports.get(report.app_key) if report.app_key else None
        if known is not None:
            # Two connections may name one app; its authorizations are the same.
            known.conn_ids.append(*report.conn_ids)
        else:
            reports[report.app_key or f"?{report.conn_ids[0]}"] = report
    return list(reports.values())


def _report(connection: ConnectionLike) -> AppReport:
    report = AppReport([connection.conn_id or "?"])
    try:
        wiring = AppWiring(read_connection(connection, allowed_hosts=config.allowed_hosts()))
        report.app_key, report.market, report.app_type = wiring.app.app_key, wiring.app.market, wiring.app.app_type
        report.seeded = wiring.connection.seed is not None
        report.warnings = wiring.app.warnings
        ids = wiring.authorizations.ids()
        report.total = len(ids)
        held = [found for id_ in ids[:MOST] if (found := wiring.authorizations.get(id_)) is not None]
        held.sort(key=lambda a: (not a.status.needs_person, a.status.usable, a.access_expires_at or 0))
        report.authorizations = [authorization.public() for authorization in held]
    except TikTokShopError as error:
        report.problem = str(error)
    except Exception:
        # The text of a foreign exception may hold anything; the server's log may have it, the page may not.
        log.exception("The status of connection %s cannot be shown", connection.conn_id)
        report.problem = "Something unexpected went wrong. The api-server's log has the details."
    return report


def _connections() -> Iterator[ConnectionLike]:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        stored = list(
            session.scalars(select(Connection).where(Connection.conn_type == CONN_TYPE).order_by(Connection.conn_id))
        )
        session.expunge_all()
    # The environment has precedence over the database, as everywhere in Airflow.
    environment = {(c.conn_id or "").lower(): c for c in _environment_connections()}
    for connection in stored:
        yield environment.pop(connection.conn_id.lower(), connection)
    yield from environment.values()


def _environment_connections() -> Iterator[ConnectionLike]:
    for name in sorted(os.environ):
        if name.startswith(_ENV_PREFIX):
            connection = _environment_connection(name.removeprefix(_ENV_PREFIX).lower())
            if connection is not None and connection.conn_type == CONN_TYPE:
                yield connection


def _environment_connection(conn_id: str) -> Any:
    from airflow.secrets.environment_variables import EnvironmentVariablesBackend

    try:
        return EnvironmentVariablesBackend().get_connection(conn_id)
    except Exception as error:  # noqa: BLE001 - somebody else's broken connection is no concern of this page
        log.debug("The connection %s of the environment cannot be read: %s", conn_id, type(error).__name__)
        return None
