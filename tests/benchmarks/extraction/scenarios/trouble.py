"""The service fails now and then, and rows change while they are being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from tests.benchmarks.extraction.contenders import CONTENDERS, SEARCH
from tests.benchmarks.extraction.scene import Scene, scratch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.extraction.report import Options, Report

__all__ = ["faults", "touched"]


def faults(report: Report, options: Options) -> None:
    """One request in fifty breaks, one in a hundred is refused for its rate, and the access token expires."""
    orders = options.some(50_000)
    report.begin(f"2 % 5xx or resets, 1 % 429, token expires in mid-run, {orders:,} orders")
    with Scene(orders) as scene, scratch() as folder:
        # A quick run has too few requests for one in a hundred to strike.
        often = 5 if options.quick else 1
        scene.emulator.faults(
            {"match": SEARCH, "kind": "503", "probability": 0.01 * often},
            {"match": SEARCH, "kind": "reset", "probability": 0.01 * often},
            {"match": SEARCH, "kind": "429", "probability": 0.01 * often},
        )
        token = folder / "token"
        token.write_text(scene.facts["access_token"])
        before = scene.answered()
        process = scene.begin(CONTENDERS["this engine"], folder, requests_per_second=50, token_file=str(token))
        scene.wait(process, lambda: (scene.answered() - before)["0"] >= orders // 200)
        _rotate(scene, token)
        run = scene.finish(process, before)
        fired = scene.emulator.stats()["faults_fired"]
        report.must("no row is missing or doubled", scene.all_there([run]))
    report.must(
        "each of the faults struck, and the old token was refused", len(fired) == 3 and _expired(run.requests) > 0
    )
    report.note(f"{run.seconds:.1f} s; answers by code: {dict(sorted(run.requests.items()))}")


def _rotate(scene: Scene, token: Path) -> None:
    """Let the access token expire, redeem the refresh token, and hand the new pair's access token on."""
    emulator = scene.emulator
    emulator.account(scene.open_id, expire_access=True)
    pair = emulator.account(scene.open_id)["tokens"][-1]
    query = {"app_key": emulator.app_key, "app_secret": emulator.app_secret, "grant_type": "refresh_token"}
    answer = requests.get(
        f"{emulator.url}/api/v2/token/refresh", params={**query, "refresh_token": pair["refresh_token"]}, timeout=30
    )
    fresh = token.with_suffix(".new")
    fresh.write_text(answer.json()["data"]["access_token"])
    fresh.replace(token)


def _expired(answers: dict[str, int]) -> int:
    return answers.get("105001", 0) + answers.get("105002", 0)


def touched(report: Report, options: Options) -> None:
    """Page tokens are offsets, and rows move out of the interval while it is being read: what shifts the pages."""
    orders = options.some(50_000)
    report.begin(f"rows updated while paging, {orders:,} orders")
    with Scene(orders, page_tokens="offset", touch_every_pages=5, touch_rows=3) as scene:
        engine, bare = CONTENDERS["this engine"], CONTENDERS["bare loop"]
        for contender in (engine, bare):
            at_first = len(scene.true_ids())
            run = scene.run(contender, list_ids=True)
            still_there = set(scene.true_ids())
            missing = len(still_there.difference(run.ids))
            line = f"{at_first - len(still_there)} rows moved on meanwhile, {missing} of the others missing"
            if contender is engine:
                report.must("no row is missing, and none doubled", not missing and run.rows == run.distinct)
            report.note(f"{contender.label}: {line}, {sum(run.requests.values())} requests in {run.seconds:.1f} s")
