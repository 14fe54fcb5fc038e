"""A real Airflow in a directory of its own, on loopback only, that is gone when the test ends."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from tests.support.airflow_api import AirflowApi
from tests.support.airflow_home import REPOSITORY, keep_migrated_sqlite, take_migrated_sqlite, write_config
from tests.support.processes import ProcessFamily, clean_environment, free_port
from tests.support.waiting import DeadlinePassed, wait_until

__all__ = ["ALL", "API_SERVER", "REPOSITORY", "AirflowStack", "CliResult", "Component", "StackFailed"]

API_SERVER = ("api-server",)
ALL = ("api-server", "scheduler", "dag-processor", "triggerer")

# Without --skip-serve-logs these listen on all addresses, for the logs of tasks on other machines.
SERVES_LOGS = ("scheduler", "triggerer")
HEALTH_NAME = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
START_TIMEOUT = 120.0
SHUTDOWN_TIMEOUT = 20.0


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
        folders = [dags] if isinstance(dags, Path) else list(dags)
        write_config(self.home, self.url, self._sql_alchemy_conn, folders, config or {})

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
        except BaseException as error:
            self.stop(failed=isinstance(error, Exception))
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop(failed=isinstance(error, Exception))

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

    def wait_until_let_go(self, dag_id: str, run_id: str, task_id: str, *, timeout: float = 60) -> None:
        """Wait until the scheduler knows that a task which deferred has left its worker.

        Airflow before 3.3 takes a task for killed whose trigger fires before that (its scheduler then finds it scheduled
        again while it learns that the worker is done), and fails it.
        """
        key = f"TaskInstanceKey(dag_id='{dag_id}', task_id='{task_id}', run_id='{run_id}'"

        def told() -> bool:
            lines = self.scheduler.log.read_text(errors="replace").splitlines()
            return any("Received executor event" in line and key in line for line in lines)

        wait_until(told, timeout=timeout, what=lambda: f"news of {dag_id}.{task_id}\n{self.scheduler.tail()}")

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
        :raises StackFailed: it took longer; the message holds the end of what it printed
        """
        return self._cli(arguments, timeout, env, lambda _: None)

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
        :raises StackFailed: it took longer; the message holds the end of what it printed
        """
        moment = (logical_date or datetime.now(UTC)).isoformat()
        options = ["--conf", json.dumps(conf)] if conf else []

        def finished(output: str) -> int | None:
            states = re.findall(rf"DagRun Finished: dag_id={re.escape(dag_id)}, .*? state=(\w+)", output)
            return None if not states else int(states[-1] != "success")

        arguments = ("dags", "test", "--use-executor", *options, dag_id, moment)
        return self._cli(arguments, timeout, env, finished)

    def _cli(
        self,
        arguments: Sequence[str],
        timeout: float,
        env: Mapping[str, str] | None,
        finished: Callable[[str], int | None],
    ) -> CliResult:
        """Run a command; ``finished`` reads the return code from its output once its work is done."""
        name = f"cli-{secrets.token_hex(4)}"
        log = self.home / "logs" / "components" / f"{name}.log"
        child = self.family.start(
            name, self.airflow(*arguments), env={**self.env, **(env or {})}, cwd=self.home, log=log
        )

        def output() -> str:
            return log.read_text(errors="replace")

        def ended() -> bool:
            return child.poll() is not None

        def done() -> bool:
            return ended() or finished(output()) is not None

        def state() -> str:
            return "\n".join([f"the end of airflow {' '.join(arguments)}", *output().splitlines()[-40:]])

        try:
            wait_until(done, timeout=timeout, what=state)
            # Airflow 3.1's executor now and then waits for ever for its idle workers, when all is done.
            with contextlib.suppress(DeadlinePassed):
                wait_until(ended, timeout=SHUTDOWN_TIMEOUT, what="shutdown")
        except DeadlinePassed as late:
            raise StackFailed(str(late)) from None
        finally:
            returncode = child.poll()
            self.family.stop(name, grace=0)
        text = output()
        return CliResult(finished(text) or 0 if returncode is None else returncode, text)

    def _create_database(self) -> None:
        if not self._sql_alchemy_conn.startswith("sqlite:///"):
            self._migrate()
            return
        # Migrating takes longer than anything else here and always gives the same, so it is done once per version.
        version = self._airflow_version()
        database = Path(self._sql_alchemy_conn.removeprefix("sqlite:///"))
        if not take_migrated_sqlite(database, version):
            self._migrate()
            keep_migrated_sqlite(database, version)

    def _migrate(self) -> None:
        result = self.cli("db", "migrate")
        if result.returncode:
            raise StackFailed(f"airflow db migrate failed\n{result.output}")

    def _airflow_version(self) -> str:
        code = "from importlib.metadata import version; print(version('apache-airflow-core'))"
        return subprocess.run(
            [self.python, "-c", code], env=self.env, check=True, capture_output=True, text=True
        ).stdout.strip()
