"""Measures the engine beside a bare requests + orjson + gzip loop: one emulator, one run, alternating.

    python tests/benchmarks/extract_orders.py [--orders 50000] [--repeat 3] [--latency-ms 0]

Both read the same interval with signed requests and write gzip of the same level; the emulator runs in a process of its
own, and so does every measurement, so that its peak memory is its own. Prints versions, medians and ratios.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEARCH = "/order/202309/orders/search"


def bare(facts: dict, out: Path, threads: int) -> tuple[int, int]:
    """What a person would write by hand: sign, post, parse, write. Returns rows and requests."""
    import orjson
    import requests

    from airflow_provider_tiktokshop.api.signing import sign_request

    edges = [facts["start"] + (facts["end"] - facts["start"]) * i // threads for i in range(threads + 1)]
    counts = [0] * threads
    asked = [0] * threads

    def read(number: int) -> None:
        session = requests.Session()
        body = orjson.dumps({"update_time_ge": edges[number], "update_time_lt": edges[number + 1]})
        token = ""
        with gzip.open(out / f"bare-{number}.jsonl.gz", "wb", compresslevel=6) as file:
            while True:
                query = {
                    "app_key": facts["app_key"],
                    "timestamp": str(int(time.time())),
                    "shop_cipher": facts["cipher"],
                    "page_size": "100",
                    "sort_field": "update_time",
                    "sort_order": "ASC",
                }
                if token:
                    query["page_token"] = token
                query["sign"] = sign_request(facts["app_secret"], SEARCH, query, body, "application/json")
                answer = session.post(
                    facts["url"] + SEARCH,
                    params=query,
                    data=body,
                    headers={"x-tts-access-token": facts["access_token"], "content-type": "application/json"},
                    timeout=30,
                )
                data = orjson.loads(answer.content)["data"]
                asked[number] += 1
                for row in data.get("orders") or ():
                    file.write(orjson.dumps(row))
                    file.write(b"\n")
                    counts[number] += 1
                token = data.get("next_page_token") or ""
                if not token:
                    return

    if threads == 1:
        read(0)
    else:
        running = [threading.Thread(target=read, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    return sum(counts), sum(asked)


def engine(facts: dict, out: Path, windows: int) -> tuple[int, int]:
    """The engine. Returns rows and requests."""
    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
    from airflow_provider_tiktokshop.extract import extract

    app = App(
        app_key=facts["app_key"],
        app_secret=facts["app_secret"],
        api_url=facts["url"],
        auth_url=facts["url"],
        requests_per_second=1_000_000,
    )
    client = TikTokShopClient(app, StaticToken(facts["access_token"]))
    shop = Shop(facts["shop_id"], facts["cipher"], "GB", "LOCAL", "X")
    manifest = extract("orders", client, shop, facts["start"], facts["end"], out, windows=windows, lookback=0)
    return manifest.rows, manifest.requests


def measure(case: str, facts: dict) -> None:
    """Run one case in this process and print what it took as one JSON line."""
    kind, _, number = case.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.process_time()
        rows, requests_sent = (bare if kind == "bare" else engine)(facts, Path(folder), int(number))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak = _peak_mb()
        ids = _ids(Path(folder))
    facts = {"rows": rows, "requests": requests_sent, "seconds": seconds, "cpu": cpu, "peak_mb": peak, "ids": ids}
    print(json.dumps(facts))


def _peak_mb() -> float:
    # Not ru_maxrss: that begins with what the parent held when it forked.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _ids(folder: Path) -> int:
    # Enough to see that all outputs hold the same rows; a digest that does not depend on their order. Read line by line,
    # so that checking does not raise the peak.
    digest = 0
    for file in sorted(folder.rglob("*.jsonl.gz")):
        with gzip.open(file, "rb") as lines:
            for line in lines:
                key = line.split(b'"id":"', 1)[1].split(b'"', 1)[0]
                digest ^= zlib.crc32(key) << 32 | zlib.crc32(key[::-1])
    return digest


def main() -> None:
    """Measure all cases and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--cases", default="bare:1,engine:1,bare:8,engine:8")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        measure(options.case, json.loads(sys.stdin.read()))
        return
    from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess

    cases = options.cases.split(",")
    results: dict[str, list[dict]] = {case: [] for case in cases}
    with EmulatorProcess(orders=options.orders, sellers=1, rate_limit=1_000_000) as emulator:
        facts = _facts(emulator)
        _run("bare:1", facts)  # fills the emulator's caches
        emulator.settings(latency_ms=options.latency_ms)
        for _ in range(options.repeat):
            for case in cases:
                results[case].append(_run(case, facts))
    if len({(run["ids"], run["rows"]) for runs in results.values() for run in runs}) != 1:
        sys.exit("the outputs do not hold the same rows")
    _print(options, results)


def _facts(emulator) -> dict:
    seller = emulator.sellers[0]
    token = emulator.account(seller["open_id"])["tokens"][-1]["access_token"]
    shop = seller["shops"][0]
    truth = emulator.truth(shop["id"])
    return {
        "url": emulator.url,
        "app_key": emulator.app_key,
        "app_secret": emulator.app_secret,
        "access_token": token,
        "shop_id": shop["id"],
        "cipher": shop["cipher"],
        "start": truth[0]["update_time"],
        "end": truth[-1]["update_time"] + 1,
    }


def _run(case: str, facts: dict) -> dict:
    done = subprocess.run(
        [sys.executable, __file__, "--case", case],
        input=json.dumps(facts),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(done.stdout)


def _print(options: argparse.Namespace, results: dict[str, list[dict]]) -> None:
    import orjson
    import requests

    print(
        f"Python {platform.python_version()}, requests {requests.__version__}, orjson {orjson.__version__}, "
        f"zlib {zlib.ZLIB_RUNTIME_VERSION}; {options.orders} orders, {options.latency_ms:g} ms, "
        f"median of {options.repeat}"
    )
    rates = {}
    for case, runs in results.items():
        rates[case] = statistics.median(run["rows"] / run["seconds"] for run in runs)
        peak = statistics.median(run["peak_mb"] for run in runs)
        asked = statistics.median(run["requests"] for run in runs)
        cpu = statistics.median(run["cpu"] / run["rows"] * 1e6 for run in runs)
        print(f"{case:>10}  {rates[case]:>9,.0f} rows/s  {cpu:>5.0f} µs/row  {peak:>6.1f} MB  {asked:>6.0f} requests")
    for case in results:
        kind, _, number = case.partition(":")
        other = f"bare:{number}"
        if kind == "engine" and other in rates:
            print(f"{case} / {other} = {rates[case] / rates[other]:.2f}")


if __name__ == "__main__":
    main()
