"""Child processes that are certain to be gone afterwards, and that listen where they should."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.waiting import DeadlinePassed, wait_until

MARK = "AIRFLOW_STACK_MARK"
LOOPBACK = ("127.", "::1", "::ffff:127.")


@dataclass(frozen=True)
class Listener:
    """An open port of one of our processes."""

    pid: int
    command: str
    host: str
    port: int

    @property
    def on_loopback(self) -> bool:
        return self.host.startswith(LOOPBACK)


class ProcessFamily:
    """Every process that descends from the ones started here, wherever it went.

    Airflow's components fork, open sessions and process groups of their own, and outlive one another: neither parent
    links nor process groups find all of them. What they all inherit is their environment, so that carries a mark.
    """

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex
        self._children: list[subprocess.Popen[bytes]] = []

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a child in a session of its own: Ctrl-C reaches us and not it, so that we decide how it ends.

        :param name: names this child's branch of the family for :meth:`members`
        :param log: receives stdout and stderr, appended
        """
        # setproctitle would write titles over the environment that the mark is read from.
        marked = {**env, MARK: f"{self._mark}/{name}", "SPT_NOENV": "1"}
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                env=marked,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children.append(child)
        return child

    def members(self, name: str | None = None) -> list[psutil.Process]:
        """Return the living processes of one branch, or of the whole family."""
        wanted = f"{self._mark}/{name or ''}"
        for child in self._children:
            child.poll()  # reaps it, so that it does not count as alive
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                mark = process.environ().get(MARK, "")
                belongs = mark == wanted if name else mark.startswith(wanted)
                if belongs and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def signal(self, number: signal.Signals, name: str | None = None) -> None:
        """Send a signal to every living process of a branch or of the family."""
        for process in self.members(name):
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)

    def stop(self, name: str | None = None, *, grace: float = 5.0) -> None:
        """End a branch or the family: politely first, and whatever is left after ``grace`` seconds by force.

        Children are told before their grandchildren, which they are to take along.
        """
        with uninterrupted():
            self.signal(signal.SIGCONT, name)
            for process in self.members(name):
                with contextlib.suppress(psutil.Error):
                    if any(child.pid == process.pid for child in self._children):
                        process.terminate()
            with contextlib.suppress(DeadlinePassed):
                wait_until(lambda: not self.members(name), timeout=grace, what="the end")

            def killed() -> bool:
                self.signal(signal.SIGKILL, name)
                return not self.members(name)

            wait_until(killed, timeout=10, what=lambda: f"the end of killed processes {self.members(name)}")

    def listeners(self) -> list[Listener]:
        """Return every port on which the family accepts connections."""
        found = []
        for process in self.members():
            with contextlib.suppress(psutil.Error):
                for connection in process.net_connections(kind="inet"):
                    udp = connection.type == socket.SOCK_DGRAM and not connection.raddr
                    if connection.status == psutil.CONN_LISTEN or udp:
                        host, port = connection.laddr
                        found.append(Listener(process.pid, " ".join(process.cmdline())[:200], host, port))
        return found


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a second Ctrl-C not interrupt the clearing up after the first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would change how Airflow behaves.

    An Airflow that the user set up on this machine must neither be touched nor decide a test's outcome.
    """
    unwanted = ("AIRFLOW", "_AIRFLOW", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "COVERAGE", MARK)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    # A proxy for the outside world must not see what goes to loopback.
    return kept | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
