"""The smoke cell: the provider on the oldest Airflow that it supports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.airflow_stack import API_SERVER, REPOSITORY, AirflowStack

pytestmark = pytest.mark.oldest

DAGS = [REPOSITORY / "dags", Path(__file__).parent / "dags"]


@pytest.fixture(scope="module")
def oldest_airflow(oldest_python: Path) -> Iterator[AirflowStack]:
    with AirflowStack(DAGS, components=API_SERVER, python=oldest_python) as stack:
        yield stack


def test_it_is_the_version_that_the_package_promises(oldest_airflow: AirflowStack) -> None:
    assert oldest_airflow.api.request("GET", "version")["version"].startswith("3.1.")


def test_the_provider_loads(oldest_airflow: AirflowStack) -> None:
    providers = oldest_airflow.api.get_all("providers", "providers")

    assert "airflow-provider-tiktokshop" in {provider["package_name"] for provider in providers}


def test_the_connection_form_has_its_fields(oldest_airflow: AirflowStack) -> None:
    hooks = oldest_airflow.api.request("GET", "/ui/connections/hook_meta")

    (form,) = [hook for hook in hooks if hook["connection_type"] == "tiktokshop"]
    assert form["hook_name"] == "TikTok Shop"
    assert set(form["extra_fields"]) >= {"refresh_token", "market", "app_type", "service_id", "api_url", "auth_url"}
    assert form["standard_fields"]["login"]["title"] == "App key"
    assert form["standard_fields"]["host"]["hidden"] is True
