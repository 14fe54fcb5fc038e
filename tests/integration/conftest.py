"""The emulator over a real socket, for everything below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tiktokshop.testing.emulator import EmulatorError, EmulatorProcess
from tests.support.rotation import Workbench
from tests.support.shared_store import SHARED, STORE

DAY = 86_400


class EmulatorPool:
    """One emulator process per set of options, reset for each test that asks for it: starting one costs a second."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[tuple[tuple[str, Any], ...], EmulatorProcess] = {}

    def get(self, options: dict[str, Any]) -> EmulatorProcess:
        key = tuple(sorted(options.items()))
        emulator = self._running.get(key)
        if emulator is None or not _runs(emulator):
            emulator = self._running[key] = self._stack.enter_context(EmulatorProcess(**options))
        else:
            emulator.reset()
        return emulator


def _runs(emulator: EmulatorProcess) -> bool:
    try:
        return emulator.pid > 0
    except EmulatorError:
        return False


@pytest.fixture(scope="module")
def emulators() -> Iterator[EmulatorPool]:
    with ExitStack() as stack:
        yield EmulatorPool(stack)


@pytest.fixture
def workbench(tmp_path: Path, emulators: EmulatorPool) -> Callable[..., Workbench]:
    """Makes a workbench on an emulator as new; access tokens last two days, so that a rotation is always due."""

    def make(*, app: dict[str, Any] | None = None, store: Any = None, **options: Any) -> Workbench:
        emulator = emulators.get({"orders": 1, "access_ttl": 2 * DAY, "rate_limit": 100_000} | options)
        return Workbench(emulator, tmp_path, store=store, **(app or {}))

    return make


@pytest.fixture
def deployment(
    emulators: EmulatorPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., Any]]:
    """Makes a deployment with one connection; see tests.support.deployment."""
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", SHARED)
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__ESCROW_DIR", str(tmp_path / "escrow"))

    from tests.support.deployment import Deployment

    def make(**options: Any) -> Any:
        defaults = {"orders": 50, "sellers": 2, "shops_per_seller": 2, "rate_limit": 100_000}
        return Deployment(emulators.get(defaults | options), monkeypatch)

    yield make
    STORE.records.clear()
