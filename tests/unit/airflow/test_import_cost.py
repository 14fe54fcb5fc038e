"""What a DAG file pays for each public module, beyond what it pays for airflow.sdk."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from airflow_provider_tiktokshop.get_provider_info import get_provider_info

LIMIT = 0.030  # seconds
HEAVY = {"requests", "pyarrow", "dlt", "fastapi", "fsspec", "upath", "sqlalchemy", "cryptography", "pandas", "boto3"}
# These subclass what Airflow's own provider has, which a DAG with such a task needs anyhow.
PARENTS = {
    "airflow_provider_tiktokshop.operators.authorize": "airflow.providers.standard.operators.hitl",
    "airflow_provider_tiktokshop.triggers.authorize": "airflow.providers.standard.triggers.hitl",
    "airflow_provider_tiktokshop.triggers.token": "airflow.triggers.temporal",
}
# Each module in a process of its own, forked from one that has what every DAG file has.
MEASURE = """
import gc, json, os, sys, time
gc.disable()  # a collection of all that Airflow has allocated falls on whoever allocates next
from airflow.sdk import DAG, Asset, AssetAlias, BaseHook, BaseNotifier, BaseOperator, BaseSensorOperator, Param, task
for statement, parent in json.load(sys.stdin):
    read, write = os.pipe()
    if not os.fork():
        if parent:
            __import__(parent)
        before, start = set(sys.modules), time.process_time()
        exec(statement)
        seconds = time.process_time() - start
        os.write(write, json.dumps([statement, seconds, sorted(set(sys.modules) - before)]).encode() + b"\\n")
        os._exit(0)
    os.wait()
    os.close(write)
    print(os.read(read, 1 << 20).decode(), end="", flush=True)
"""


def public_modules() -> list[str]:
    info = get_provider_info()
    rooms = ("hooks", "operators", "sensors", "triggers")
    modules = [module for room in rooms for entry in info[room] for module in entry["python-modules"]]
    return [*modules, *(name.rpartition(".")[0] for name in info["notifications"])]


@pytest.fixture(scope="module")
def costs() -> dict[str, tuple[float, list[str]]]:
    """Seconds of CPU, the fewest of several tries, and the modules that were loaded, by statement."""
    statements = [(f"import {module}", PARENTS.get(module)) for module in public_modules()]
    statements += [("import airflow_provider_tiktokshop.streams", None)]
    statements += [("from airflow_provider_tiktokshop.extract import read_rows, read_manifest", None)]
    found: dict[str, tuple[float, list[str]]] = {}
    deadline = time.monotonic() + 60
    while not found or (max(seconds for seconds, _ in found.values()) > LIMIT and time.monotonic() < deadline):
        printed = subprocess.run(
            [sys.executable, "-c", MEASURE], input=json.dumps(statements), check=True, capture_output=True, text=True
        ).stdout
        for line in printed.splitlines():
            if line.startswith('["'):
                statement, seconds, modules = json.loads(line)
                found[statement] = (min(seconds, found.get(statement, (1.0,))[0]), modules)
    assert len(found) == len(statements)
    return found


def test_each_public_module_adds_thirty_milliseconds_at_most(costs: dict[str, tuple[float, list[str]]]) -> None:
    slow = {statement: round(seconds * 1000) for statement, (seconds, _) in costs.items() if seconds > LIMIT}
    assert slow == {}


def test_no_public_module_loads_what_a_dag_file_does_not_need(costs: dict[str, tuple[float, list[str]]]) -> None:
    heavy = {statement: found for statement, (_, modules) in costs.items() if (found := HEAVY.intersection(modules))}
    assert heavy == {}


def test_every_public_module_is_held() -> None:
    assert len(public_modules()) >= 9
    assert set(PARENTS) <= set(public_modules())
