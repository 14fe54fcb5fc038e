"""One app connection of an Airflow whose processes share a token store, played in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.execution_time.context import OutletEventAccessors

from airflow_provider_tiktokshop.hooks.wiring import wire
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess

__all__ = ["CONN", "Deployment", "TaskInstance", "context"]

CONN = "AIRFLOW_CONN_TIKTOKSHOP_DEFAULT"


class Deployment:
    """One app connection of an Airflow whose processes share a token store."""

    def __init__(self, emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> None:
        self.emulator = emulator
        self._monkeypatch = monkeypatch
        self.connect()

    def connect(self, *, secret: str | None = None, **extra: Any) -> None:
        """Set the connection; without more it has no seed."""
        url = self.emulator.url
        extra = {
            "api_url": url,
            "auth_url": url,
            "authorize_url": f"{url}/open/authorize",
            "service_id": self.emulator.service_id,
            "requests_per_second": 500,
        } | extra
        connection = {
            "conn_type": "tiktokshop",
            "login": self.emulator.app_key,
            "password": secret or self.emulator.app_secret,
            "extra": extra,
        }
        self._monkeypatch.setenv(CONN, json.dumps(connection))

    def seller(self, number: int = 0) -> dict[str, Any]:
        return self.emulator.sellers[number]

    def adopt_seeds(self) -> None:
        """Authorize every seller by its seed."""
        for seller in self.emulator.sellers:
            self.connect(refresh_token=seller["refresh_token"])
            self.rotate()
        self.connect()

    def rotate(self, **options: Any) -> dict[str, Any]:
        self.context = context()
        return TikTokShopRotateTokenOperator(task_id="rotate", **options).execute(self.context)

    def consent(self, open_id: str) -> None:
        """Let a seller authorize the app (again)."""
        flow = wire("tiktokshop_default").flow()
        link = flow.begin()
        flow.finish(self.emulator.consent(link.url, open_id), source="cli", state=link.state)

    def secrets(self) -> list[str]:
        return self.emulator.secrets()


class TaskInstance:
    """Takes what a task pushes by itself, and knows how many runs its DAG has at the moment."""

    dag_id = "dag"

    def __init__(self, running: int = 1) -> None:
        self.pushed: dict[str, Any] = {}
        self.running = running

    def get_dr_count(self, dag_id: str, states: list[str]) -> int:
        assert (dag_id, states) == (self.dag_id, ["running"])
        return self.running

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def context(running: int = 1) -> Any:
    return {"ti": TaskInstance(running), "outlet_events": OutletEventAccessors()}


def events_of(run: Any) -> list[tuple[str | None, str, dict[str, Any]]]:
    """Return alias, URI and extra of the asset events that a task left in its context."""
    found: list[tuple[str | None, str, dict[str, Any]]] = []
    for key, accessor in run["outlet_events"].items():
        if isinstance(key, Asset):
            found.append((None, key.uri, accessor.extra))
        found += [(key.name, event.dest_asset_key.uri, event.extra) for event in accessor.asset_alias_events]
    return found
