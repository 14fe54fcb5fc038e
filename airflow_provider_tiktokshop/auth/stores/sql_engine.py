"""The engine that suits the SQL token store: no transaction where one statement is all, few round trips, one SQLite writer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

__all__ = ["store_engine"]

# A pooled connection that was in use this recently is taken to be alive; an older one is asked first.
_FRESH_FOR = 5.0


def store_engine(url: URL | str, *, pool_size: int = 16) -> Engine:
    """Return an engine that suits the store: every operation is one statement, so nothing needs a transaction.

    :param url: an SQLAlchemy URL.
    :param pool_size: connections kept open; as many operations run at a time. SQLite has one writer at a time anyway.
    """
    from sqlalchemy import create_engine, event
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import DisconnectionError
    from sqlalchemy.pool import QueuePool

    sqlite = make_url(url).get_backend_name() == "sqlite"
    options: dict[str, Any] = {"pool_size": 1 if sqlite else pool_size}
    if sqlite:
        # Another process may be writing: wait for it rather than fail.
        options["connect_args"] = {"timeout": 30, "check_same_thread": False}
    # Threads wait for a connection rather than open more: a burst of them would cost more than it brings.
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=QueuePool, max_overflow=0, **options)

    failed_at = float("-inf")

    def note(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    def suspect(_connection: Any, _record: Any, _error: Any) -> None:
        # What ended one connection, a restart of the database perhaps, may well have ended all that were open then.
        nonlocal failed_at
        failed_at = time.monotonic()

    def prove(connection: Any, record: Any, _proxy: Any) -> None:
        used_at = record.info["used_at"]
        if used_at > failed_at and time.monotonic() - used_at < _FRESH_FOR:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except Exception:  # noqa: BLE001 - each driver has its own
            alive = False
        if not alive:
            raise DisconnectionError("the database closed this connection")

    def begin_with(connection: Any, _record: Any) -> None:
        # One fsync for each write instead of several. Where a file system cannot do it, SQLite stays as it was.
        cursor = connection.cursor()
        cursor.execute("pragma journal_mode = wal")
        cursor.execute("pragma synchronous = full")
        cursor.close()

    event.listen(engine, "connect", note)
    event.listen(engine, "checkin", note)
    event.listen(engine, "invalidate", suspect)
    event.listen(engine, "checkout", prove)
    if sqlite:
        event.listen(engine, "connect", begin_with)
    return engine
