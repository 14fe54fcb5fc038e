"""A private PostgreSQL: a cluster in a temporary directory, on a loopback port of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.processes import free_port
from tests.support.waiting import wait_until

# Debian's package would create and start a cluster for everybody on the machine; this file tells it not to.
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/no-cluster-for-tests.conf")


class PrivatePostgres:
    """A PostgreSQL server for the time of a ``with`` block; ``url`` is its SQLAlchemy URL.

    :param durable: let it wait for the disk, as in earnest; nothing of a test outlives it, but a measurement must not cheat.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.url = ""
        self._durable = durable
        self._directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PrivatePostgres:
        try:
            self._start(postgres_programs())
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server:
            self._server.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown: does not wait for clients
            try:
                self._server.wait(10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, programs: Path) -> None:
        import psycopg

        identity = server_identity()
        password, port = secrets.token_hex(16), free_port()
        data, log = self._directory / "data", self._directory / "log"
        password_file = self._directory / "password"
        password_file.write_text(password)
        if identity:
            shutil.chown(self._directory, identity["user"], identity["group"])
            shutil.chown(password_file, identity["user"])
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", "--username=test"]
        subprocess.run(
            [programs / "initdb", f"--pgdata={data}", f"--pwfile={password_file}", *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._directory,
            **identity,
        )
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "on" if self._durable else "off",
        }
        with log.open("wb") as output:
            self._server = subprocess.Popen(
                [programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                start_new_session=True,
                **identity,
            )
        server = self._server

        def answers() -> bool:
            if server.poll() is not None:
                raise RuntimeError(f"PostgreSQL ended: {log.read_text()}")
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(host="127.0.0.1", port=port, user="test", password=password, dbname="postgres").close()
                return True
            return False

        wait_until(answers, timeout=30, what=lambda: f"PostgreSQL: {log.read_text()}")
        self.url = f"postgresql+psycopg2://test:{password}@127.0.0.1:{port}/postgres"


def postgres_programs() -> Path:
    """Return the directory of ``initdb`` and ``postgres``; install Debian's package when there is none.

    :raises RuntimeError: there is no PostgreSQL, and this user may not install one
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError("these tests need PostgreSQL's server programs: install the package `postgresql`")
    NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_CLUSTER.write_text("create_main_cluster = false\n")
    try:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", "--quiet", *command], check=True, env=environment, stdout=subprocess.DEVNULL)
    finally:
        NO_CLUSTER.unlink()
    return postgres_programs()


def server_identity() -> dict[str, Any]:
    """Return the user to run the server as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
