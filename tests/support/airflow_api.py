"""Airflow's public REST API, as far as tests and the demo need it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests

from tests.support.waiting import wait_until

FINISHED = ("success", "failed")


class AirflowApiError(Exception):
    """Airflow refused a request."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path} -> {status}: {body[:2000]}")
        self.status = status


class AirflowApi:
    """A client for one api-server that lets everybody in (``simple_auth_manager_all_admins``)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no netrc

    def request(self, method: str, path: str, *, json: Any = None, params: Any = None, raw: bool = False) -> Any:
        """Send a request and return the decoded JSON.

        :param path: below ``/api/v2``, or from the root when it begins with ``/``
        :param raw: return the body as text
        :raises AirflowApiError: the status was not 2xx
        """
        url = self.url + (path if path.startswith("/") else f"/api/v2/{path}")
        for attempt in (1, 2):
            if "Authorization" not in self._session.headers:
                token = self._session.get(f"{self.url}/auth/token", timeout=30).json()["access_token"]
                self._session.headers["Authorization"] = f"Bearer {token}"
            headers = {"Accept": "application/x-ndjson" if raw else "application/json"}
            reply = self._session.request(method, url, json=json, params=params, headers=headers, timeout=30)
            if reply.status_code == 401 and attempt == 1:
                del self._session.headers["Authorization"]
                continue
            break
        if not reply.ok:
            raise AirflowApiError(method, path, reply.status_code, reply.text)
        if raw:
            return reply.text
        return reply.json() if reply.content else None

    def get_all(self, path: str, key: str, **params: Any) -> list[dict[str, Any]]:
        """Return all items of a paged list."""
        items: list[dict[str, Any]] = []
        while True:
            page = self.request("GET", path, params={**params, "limit": 100, "offset": len(items)})
            items += page[key]
            if not page[key] or len(items) >= page["total_entries"]:
                return items

    def health(self, *, timeout: float = 5) -> dict[str, str | None]:
        """Return the status of each component ("healthy", "unhealthy" or None), {} when the server does not answer."""
        try:
            reply = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=timeout)
            return {name: part["status"] for name, part in reply.json().items() if part} if reply.ok else {}
        except (requests.RequestException, ValueError):
            return {}

    # DAGs and runs

    def wait_for_dag(self, dag_id: str, *, timeout: float = 60) -> None:
        """Wait until the dag-processor has brought the DAG in.

        :raises DeadlinePassed: it did not; the message holds the import errors
        """

        def known() -> bool:
            try:
                self.request("GET", f"dags/{dag_id}")
            except AirflowApiError as error:
                if error.status != 404:
                    raise
                return False
            return True

        wait_until(known, timeout=timeout, what=lambda: f"DAG {dag_id}; import errors: {self.import_errors()}")

    def import_errors(self) -> list[str]:
        """Return what went wrong in DAG files."""
        return [
            f"{error['filename']}: {error['stack_trace']}" for error in self.get_all("importErrors", "import_errors")
        ]

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run the DAG."""
        self.request("PATCH", f"dags/{dag_id}", json={"is_paused": False})

    def trigger(
        self,
        dag_id: str,
        *,
        conf: dict[str, Any] | None = None,
        run_id: str | None = None,
        logical_date: datetime | None = None,
        data_interval: tuple[datetime, datetime] | None = None,
    ) -> str:
        """Start a run of an unpaused DAG and return its run id."""
        body: dict[str, Any] = {
            "conf": conf or {},
            "logical_date": logical_date.isoformat() if logical_date else None,
        }
        if run_id:
            body["dag_run_id"] = run_id
        if data_interval:
            body["data_interval_start"], body["data_interval_end"] = (moment.isoformat() for moment in data_interval)
        return str(self.request("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the DAG's runs, the newest first."""
        return self.get_all(f"dags/{dag_id}/dagRuns", "dag_runs", order_by="-id")

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return one run."""
        return dict(self.request("GET", f"dags/{dag_id}/dagRuns/{quote(run_id)}"))

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the run's task instances, mapped ones each."""
        return self.get_all(f"dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances", "task_instances")

    def wait_for_run(
        self,
        dag_id: str,
        run_id: str,
        *,
        timeout: float = 180,
        progress: Callable[[list[dict[str, Any]]], None] | None = None,
    ) -> str:
        """Wait for the end of a run and return "success" or "failed".

        :param timeout: seconds
        :param progress: called with the task instances at every look
        """

        def ended() -> str | None:
            state = self.run(dag_id, run_id)["state"]
            if progress:
                progress(self.task_instances(dag_id, run_id))
            return state if state in FINISHED else None

        def where() -> str:
            states = {
                f"{task['task_id']}[{task['map_index']}]": task["state"] for task in self.task_instances(dag_id, run_id)
            }
            return f"the end of {dag_id} {run_id}; tasks: {states}"

        return wait_until(ended, timeout=timeout, what=where, interval=0.3)

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", *, map_index: int | None = None
    ) -> Any:
        """Return what a task left behind."""
        path = f"dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/xcomEntries/{key}"
        params = {"deserialize": True} | ({} if map_index is None else {"map_index": map_index})
        return self.request("GET", path, params=params)["value"]

    def task_log(
        self, dag_id: str, run_id: str, task_id: str, *, try_number: int = 1, map_index: int | None = None
    ) -> str:
        """Return a task's log as text, one JSON object a line."""
        path = f"dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/logs/{try_number}"
        params = {"full_content": True} | ({} if map_index is None else {"map_index": map_index})
        return str(self.request("GET", path, params=params, raw=True))

    # Variables and connections

    def variables(self) -> dict[str, str]:
        """Return all Variables as the UI shows them: what counts as sensitive is masked."""
        return {item["key"]: item["value"] for item in self.get_all("variables", "variables")}

    def set_variable(self, key: str, value: str) -> None:
        """Create a Variable."""
        self.request("POST", "variables", json={"key": key, "value": value})

    def delete_variable(self, key: str) -> None:
        """Delete a Variable."""
        self.request("DELETE", f"variables/{quote(key, safe='')}")

    def add_connection(self, conn_id: str, conn_type: str, **fields: Any) -> None:
        """Create a connection; ``fields`` as in the REST API (login, password, host, extra as JSON text, …)."""
        self.request("POST", "connections", json={"connection_id": conn_id, "conn_type": conn_type, **fields})

    def delete_connection(self, conn_id: str) -> None:
        """Delete a connection."""
        self.request("DELETE", f"connections/{quote(conn_id, safe='')}")

    def connections(self) -> list[dict[str, Any]]:
        """Return all connections as the UI shows them."""
        return self.get_all("connections", "connections")
