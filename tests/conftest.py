"""For all tests: an Airflow configuration that is nobody's, made before the first import of Airflow."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


# Test files that share the one whole Airflow of a session.
_SHARING = {"test_harness.py", "test_reauthorize.py"}
_LONGEST_FIRST = ("system", "integration", "unit")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a file together when several processes share the work: they share servers and stand in order."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        name = "the shared Airflow" if item.path.name in _SHARING else str(item.path)
        item.add_marker(pytest.mark.xdist_group(name))
    # The many short ones last, so that no process is still busy with a long one when the others have nothing left.
    items.sort(key=lambda item: _LONGEST_FIRST.index(item.path.relative_to(Path(__file__).parent).parts[0]))


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database in a private PostgreSQL."""
    from tests.support.postgres import PrivatePostgres

    with PrivatePostgres() as server:
        yield server.url
