"""Measures what a task of TikTokShopExtractOperator costs beyond the bare engine, in a real Airflow.

    python tests/benchmarks/operator_overhead.py [--orders 5000] [--repeat 5]

One DAG, run by the executor against an api-server, alternates the extraction with a task that does nothing; the same
interval is extracted by the bare engine in a process of its own, as a script would. Printed are medians: how long Airflow
says that each task took, how long the engine took inside it, and so what the operator adds to what a task costs anyhow
(reading connection and tokens through Airflow's API, imports, XCom, asset events).
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()

    from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
    from tests.support.extraction import ShopOnEmulator

    print(
        f"Python {platform.python_version()}, Airflow {version('apache-airflow-core')}; {options.orders} orders, "
        f"median of {options.repeat}"
    )
    with (
        EmulatorProcess(orders=options.orders, rate_limit=1_000_000) as emulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        shop = ShopOnEmulator(emulator)
        alone = [_bare(shop, Path(folder) / f"bare-{number}") for number in range(options.repeat)]
        tasks = _in_airflow(shop, Path(folder), options.repeat)
    report(alone, tasks)


def _bare(shop: Any, output: Path) -> dict[str, float]:
    began = time.perf_counter()
    process = shop.in_a_process(output, windows=8)
    printed, _ = process.communicate(timeout=600)
    manifest = json.loads(printed)
    return {"whole": time.perf_counter() - began, "engine": manifest["run"]["seconds"], "rows": manifest["rows"]}


def _in_airflow(shop: Any, folder: Path, repeat: int) -> dict[str, list[dict[str, float]]]:
    from tests.support.airflow_stack import API_SERVER, AirflowStack

    emulator = shop.emulator
    facts = {
        "repeat": repeat,
        "shop_id": shop.shop.id,
        "start": datetime.fromtimestamp(shop.start, UTC).isoformat(),
        "end": datetime.fromtimestamp(shop.end, UTC).isoformat(),
        "output": str(folder / "tasks"),
    }
    (folder / "facts.json").write_text(json.dumps(facts))
    connection = {
        "conn_type": "tiktokshop",
        "login": emulator.app_key,
        "password": emulator.app_secret,
        "extra": {
            "refresh_token": emulator.sellers[0]["refresh_token"],
            "api_url": emulator.url,
            "auth_url": emulator.url,
            "requests_per_second": 1_000_000,
        },
    }
    env = {"BENCH_FACTS": str(folder / "facts.json"), "AIRFLOW_CONN_BENCH": json.dumps(connection)}
    found: dict[str, list[dict[str, float]]] = {"nothing": [], "extract": []}
    with AirflowStack(Path(__file__).parent / "dags", components=API_SERVER, env=env) as stack:
        done = stack.dags_test_use_executor("bench_operator_overhead", timeout=900)
        if done.returncode:
            sys.exit(f"the DAG failed:\n{done.output[-4000:]}")
        run_id = stack.api.runs("bench_operator_overhead")[0]["dag_run_id"]
        for one in stack.api.task_instances("bench_operator_overhead", run_id):
            kind = one["task_id"].rpartition("_")[0]
            if kind not in found:
                continue
            measured = {"whole": one["duration"]}
            if kind == "extract":
                manifest = stack.api.xcom("bench_operator_overhead", run_id, one["task_id"])
                measured |= {"engine": manifest["run"]["seconds"], "rows": manifest["rows"]}
            found[kind].append(measured)
    return found


def report(alone: list[dict[str, float]], tasks: dict[str, list[dict[str, float]]]) -> None:
    """Print the medians, and what the operator adds."""
    rows = {run["rows"] for run in [*alone, *tasks["extract"]]}
    if len(rows) != 1:
        sys.exit(f"the extractions do not hold the same rows: {rows}")

    def median(runs: list[dict[str, float]], name: str) -> float:
        return statistics.median(run[name] for run in runs)

    nothing = median(tasks["nothing"], "whole")
    beyond = statistics.median(run["whole"] - run["engine"] for run in tasks["extract"])
    print(
        f"bare engine, a script:       {median(alone, 'whole'):6.2f} s, of which the engine {median(alone, 'engine'):.2f} s"
    )
    print(
        f"a task of the operator:      {median(tasks['extract'], 'whole'):6.2f} s, of which the engine {median(tasks['extract'], 'engine'):.2f} s"
    )
    print(f"a task that does nothing:    {nothing:6.2f} s")
    print(f"per task beyond the engine:  {beyond:6.2f} s, of which the operator's own {beyond - nothing:.2f} s")


if __name__ == "__main__":
    main()
