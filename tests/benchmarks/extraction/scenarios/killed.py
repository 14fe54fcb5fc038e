"""The process is killed, and another one goes on where it was."""

from __future__ import annotations

import itertools
import logging
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.benchmarks.extraction.contenders import Contender
from tests.benchmarks.extraction.scene import Scene, scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.extraction.report import Options, Report

__all__ = ["killed", "killed_s3"]

_ROWS_PER_PART = 1000
_PAGE = 100


def killed(report: Report, options: Options) -> None:
    """Local files grow page by page: what was read is kept to the last page."""
    orders = options.some(50_000)
    report.begin(f"SIGKILL at 60 %, then retry, local jsonl.gz, {orders:,} orders")
    _kill(report, orders, pages=1)


def killed_s3(report: Report, options: Options) -> None:
    """Objects cannot grow: what was read is kept to the last whole part."""
    orders = options.some(50_000)
    report.begin(f"SIGKILL at 60 %, then retry, S3, parts of {_ROWS_PER_PART:,} rows, {orders:,} orders")
    with _s3() as store:
        _kill(report, orders, pages=_ROWS_PER_PART // _PAGE, s3=store, extract={"rows_per_part": _ROWS_PER_PART})


def _kill(report: Report, orders: int, pages: int, **options: Any) -> None:
    """Kill a run and repeat it.

    :param pages: how many of a window may be asked for again.
    """
    # A number of windows that is known beforehand, because the limit is told in windows.
    engine = Contender("this engine, 8 windows", "engine", 8)
    with Scene(orders) as scene, scratch() as folder:
        whole = sum(-(-_rows(scene, *window) // _PAGE) for window in _windows(scene, engine.windows))
        before = scene.answered()
        process = scene.begin(engine, folder, **options)
        scene.wait(process, lambda: (scene.answered() - before)["0"] >= whole * 0.6)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        at_kill = (scene.answered() - before)["0"]
        run = scene.finish(scene.begin(engine, folder, **options), before)
        report.must("no row is missing or doubled", scene.all_there([run]))
        report.must("the kill came before the end", process.returncode == -signal.SIGKILL and at_kill < whole)
    again = run.requests["0"] - whole
    report.note(f"{at_kill} of {whole} pages read when it was killed; {run.requests['0']} in all")
    report.limit(f"pages asked for again, in {engine.windows} windows", again, engine.windows * pages, "most", ".0f")


def _windows(scene: Scene, count: int) -> list[tuple[int, int]]:
    start, end = scene.facts["start"], scene.facts["end"]
    edges = [start + (end - start) * n // count for n in range(count + 1)]
    return list(itertools.pairwise(edges))


def _rows(scene: Scene, start: int, end: int) -> int:
    return len(scene.emulator.truth(scene.facts["shop_id"], ge=start, lt=end))


@contextmanager
def _s3() -> Iterator[dict[str, str]]:
    """Serve an S3 on loopback, from this process: the one that is killed is another."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket="bench")
        yield {"endpoint": endpoint, "bucket": "bench"}
    finally:
        server.stop()
