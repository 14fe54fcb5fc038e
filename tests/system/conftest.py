"""A real Airflow for the system tests: one whole, and one that is only an api-server, each started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.airflow_stack import API_SERVER, REPOSITORY, AirflowStack

HERE = Path(__file__).parent
DAGS = [REPOSITORY / "dags", HERE / "dags"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def airflow() -> Iterator[AirflowStack]:
    """A whole Airflow: api-server, scheduler, dag-processor and triggerer.

    It knows the DAGs of ``dags/`` and ``tests/system/dags``. Whatever a test leaves in it, the next test finds.
    """
    with AirflowStack(DAGS) as stack:
        yield stack


@pytest.fixture(scope="session")
def airflow_without_scheduler() -> Iterator[AirflowStack]:
    """An api-server, for ``dags_test_use_executor``: faithful to what tasks may do, and quick."""
    with AirflowStack(DAGS, components=API_SERVER) as stack:
        yield stack


@pytest.fixture(scope="session")
def oldest_python() -> Path:
    """The interpreter of the environment that holds the oldest supported Airflow."""
    path = Path(os.environ.get("OLDEST_AIRFLOW_PYTHON") or REPOSITORY / ".venv-oldest" / "bin" / "python")
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make install`, or leave these tests out with -m 'not oldest'")
    return path
