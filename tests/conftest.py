"""For all tests: an Airflow configuration that is nobody's, made before the first import of Airflow."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import clean_environment

_HOME = Path(tempfile.mkdtemp(prefix="airflow-unit-"))
_ENVIRONMENT = clean_environment()
_ENVIRONMENT |= {
    "AIRFLOW_HOME": str(_HOME),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}
os.environ.clear()
os.environ.update(_ENVIRONMENT)


_LONGEST_FIRST = ("system", "integration", "unit")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the work among processes: one runs the system tests, the others all the rest, file by file.

    One whole Airflow at a time is what a small machine carries; while it waits, as it mostly does, other tests go on. The tests
    of a file share servers and stand in order.
    """
    from xdist.scheduler import LoadFileScheduling

    class OneAirflowAtATime(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return "system" if file.startswith("tests/system/") else file

    return OneAirflowAtATime(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        here = Path(__file__).parent
        items.sort(key=lambda item: _LONGEST_FIRST.index(item.path.relative_to(here).parts[0]))


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database in a private PostgreSQL."""
    from tests.support.postgres import PrivatePostgres

    with PrivatePostgres() as server:
        yield server.url
