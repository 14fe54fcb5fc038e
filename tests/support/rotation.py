"""Everything that rotates, put together against a running emulator, with a store that lives in files."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.clock import SystemClock
from airflow_provider_tiktokshop.api.http import Http
from airflow_provider_tiktokshop.api.oauth import OAuthClient
from airflow_provider_tiktokshop.auth.consent import AuthorizationFlow
from airflow_provider_tiktokshop.auth.escrow import Escrow
from airflow_provider_tiktokshop.auth.reader import Authorizations
from airflow_provider_tiktokshop.auth.records import RecordKey, RotatedRecord, ShopRecord, authorization_id
from airflow_provider_tiktokshop.auth.rotation import Outcome, Rotator
from airflow_provider_tiktokshop.auth.run import RunReport, run_rotation
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreUnavailable, TokenStore


class FileStore(TokenStore):
    """One JSON file per record, last writer wins: what Variables do, but other processes can be killed around it.

    :param outage: while this file exists, the store does not answer.
    """

    def __init__(self, directory: Path, *, lists: bool = True) -> None:
        self.directory = directory
        self.outage = directory / "outage"
        self.lists = lists
        self.writes = 0
        directory.mkdir(parents=True, exist_ok=True)

    def _check(self) -> None:
        if self.outage.exists():
            raise StoreUnavailable("the store does not answer")

    def read(self, key: RecordKey) -> Snapshot:
        self._check()
        try:
            return Snapshot(json.loads((self.directory / f"{key.name}.json").read_text()))
        except FileNotFoundError:
            return Snapshot(None, proven=self.lists)

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
        self._check()
        self.writes += 1
        temporary = self.directory / f"{key.name}.{os.getpid()}.{threading.get_ident()}.tmp"
        temporary.write_text(json.dumps(value))
        temporary.replace(self.directory / f"{key.name}.json")
        return Snapshot(value)

    def ids(self, kind: str, app_key: str) -> tuple[str, ...] | None:
        self._check()
        if not self.lists:
            return None
        prefix = f"tiktokshop_{kind}__{app_key}__"
        return tuple(sorted(p.stem.removeprefix(prefix) for p in self.directory.glob(f"{prefix}*.json")))


class FailingWrites(FileStore):
    """Takes intents, and refuses the pairs that answer them for as long as ``failing`` is set."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.failing = False
        self.refused = threading.Event()

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
        if self.failing and key.kind == "rotated" and (value.get("intent") or {}).get("answered"):
            self.refused.set()
            raise StoreUnavailable("the API server is down")
        return super().write(key, value, expected)


class HandClock(SystemClock):
    """The machine's clock, moved by hand: forward by ``advance``; the boot-time clock can jump like after a freeze."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.slept: list[float] = []
        self.on_boottime: Callable[[], object] = lambda: None

    def now(self) -> float:
        return super().now() + self.offset

    def boottime(self) -> float:
        self.on_boottime()
        return super().boottime() + self.offset

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.offset += seconds


class Workbench:
    """One app of one emulator, wired as an Airflow task would wire it."""

    def __init__(self, emulator: Any, directory: Path, *, store: TokenStore | None = None, **changes: Any) -> None:
        self.emulator = emulator
        self.directory = directory
        self.app = App(
            **{
                "app_key": emulator.app_key,
                "app_secret": emulator.app_secret,
                "service_id": emulator.service_id,
                "api_url": emulator.url,
                "auth_url": emulator.url,
                "authorize_url": f"{emulator.url}/open/authorize",
                "requests_per_second": 1000.0,
            }
            | changes
        )
        self.clock = HandClock()
        self.http = Http()
        self.store = store or FileStore(directory / "store")
        self.masked: list[str] = []
        self.escrow = Escrow(directory / "escrow", self.app.app_key, self.app.app_secret)
        self.oauth = OAuthClient(self.app, self.http)
        self.authorizations = Authorizations(self.app, self.store, clock=self.clock, mask=self.masked.append)

    def probe(self, access_token: str, user_type: int) -> tuple[ShopRecord, ...]:
        client = TikTokShopClient(self.app, StaticToken(access_token), http=self.http)
        return tuple(ShopRecord(s.id, s.cipher, s.region, s.seller_type, s.code) for s in client.shops())

    def rotator(self, **changes: Any) -> Rotator:
        values: dict[str, Any] = {"clock": self.clock, "mask": self.masked.append} | changes
        return Rotator(self.app, self.store, self.escrow, self.oauth, self.probe, **values)

    def flow(self) -> AuthorizationFlow:
        return AuthorizationFlow(
            self.app,
            self.store,
            self.escrow,
            self.oauth,
            self.authorizations,
            self.probe,
            clock=self.clock,
            mask=self.masked.append,
        )

    def run(self, *, rotator: Rotator | None = None, **options: Any) -> RunReport:
        return run_rotation(rotator or self.rotator(), self.flow(), self.authorizations, **options)

    def adopt_seeds(self) -> list[str]:
        """Authorize every seller by its seed, and return the ids of their authorizations."""
        ids = []
        for seller in self.emulator.sellers:
            self.run(seed=seller["refresh_token"], open_ids=[])
            ids.append(authorization_id(seller["open_id"]))
        return ids

    def leave_in_escrow(self, id_: str) -> None:
        """Rotate with a store that takes no pair, in a task that is told to end: the pair is in escrow only."""
        assert isinstance(self.store, FailingWrites)
        self.store.failing = True
        rotator = self.rotator()
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(rotator.rotate, id_)
            assert self.store.refused.wait(10)
            rotator.interrupted.set()
            assert under_way.result(20).outcome is Outcome.ESCROWED
        self.store.failing = False

    def record(self, id_: str) -> RotatedRecord:
        value = self.store.read(RecordKey("rotated", self.app.app_key, id_)).value
        assert value is not None
        return RotatedRecord.from_json(value)

    def write_record(self, record: RotatedRecord) -> None:
        self.store.write(RecordKey("rotated", self.app.app_key, record.id), record.to_json())

    @property
    def redemptions(self) -> int:
        return int(self.emulator.stats()["redemptions_total"])

    def reused(self) -> int:
        return int(self.emulator.stats()["reused_refresh_tokens_total"])

    @property
    def presentations(self) -> int:
        return int(sum(self.emulator.stats()["presented_refresh_tokens"].values()))
