"""A StatsD server on loopback that keeps what it is sent, and a way to lead this process's metrics there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

__all__ = ["metrics_to_statsd"]


class _Client:
    """As much of ``statsd.StatsClient`` as Airflow calls, for environments without that package."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = ("127.0.0.1", port)

    def incr(self, stat: str, count: int = 1, rate: float = 1) -> None:
        self._send(f"{stat}:{count}|c")

    def gauge(self, stat: str, value: float, rate: float = 1, delta: bool = False) -> None:
        self._send(f"{stat}:{value}|g")

    def timing(self, stat: str, delta: float | timedelta, rate: float = 1) -> None:
        milliseconds = delta.total_seconds() * 1000 if isinstance(delta, timedelta) else delta
        self._send(f"{stat}:{milliseconds:.6f}|ms")

    def _send(self, line: str) -> None:
        self._socket.sendto(line.encode(), self._address)


@contextmanager
def metrics_to_statsd() -> Iterator[Any]:
    """Send this process's Airflow metrics over UDP; yields what returns ``{name: (value, kind)}`` of all that arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        client: Any = _Client(server.getsockname()[1])

        def arrived() -> dict[str, tuple[float, str]]:
            # The marker is the last datagram on loopback: what was sent before it has arrived when it has.
            client.incr("marker")
            found: dict[str, tuple[float, str]] = {}
            while True:
                name, _, rest = server.recv(65_536).decode().partition(":")
                value, _, kind = rest.partition("|")
                if name == "marker":
                    return found
                found[name] = (float(value), kind)

        with _leading_to(client):
            yield arrived


@contextmanager
def _leading_to(client: Any) -> Iterator[None]:
    """Let Airflow's own StatsD logger, which checks names and types, send through ``client``."""
    try:
        from airflow.sdk._shared.observability.metrics.statsd_logger import SafeStatsdLogger
    except ImportError:  # Airflow 3.1
        from airflow import stats as airflow_stats
        from airflow.metrics import statsd_logger

        held: Any = airflow_stats.Stats
        held.instance, held._instance_pid = statsd_logger.SafeStatsdLogger(client), os.getpid()
        try:
            yield
        finally:
            held.instance = None
        return
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics.stats_utils import get_stats_factory

    logger: Any = SafeStatsdLogger(client)
    stats.initialize(factory=lambda: logger, export_legacy_names=False)
    try:
        yield
    finally:
        stats.initialize(factory=get_stats_factory(), export_legacy_names=True)
