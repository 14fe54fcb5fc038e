"""A real Airflow in a directory of its own, on loopback only, that is gone when the test ends."""

from __future__ import annotations

import configparser
import contextlib
import json
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from cryptography.fernet import Fernet

from tests.support.airflow_api import AirflowApi
from tests.support.processes import ProcessFamily, clean_environment, free_port
from tests.support.waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATES = REPOSITORY / ".build" / "airflow-db"

API_SERVER = ("api-server",)
ALL = ("api-server", "scheduler", "dag-processor", "triggerer")

# Without --skip-serve-logs these listen on all addresses, for the logs of tasks on other machines.
SERVES_LOGS = ("scheduler", "triggerer")
HEALTH_NAME = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
START_TIMEOUT = 120.0


class StackFailed(Exception):
    """A component of Airflow ended, or something of it could be reached from outside."""


@dataclass(frozen=True)
class CliResult:
    """How an ``airflow`` command ended."""

    returncode: int
    output: str


class Component:
    """One of Airflow's processes, with what faults need: stop, start again on the same port, freeze, thaw."""

    def __init__(self, stack: AirflowStack, name: str) -> None:
        self.name = name
        self.log = stack.home / "logs" / "components" / f"{name}.log"
        self._stack = stack
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def launch(self) -> None:
        """Start the process and return at once."""
        command = [self.name]
        if self.name in SERVES_LOGS:
            command.append("--skip-serve-logs")
        self._child = self._stack.family.start(
            self.name, self._stack.airflow(*command), env=self._stack.env, cwd=self._stack.home, log=self.log
        )

    def start(self) -> None:
        """Start the process and wait until it is healthy."""
        self.launch()
        self._stack.wait_healthy([self])

    def stop(self, *, grace: float = 5.0) -> None:
        """End the process and all that it started."""
        self._stack.family.stop(self.name, grace=grace)
        self._child = None

    def freeze(self) -> None:
        """Stop the clock for the process (SIGSTOP): connections are accepted and never answered."""
        self._stack.family.signal(signal.SIGSTOP, self.name)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._stack.family.signal(signal.SIGCONT, self.name)

    def tail(self, lines: int = 40) -> str:
        """Return the end of what the process printed."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"--- {self.name} ({self.log})\n" + "\n".join(text.splitlines()[-lines:])


class AirflowStack:
    """Airflow's components over a fresh metadata database; a context manager.

    :param dags: a folder of DAG files, or several
    :param components: what to start. ``API_SERVER`` is all that :meth:`dags_test_use_executor` needs; ``ALL`` is a whole
        Airflow with scheduler, dag-processor and triggerer
    :param python: the interpreter of the environment to run, by default this one
    :param sql_alchemy_conn: the metadata database, by default SQLite in the home
    :param config: more of airflow.cfg: ``{section: {option: value}}``
    :param env: more environment for every process, for example ``AIRFLOW_CONN_…``
    :param home: use this directory as AIRFLOW_HOME and leave it behind; by default a temporary one that is removed
    """

    def __init__(
        self,
        dags: Path | Sequence[Path],
        *,
        components: Sequence[str] = ALL,
        python: str | Path = sys.executable,
        sql_alchemy_conn: str | None = None,
        config: Mapping[str, Mapping[str, str]] | None = None,
        env: Mapping[str, str] | None = None,
        home: Path | None = None,
    ) -> None:
        self._temporary = home is None
        self.home = Path(tempfile.mkdtemp(prefix="airflow-")) if home is None else home.resolve()
        self.python = str(python)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.env = clean_environment() | {"AIRFLOW_HOME": str(self.home)} | dict(env or {})
        self.api = AirflowApi(self.url)
        self.family = ProcessFamily()
        self._sql_alchemy_conn = sql_alchemy_conn or f"sqlite:///{self.home}/airflow.db"
        self._components = {name: Component(self, name) for name in components}
        (self.home / "logs" / "components").mkdir(parents=True, exist_ok=True)
        self._write_config([dags] if isinstance(dags, Path) else list(dags), config or {})

    @property
    def api_server(self) -> Component:
        return self._components["api-server"]

    @property
    def scheduler(self) -> Component:
        return self._components["scheduler"]

    def __enter__(self) -> AirflowStack:
        try:
            self._create_database()
            for component in self._components.values():
                component.launch()
            self.wait_healthy(list(self._components.values()))
            self.check_listeners()
        except BaseException:
            self.stop(failed=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(failed=error is not None)

    def stop(self, *, failed: bool = False) -> None:
        """End every process that this Airflow started, directly or not.

        :param failed: print the end of every component's log
        """
        self.family.stop()
        if failed:
            for component in self._components.values():
                print(component.tail(), file=sys.stderr)
        if self._temporary:
            shutil.rmtree(self.home, ignore_errors=True)

    def wait_healthy(self, components: Sequence[Component], *, timeout: float = START_TIMEOUT) -> None:
        """Wait until the components say that they are healthy.

        :raises StackFailed: one of them ended
        """

        def healthy() -> bool:
            for component in components:
                if not component.running:
                    raise StackFailed(f"{component.name} ended\n{component.tail()}")
            health = self.api.health()
            wanted = [HEALTH_NAME[component.name] for component in components if component.name in HEALTH_NAME]
            return bool(health or not components) and all(health.get(name) == "healthy" for name in wanted)

        def state() -> str:
            return f"health: {self.api.health()}\n" + "\n".join(component.tail() for component in components)

        wait_until(healthy, timeout=timeout, what=state, interval=0.2)

    def check_listeners(self) -> None:
        """Check that nothing of this Airflow can be reached from another machine.

        :raises StackFailed: a process listens beyond loopback
        """
        open_to_all = [listener for listener in self.family.listeners() if not listener.on_loopback]
        if open_to_all:
            raise StackFailed(f"listening beyond loopback: {open_to_all}")

    def airflow(self, *arguments: str) -> list[str]:
        """Return the command line of an ``airflow`` command in this environment."""
        return [self.python, "-m", "airflow", *arguments]

    def cli(self, *arguments: str, timeout: float = 120, env: Mapping[str, str] | None = None) -> CliResult:
        """Run an ``airflow`` command to its end.

        :param timeout: seconds, after which it is killed with all that it started
        :raises subprocess.TimeoutExpired: it took longer
        """
        name = f"cli-{secrets.token_hex(4)}"
        log = self.home / "logs" / "components" / f"{name}.log"
        try:
            child = self.family.start(
                name, self.airflow(*arguments), env={**self.env, **(env or {})}, cwd=self.home, log=log
            )
            returncode = child.wait(timeout)
        finally:
            self.family.stop(name, grace=0)
        return CliResult(returncode, log.read_text(errors="replace"))

    def dags_test_use_executor(
        self,
        dag_id: str,
        *,
        logical_date: datetime | None = None,
        conf: Mapping[str, object] | None = None,
        timeout: float = 180,
        env: Mapping[str, str] | None = None,
    ) -> CliResult:
        """Run one DAG through the executor, as faithful as production at a fraction of its cost.

        Tasks run under the supervisor and reach Airflow through the api-server only; there is no scheduler. Nothing
        runs triggers, so a task that defers waits for ever.

        :param logical_date: by default now; it finds the run again in ``api.runs``
        :param timeout: seconds
        """
        moment = (logical_date or datetime.now(UTC)).isoformat()
        options = ["--conf", json.dumps(conf)] if conf else []
        return self.cli("dags", "test", "--use-executor", *options, dag_id, moment, timeout=timeout, env=env)

    def _write_config(self, dags: Sequence[Path], more: Mapping[str, Mapping[str, str]]) -> None:
        # In airflow.cfg rather than in the environment, so that whoever sets AIRFLOW_HOME gets the same Airflow.
        port = self.url.rpartition(":")[2]
        # `dags test --use-executor` knows only one bundle, the DAGs folder: several folders are gathered in one.
        if len(dags) == 1:
            folder = dags[0].resolve()
        else:
            folder = self.home / "dags"
            folder.mkdir(exist_ok=True)
            for number, path in enumerate(dags):
                link = folder / f"{number}_{path.name}"
                link.unlink(missing_ok=True)
                link.symlink_to(path.resolve(), target_is_directory=True)
        settings: dict[str, dict[str, str]] = {
            "core": {
                "dags_folder": str(folder),
                "execution_api_server_url": f"{self.url}/execution/",
                "executor": "LocalExecutor",
                "fernet_key": Fernet.generate_key().decode(),
                "load_examples": "False",
                "parallelism": "4",
                "simple_auth_manager_all_admins": "True",
            },
            "api": {
                "base_url": self.url,
                "host": "127.0.0.1",
                "port": port,
                "secret_key": secrets.token_hex(16),
                "workers": "1",
            },
            "api_auth": {"jwt_secret": secrets.token_hex(32)},
            "dag_processor": {
                "bundle_refresh_check_interval": "1",
                "min_file_process_interval": "5",
                "refresh_interval": "1",
            },
            "database": {"sql_alchemy_conn": self._sql_alchemy_conn},
            "logging": {"base_log_folder": str(self.home / "logs")},
            "scheduler": {"scheduler_idle_sleep_time": "0.2"},
            "usage_data_collection": {"enabled": "False"},
        }
        for section, options in more.items():
            settings.setdefault(section, {}).update(options)
        parser = configparser.RawConfigParser()
        # Airflow's own parser interpolates %.
        parser.read_dict({name: {k: v.replace("%", "%%") for k, v in part.items()} for name, part in settings.items()})
        config = self.home / "airflow.cfg"
        config.touch(mode=0o600)
        with config.open("w") as file:
            parser.write(file)

    def _create_database(self) -> None:
        if not self._sql_alchemy_conn.startswith("sqlite:///"):
            self._migrate()
            return
        # Migrating takes longer than anything else here and always gives the same, so it is done once per version.
        template = TEMPLATES / f"{self._airflow_version()}.db"
        database = Path(self._sql_alchemy_conn.removeprefix("sqlite:///"))
        if not template.exists():
            self._migrate()
            template.parent.mkdir(parents=True, exist_ok=True)
            copy = template.with_suffix(f".{secrets.token_hex(4)}")
            _copy_sqlite(database, copy)
            copy.replace(template)
        elif not database.exists():
            _copy_sqlite(template, database)

    def _migrate(self) -> None:
        result = self.cli("db", "migrate")
        if result.returncode:
            raise StackFailed(f"airflow db migrate failed\n{result.output}")

    def _airflow_version(self) -> str:
        code = "from importlib.metadata import version; print(version('apache-airflow-core'))"
        return subprocess.run(
            [self.python, "-c", code], env=self.env, check=True, capture_output=True, text=True
        ).stdout.strip()


def _copy_sqlite(source: Path, target: Path) -> None:
    # SQLite's own copy takes along what still sits in a write-ahead log.
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)
