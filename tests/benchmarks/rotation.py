"""Measures how fast a fleet of sellers is rotated, against the bound that the service's latency sets.

    python tests/benchmarks/rotation.py [--cases postgresql:1000@16,...] [--latency-ms 200] [--profile]

A case is ``store:sellers@concurrency``, perhaps with ``:killed``. A rotation is two requests, one after the other: the redemption and the
read that tests the new token. So with ``c`` rotations at a time and a latency of ``l`` seconds no engine can do more than
``c / (2 l)`` rotations a second: that is the bound. Measured is the bare engine (``rotate_all``): real stores that wait for the disk,
sealing and fsync, no log masking. The emulator runs in a process of its own, and so does every measurement, so that its peak memory is its own.

``killed`` cases are ended by SIGKILL halfway, and run again: a refresh token is presented once, or a second time where the kill took the
answer along before it was sealed; those are refused, and are all that is refused.
``variable`` cases run in a task of a real Airflow, through its API server, with the log masker at work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

CASES = ",".join(
    [
        *(f"postgresql:1000@{concurrency}" for concurrency in (16, 32, 64)),
        *(f"postgresql:10000@{concurrency}" for concurrency in (32, 64)),
        "postgresql:10000@64:killed",
        "sqlite:1000@16",
        "variable:50@4",
        "variable:300@4",
    ]
)
DAY = 86_400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default=CASES)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--profile", action="store_true", help="print where the measured process spends its time")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        facts = json.loads(sys.stdin.read())
        print(json.dumps(rotate(workbench(facts), facts)))
        return
    from tests.support.postgres import PrivatePostgres

    print(_versions())
    with ExitStack() as stack:
        postgres = ""
        for case in options.cases.split(","):
            if case.startswith("postgresql") and not postgres:
                postgres = stack.enter_context(PrivatePostgres(durable=True)).url
            measure(case, options, postgres)


def measure(case: str, options: argparse.Namespace, postgres: str) -> None:
    """Set one case up, run it in a process of its own, and print what came out."""
    from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess

    store, size, *rest = case.split(":")
    sellers, _, concurrency = size.partition("@")
    with (
        tempfile.TemporaryDirectory() as directory,
        EmulatorProcess(sellers=int(sellers), orders=1, rate_limit=1_000_000) as emulator,
    ):
        facts: dict[str, Any] = {
            "url": emulator.url,
            "app_key": emulator.app_key,
            "app_secret": emulator.app_secret,
            "service_id": emulator.service_id,
            "directory": directory,
            "database": postgres if store == "postgresql" else f"sqlite:///{directory}/records.db",
            "concurrency": int(concurrency),
            "kill_after": 0,
            "profile": options.profile,
        }
        held = [(s["open_id"], emulator.account(s["open_id"])["tokens"][-1]) for s in emulator.sellers]
        if store != "variable":
            _clear(facts["database"])
            facts["ids"] = put_sellers(workbench(facts), held)
        emulator.settings(latency_ms=options.latency_ms)
        used = _cpu(emulator.pid)
        if store == "variable":
            runs = [_run_in_airflow({**facts, "held": held})]
        else:
            runs = [_run({**facts, "kill_after": int(sellers) // 2})] if rest else []
            runs.append(_run(facts))
        stats = {**emulator.stats(), "cpu": _cpu(emulator.pid) - used}
    _print(case, int(concurrency) / (2 * options.latency_ms / 1000), runs, stats)


def _cpu(pid: int) -> float:
    import psutil

    return float(sum(psutil.Process(pid).cpu_times()[:2]))


def _clear(database: str) -> None:
    from sqlalchemy import create_engine, text

    from airflow_provider_tiktokshop.auth.stores.sql import TABLE_NAME

    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text(f"drop table if exists {TABLE_NAME}"))
    engine.dispose()


def put_sellers(bench: Any, sellers: list[Any]) -> list[str]:
    """Put every seller into the store as an authorization whose access token has two days left; return the ids."""
    from airflow_provider_tiktokshop.auth.records import RecordKey, RotatedRecord, authorization_id
    from airflow_provider_tiktokshop.auth.stores.base import Snapshot

    ids = []
    for open_id, held in sellers:
        record = RotatedRecord(
            app_key=bench.app.app_key,
            issuer=bench.app.issuer,
            id=authorization_id(open_id),
            open_id=open_id,
            access_token=held["access_token"],
            access_expires_at=int(time.time()) + 2 * DAY,
            refresh_token=held["refresh_token"],
            refresh_expires_at=held["refresh_token_expire_in"],
            pair_at=time.time() - 5 * DAY,
            verified=True,
        )
        bench.store.write(RecordKey("rotated", record.app_key, record.id), record.to_json(), Snapshot(None))
        ids.append(record.id)
    return ids


def workbench(facts: dict[str, Any], store: Any = None) -> Any:
    """Return the engine's parts, wired as an Airflow task wires them."""
    from airflow_provider_tiktokshop.api.http import Http
    from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher
    from airflow_provider_tiktokshop.auth.stores.sql_engine import store_engine
    from tests.support.rotation import Workbench

    facts.setdefault("key", _fernet_key())
    if store is None:
        store = SqlStore(store_engine(facts["database"]), fernet_cipher(facts["key"]))
    bench = Workbench(SimpleNamespace(**facts), Path(facts["directory"]), store=store, requests_per_second=1e6)
    bench.http = Http(pool_size=facts["concurrency"])
    return bench


