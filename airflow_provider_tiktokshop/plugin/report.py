"""Gathers what the status page shows: metadata of every authorization of every app, never a secret."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_tiktokshop import config
from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.hooks.connection import CONN_TYPE, read_connection
from airflow_provider_tiktokshop.hooks.wiring import AppWiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.connection import ConnectionLike

T = TypeVar("T")

__all__ = ["AppReport", "app_reports"]

log = logging.getLogger(__name__)

# Rows on the page: whoever needs a person comes first, and the headline counts everybody.
MOST = 200
# Behind a secrets backend each record is a request of its own; a page must not hold a server thread for a minute.
PATIENCE = 15.0
AT_A_TIME = 100
_ENV_PREFIX = "AIRFLOW_CONN_"


@dataclass(slots=True)
class AppReport:
    """One app connection and its authorizations.

    :param authorizations: as :meth:`Authorization.public` gives them, with ``history``; those that need a person first.
    :param total: how many there are; more than ``authorizations`` holds where there are very many.
    :param counts: how many of them there are of each status.
    :param unread: how many could not be read in the time that a page has.
    :param problem: why nothing can be shown, in words for a person; ``None`` when all is well.
    """

    conn_ids: list[str]
    app_key: str = ""
    market: str = ""
    app_type: str = ""
    seeded: bool = False
    authorizations: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    problem: str | None = None
    warnings: tuple[str, ...] = ()


def app_reports() -> list[AppReport]:
    """Return a report for each app that a connection of the metadata database or the environment names.

    Connections of a secrets backend are not listed: backends cannot enumerate them.
    """
    reports: dict[str, AppReport] = {}
    for connection in _connections():
        report = AppReport([connection.conn_id or "?"])
        wiring = _guarded(report, lambda connection=connection: _wire(connection))  # type: ignore[misc]
        known = reports.get(f"{wiring.app.app_key} {wiring.app.issuer}") if wiring is not None else None
        if known is not None:
            # Two connections may name one app; its authorizations are the same.
            known.conn_ids.append(*report.conn_ids)
            continue
        if wiring is None:
            reports[f"?{report.conn_ids[0]}"] = report
            continue
        _guarded(report, lambda report=report, wiring=wiring: _fill(report, wiring))  # type: ignore[misc]
        reports[f"{wiring.app.app_key} {wiring.app.issuer}"] = report
    return list(reports.values())


def _wire(connection: ConnectionLike) -> AppWiring:
    return AppWiring(read_connection(connection, allowed_hosts=config.allowed_hosts()))


def _fill(report: AppReport, wiring: AppWiring) -> None:
    app = wiring.app
    report.app_key, report.market, report.app_type = app.app_key, app.market, app.app_type
    report.seeded = wiring.connection.seed is not None
    report.warnings = wiring.connection.warnings
    ids = wiring.authorizations.ids()
    report.total = report.unread = len(ids)
    deadline = time.monotonic() + PATIENCE
    first: list[Authorization] = []
    counts: Counter[str] = Counter()
    for part in wiring.authorizations.parts(ids, AT_A_TIME):
        report.unread = max(0, report.unread - AT_A_TIME)
        counts.update(str(authorization.status) for authorization in part)
        # Of ten thousand only as many are kept as are shown.
        first = sorted([*first, *part], key=_urgency)[:MOST]
        if time.monotonic() > deadline:
            break
    report.counts = dict(counts)
    report.authorizations = [{**one.public(), "history": list(one.history)} for one in first]


def _urgency(authorization: Authorization) -> tuple[bool, bool, int, str]:
    status = authorization.status
    return not status.needs_person, status.usable, authorization.access_expires_at or 0, authorization.open_id


def _guarded(report: AppReport, work: Callable[[], T]) -> T | None:
    """Do something for a report; where it fails, the report says why."""
    try:
        return work()
    except TikTokShopError as error:
        report.problem = str(error)
    except Exception:
        # The text of a foreign exception may hold anything; the server's log may have it, the page may not.
        log.exception("The status of connection %s cannot be shown", report.conn_ids[0])
        report.problem = "Something unexpected went wrong. The api-server's log has the details."
    return None


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
