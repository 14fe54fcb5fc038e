"""Loads into a real DuckDB with a real dlt pipeline, in this process or in one of its own that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.extraction import peak_mb

ROOT = Path(__file__).resolve().parents[2]
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false"}
"""Environment without which dlt tells its makers that it was used, and looks its settings up as Airflow Variables."""


def client_of(emulator: EmulatorProcess, seller: int = 0) -> TikTokShopClient:
    """A client of one of the emulator's sellers."""
    token = emulator.account(emulator.sellers[seller]["open_id"])["tokens"][-1]["access_token"]
    return _client(emulator.url, emulator.app_key, emulator.app_secret, token)


def _client(url: str, app_key: str, app_secret: str, access_token: str) -> TikTokShopClient:
    app = App(app_key=app_key, app_secret=app_secret, api_url=url, auth_url=url, requests_per_second=1_000_000)
    return TikTokShopClient(app, StaticToken(access_token))


class Destination:
    """A DuckDB file, and the working directories of the pipelines that load into it.

    :param folder: where all of that is.
    :param progress: dlt's progress bar.
    """

    def __init__(self, folder: Path, progress: Any = None) -> None:
        self.folder, self._progress = folder, progress
        self.file = folder / "lake.duckdb"

    def pipeline(self, working: str = "working") -> Any:
        """Return the pipeline in one of its working directories; a new one knows nothing."""
        import dlt

        return dlt.pipeline(
            "tiktokshop",
            destination=dlt.destinations.duckdb(str(self.file)),
            dataset_name="shop",
            pipelines_dir=str(self.folder / working),
            **({"progress": self._progress} if self._progress else {}),
        )

    def load(self, loaded: Any, working: str = "working") -> dict[str, int]:
        """Run the pipeline and return how many rows went into each table."""
        pipeline = self.pipeline(working)
        pipeline.run(loaded, loader_file_format="parquet").raise_on_failed_jobs()
        counts: dict[str, int] = pipeline.last_trace.last_normalize_info.row_counts
        return counts

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        import duckdb

        connection = duckdb.connect(str(self.file), read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query over the dataset gives."""
        with self._connection() as connection:
            connection.execute("set schema = 'shop'")
            return list(connection.execute(sql).fetchall())

    def columns(self, table: str) -> dict[str, str]:
        """Return the columns of a table with their types."""
        return {name: kind for name, kind, *_ in self.rows(f"describe {table}")}

    def tables(self) -> list[str]:
        """Return the tables, without dlt's own."""
        found = self.rows("select table_name from information_schema.tables where table_schema = 'shop' order by 1")
        return [name for (name,) in found if not name.startswith("_dlt")]

    def everything(self) -> str:
        """Return all that is in the dataset, as text."""
        names = [*self.tables(), "_dlt_loads", "_dlt_pipeline_state", "_dlt_version"]
        return "\n".join(repr(self.rows(f"select * from {name}")) for name in names)

    def in_a_process(self, emulator: EmulatorProcess, die_at: str | None = None, **options: Any) -> Any:
        """Load orders in a process of its own.

        :param die_at: ``load`` to let it kill itself while the first of its files is being loaded, ``extract`` to let it
            end before there is a pipeline, with the number of rows and the greatest size of the process.
        """
        facts = {
            "folder": str(self.folder),
            "client": [
                emulator.url,
                emulator.app_key,
                emulator.app_secret,
                emulator.account(emulator.sellers[0]["open_id"])["tokens"][-1]["access_token"],
            ],
            "die_at": die_at,
            "options": options,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.dlt_loading"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **QUIET},
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(facts) + "\n")
        process.stdin.flush()
        return process


def _killer() -> Any:
    """Return a progress bar that kills this process when one file is in the destination and the others are not."""
    from dlt.common.runtime.collector import NullCollector

    class Killer(NullCollector):
        def update(self, name: str, inc: int = 1, total: Any = None, *more: Any, **named: Any) -> None:
            if name == "Jobs" and inc and total is None:
                os.kill(os.getpid(), signal.SIGKILL)

    return Killer()


def _main() -> None:
    from airflow_provider_tiktokshop.dlt_source import tiktokshop_resource

    facts = json.loads(sys.stdin.readline())
    destination = Destination(Path(facts["folder"]), progress=_killer() if facts["die_at"] == "load" else None)
    orders = tiktokshop_resource("orders", _client(*facts["client"]), **facts["options"])
    if facts["die_at"] == "extract":
        print(json.dumps({"rows": sum(1 for _ in orders), "peak_mb": peak_mb()}))
    else:
        print(json.dumps(destination.load(orders)))


if __name__ == "__main__":
    _main()
