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


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database in a private PostgreSQL."""
    from tests.support.postgres import PrivatePostgres

    with PrivatePostgres() as server:
        yield server.url
