"""The private PostgreSQL that other tests build on."""

from __future__ import annotations

import psutil
import sqlalchemy

from tests.support.postgres import PrivatePostgres


def test_the_database_answers_at_its_url(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select 6 * 7")).scalar() == 42
    engine.dispose()


def test_the_server_and_its_files_are_gone_afterwards() -> None:
    with PrivatePostgres() as server:
        assert server._server
        pid, directory = server._server.pid, server._directory
        addresses = {c.laddr[0] for c in psutil.Process(pid).net_connections() if c.status == psutil.CONN_LISTEN}
        assert addresses == {"127.0.0.1"}

    assert not psutil.pid_exists(pid)
    assert not directory.exists()
