"""The pytest fixture. Take it in with ``pytest_plugins = ["airflow_provider_tiktokshop.testing.pytest_plugin"]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tiktokshop_emulator"]


@pytest.fixture(scope="session")
def _tiktokshop_emulator_process() -> Iterator[EmulatorProcess]:
    with EmulatorProcess() as emulator:
        yield emulator


@pytest.fixture
def tiktokshop_emulator(_tiktokshop_emulator_process: EmulatorProcess) -> EmulatorProcess:
    """A running emulator with one seller, as new: one process serves all tests, each test starts from a reset."""
    _tiktokshop_emulator_process.reset()
    return _tiktokshop_emulator_process
