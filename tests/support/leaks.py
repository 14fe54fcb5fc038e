"""Search everything that a run left behind, or shows, for secrets."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from tests.support.airflow_api import AirflowApi


def find_leaks(secrets: Iterable[str], places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return where secrets were found, as ``place: first characters of the secret``.

    :param places: names and contents
    """
    forms: dict[bytes, str] = {}
    for secret in secrets:
        # As it is, as part of a URL, and as part of JSON in which everything beyond ASCII is escaped.
        for form in (secret, quote(secret, safe=""), orjson.dumps(secret).decode()[1:-1]):
            forms[form.encode()] = secret[:12] + "…"
    return [f"{name}: {shown}" for name, content in places for form, shown in forms.items() if form in content]


def files_below(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file's path and content; of what is compressed, what is inside."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield str(path), gzip.decompress(content) if path.suffix == ".gz" else content


def answers_of(api: AirflowApi) -> Iterator[tuple[str, bytes]]:
    """Yield what the REST API tells about everything that ran, as the page that shows it would get it."""
    lists: Mapping[str, str] = {
        "assets": "assets",
        "assets/events": "asset_events",
        "assets/aliases": "asset_aliases",
        "connections": "connections",
        "dags": "dags",
        "eventLogs": "event_logs",
        "importErrors": "import_errors",
        "variables": "variables",
        "dags/~/dagRuns": "dag_runs",
        "dags/~/dagRuns/~/taskInstances": "task_instances",
        "dags/~/dagRuns/~/taskInstances/~/xcomEntries": "xcom_entries",
    }
    found: dict[str, list[dict[str, Any]]] = {path: api.get_all(path, key) for path, key in lists.items()}
    for path, items in found.items():
        yield f"GET {path}", orjson.dumps(items)
    for item in found["variables"]:
        yield f"variable {item['key']}", orjson.dumps(api.request("GET", f"variables/{quote(item['key'], safe='')}"))
    for item in found["dags/~/dagRuns/~/taskInstances/~/xcomEntries"]:
        where = (item["dag_id"], item["run_id"], item["task_id"], item["key"])
        yield f"xcom {where} {item['map_index']}", orjson.dumps(api.xcom(*where, map_index=item["map_index"]))
    for task in found["dags/~/dagRuns/~/taskInstances"]:
        ids = (task["dag_id"], task["dag_run_id"], task["task_id"])
        for number in range(1, task["try_number"] + 1):
            log = api.task_log(*ids, try_number=number, map_index=task["map_index"])
            yield f"log {ids} {task['map_index']} {number}", log.encode()