def _fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def rotate(bench: Any, facts: dict[str, Any], mask: Any = lambda _: None) -> dict[str, Any]:
    """Rotate everybody and return what it took; with ``kill_after``, print how many are done on the way."""
    from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
    from airflow_provider_tiktokshop.auth.fleet import rotate_all

    rotator = bench.rotator(clock=SYSTEM_CLOCK, mask=mask)
    bench.authorizations.get(facts["ids"][0])  # imports, and the first connection
    counted = [0]

    def progress(result: Any) -> None:
        counted[0] += 1
        if facts["kill_after"] and counted[0] % 50 == 0:
            print(counted[0], flush=True)

    profile = _sample() if facts["profile"] else None
    started, cpu = time.perf_counter(), time.process_time()
    report = rotate_all(rotator, facts["ids"], concurrency=facts["concurrency"], on_result=progress)
    seconds = time.perf_counter() - started
    if profile is not None:
        profile()
    return {
        "seconds": seconds,
        "cpu": time.process_time() - cpu,
        "counts": report.counts,
        "stopped": report.stopped,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    """Return the most memory that this program had; the kernel's ru_maxrss counts in what its parent had when it began."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _sample() -> Any:
    """Sample every thread's stack 200 times a second; return what prints the busiest places."""
    import threading
    from collections import Counter

    lines: Counter[str] = Counter()
    over = threading.Event()
    me = []

    def watch() -> None:
        me.append(threading.get_ident())
        while not over.wait(0.005):
            for ident, frame in sys._current_frames().items():
                if ident == me[0]:
                    continue
                seen, f = set(), frame
                while f is not None:
                    name = (
                        f"{Path(f.f_code.co_filename).parent.name}/{Path(f.f_code.co_filename).name}:{f.f_code.co_name}"
                    )
                    if name not in seen:
                        seen.add(name)
                        lines[name] += 1
                    f = f.f_back

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()

    def finish() -> None:
        over.set()
        thread.join()
        for name, count in lines.most_common(60):
            print(f"{count:>8} {name}", file=sys.stderr)

    return finish


def _run_in_airflow(facts: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement in a task of a real Airflow."""
    from tests.support.airflow_stack import API_SERVER, AirflowStack

    place = Path(facts["directory"])
    facts["result"] = str(place / "result.json")
    (place / "facts.json").write_text(json.dumps(facts))
    env = {"PYTHONPATH": str(ROOT), "BENCH_FACTS": str(place / "facts.json")}
    with AirflowStack(ROOT / "tests" / "benchmarks" / "dags", components=API_SERVER) as stack:
        done = stack.dags_test_use_executor("bench_variable_store", env=env, timeout=600)
        if done.returncode:
            sys.exit(done.output[-4000:])
    return dict(json.loads(Path(facts["result"]).read_text()))


def _run(facts: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement; with ``kill_after``, until so many are done and then no further."""
    kill_after = facts["kill_after"]
    process = subprocess.Popen(
        [sys.executable, __file__, "--run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin
    assert process.stdout
    with process:
        process.stdin.write(json.dumps(facts))
        process.stdin.close()
        for line in process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
            if int(line) >= kill_after:
                os.kill(process.pid, signal.SIGKILL)
                return {"killed_after": int(line)}
    sys.exit("the measured process ended without a result")


def _versions() -> str:
    import cryptography
    import requests
    import sqlalchemy

    return (
        f"Python {platform.python_version()}, requests {requests.__version__}, SQLAlchemy {sqlalchemy.__version__}, "
        f"cryptography {cryptography.__version__}, {os.cpu_count()} CPUs"
    )


def _print(case: str, bound: float, runs: list[dict[str, Any]], stats: dict[str, Any]) -> None:
    last = runs[-1]
    if last["stopped"]:
        sys.exit(f"{case}: the run stopped early: {last['stopped']}")
    rotated = last["counts"].get("rotated", 0)
    rate = rotated / last["seconds"]
    most = max(stats["presented_refresh_tokens"].values())
    print(
        f"{case:>28}  {rate:6.1f} rotations/s of at most {bound:.1f} = {rate / bound:4.0%}  "
        f"{last['cpu'] / rotated * 1000:5.2f} ms CPU each (emulator {stats['cpu'] / stats['redemptions_total'] * 1000:.2f})  "
        f"{last['peak_mb']:6.1f} MB peak  "
        f"{stats['requests_total'] / stats['redemptions_total']:.3f} requests/rotation  "
        f"{stats['redemptions_total']} redemptions, one token presented {most} time(s) at most"
    )
    if "writes_per_second" in last:
        print(
            f"{'':>28}  {last['writes_per_second']:.0f} records/s written, {last['reads_per_second']:.0f} read, one after the other"
        )
    if len(runs) > 1:
        twice = sum(times > 1 for times in stats["presented_refresh_tokens"].values())
        print(
            f"{'':>28}  killed after {runs[0]['killed_after']} results; the next run: {last['counts']}; "
            f"{twice} tokens presented twice"
        )


if __name__ == "__main__":
    main()
