"""Extractions against a running emulator, in this process or in one of their own."""

from __future__ import annotations

import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.clock import SystemClock
from airflow_provider_tiktokshop.extract import Manifest, extract, read_rows

ROOT = Path(__file__).resolve().parents[2]
SEARCH = "/order/202309/orders/search"
ENDPOINT = f"POST {SEARCH}"


class ShopOnEmulator:
    """The first shop of an emulator, with what is true of its orders before anything is read."""

    def __init__(self, emulator: Any, **app: Any) -> None:
        self.emulator = emulator
        self._app = {"requests_per_second": 1_000_000, **app}
        seller = emulator.sellers[0]
        self.access_token = emulator.account(seller["open_id"])["tokens"][-1]["access_token"]
        facts = seller["shops"][0]
        self.shop = Shop(facts["id"], facts["cipher"], "GB", "LOCAL", "X")
        self.before = self.truth()
        self.start = self.before[0]["update_time"]
        self.end = self.before[-1]["update_time"] + 1

    def client(self, tokens: Any = None, **more: Any) -> TikTokShopClient:
        app = App(
            app_key=self.emulator.app_key,
            app_secret=self.emulator.app_secret,
            api_url=self.emulator.url,
            auth_url=self.emulator.url,
            **self._app,
        )
        return TikTokShopClient(app, tokens or StaticToken(self.access_token), **more)

    def truth(self, cursor: str = "update_time", ge: int | None = None, lt: int | None = None) -> list[dict[str, Any]]:
        return list(self.emulator.truth(self.shop.id, cursor=cursor, ge=ge, lt=lt))

    def extract(self, output: Any, start: Any = None, end: Any = None, **options: Any) -> Manifest:
        client = options.pop("client", None) or self.client()
        stream = options.pop("stream", "orders")
        start, end = self.start if start is None else start, self.end if end is None else end
        return extract(stream, client, self.shop, start, end, output, **{"lookback": 0, **options})

    def searches(self) -> int:
        """How many searches were answered with orders."""
        return int(self.emulator.stats()["requests"].get(ENDPOINT, {}).get("0", 0))

    def rows_served(self) -> int:
        """How many rows were sent in answers, those that nobody received included."""
        return int(self.emulator.stats()["rows_served"])

    def in_a_process(
        self, output: Path | StorePath | str, *, stderr: IO[str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Begin an extraction in a process of its own. Its standard output ends with one JSON line.

        :param output: where to; text with a scheme becomes Airflow's ``ObjectStoragePath``.
        """
        facts = {
            "url": self.emulator.url,
            "app_key": self.emulator.app_key,
            "app_secret": self.emulator.app_secret,
            "access_token": self.access_token,
            "shop": [self.shop.id, self.shop.cipher],
            "output": str(output.folder if isinstance(output, StorePath) else output),
            "store": isinstance(output, StorePath),
            "start": self.start,
            "end": self.end,
            "options": {"lookback": 0, **options},
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.extraction"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=ROOT,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(facts) + "\n")
        process.stdin.flush()
        return process


def a_day_with_a_sale(emulator: Any, orders: int, in_the_sale: float) -> ShopOnEmulator:
    """Place the orders of the last 24 hours, minute by minute, and make them the interval by ``create_time``.

    :param in_the_sale: which part of them is placed in one of the hours; the others are spread over the day.
    """
    shop = emulator.sellers[0]["shops"][0]["id"]
    draw = random.Random(1)
    minutes = [0] * 24 * 60
    for _ in range(orders):
        sale = draw.random() < in_the_sale
        minutes[draw.randrange(14 * 60, 15 * 60) if sale else draw.randrange(24 * 60)] += 1
    emulator.clock(set=time.time() - 24 * 3600)
    passed = 0
    for count in minutes:
        passed += 60
        if count:
            emulator.clock(advance=passed)
            emulator.orders(shop, add=count)
            passed = 0
    emulator.clock(advance=passed)
    made = ShopOnEmulator(emulator)
    made.before = made.truth("create_time")[-orders:]
    made.start, made.end = made.before[0]["create_time"], made.before[-1]["create_time"] + 1
    return made


class SteppingClock(SystemClock):
    """A clock that stands where it is put and moves only by sleeping."""

    def __init__(self, now: float) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def boottime(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class StorePath:
    """A folder that behaves like a prefix of an object store: reached through fsspec only, never appended to."""

    def __init__(self, folder: Path | str, path: str = "lake") -> None:
        from fsspec.implementations.dirfs import DirFileSystem
        from fsspec.implementations.local import LocalFileSystem

        class WholeObjects(LocalFileSystem):  # type: ignore[misc]
            """An object appears whole or not at all, also when its writer is killed."""

            protocol = "store"
            cachable = False

            def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
                target = Path(self._strip_protocol(path))
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = Path(tempfile.gettempdir(), f"object-{secrets.token_hex(8)}")
                temporary.write_bytes(value)
                temporary.replace(target)

        self.folder = Path(folder)
        self.fs = DirFileSystem(path=str(folder), fs=WholeObjects(auto_mkdir=True))
        self.protocol = "store"
        self.path = path

    def __truediv__(self, name: str) -> StorePath:
        return StorePath(self.folder, f"{self.path}/{name}")

    def __str__(self) -> str:
        return f"store://{self.path}"


def ids(rows: Manifest | Iterable[dict[str, Any]]) -> list[str]:
    """The ids of an extraction, or of rows, sorted."""
    return sorted(row["id"] for row in (read_rows(rows) if isinstance(rows, Manifest) else rows))


def data_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but manifests, by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def peak_mb() -> float:
    """The greatest resident size of this process. Not ru_maxrss: that begins with what the parent held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _main() -> None:
    facts = json.loads(sys.stdin.readline())
    app = App(
        app_key=facts["app_key"],
        app_secret=facts["app_secret"],
        api_url=facts["url"],
        auth_url=facts["url"],
        requests_per_second=1_000_000,
    )
    client = TikTokShopClient(app, StaticToken(facts["access_token"]))
    shop_id, cipher = facts["shop"]
    shop = Shop(shop_id, cipher, "GB", "LOCAL", "X")
    output: Any = StorePath(facts["output"]) if facts["store"] else facts["output"]
    if "://" in facts["output"]:
        from airflow.sdk import ObjectStoragePath

        output = ObjectStoragePath(facts["output"])
    manifest = extract("orders", client, shop, facts["start"], facts["end"], output, **facts["options"])
    print(json.dumps({**manifest.to_dict(), "peak_mb": peak_mb()}), flush=True)


if __name__ == "__main__":
    _main()
