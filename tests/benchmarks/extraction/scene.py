"""One emulator with one shop, and contenders run against it, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.benchmarks.extraction.contenders import CONTENDERS, SEARCH
from tests.benchmarks.extraction.contenders.__main__ import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.benchmarks.extraction.contenders import Contender

__all__ = ["ROOT", "Run", "Scene", "scratch"]

ROOT = Path(__file__).resolve().parents[3]
ENDPOINT = f"POST {SEARCH}"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a contender took.

    :param rows: rows in its output.
    :param distinct: different ids among them.
    :param sha256: of the sorted ids.
    :param seconds: of wall time, after the imports.
    :param cpu: seconds of processor time, all threads, after the imports.
    :param imports_seconds: of wall time for the imports.
    :param base_mb: peak memory before it began: the interpreter and the imports.
    :param peak_mb: peak memory in all.
    :param requests: how the service answered, by code.
    """

    rows: int
    distinct: int
    sha256: str
    seconds: float
    cpu: float
    imports_seconds: float
    base_mb: float
    peak_mb: float
    versions: dict[str, str]
    shared: dict[str, str]
    ids: list[str] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


class Scene:
    """An emulator with signatures on and nothing in the way, until told otherwise.

    :param orders: how many orders the shop has.
    :param settings: the emulator's switches once its caches are warm.
    """

    def __init__(self, orders: int, **settings: Any) -> None:
        self.orders = orders
        self._settings = settings
        self.emulator = EmulatorProcess(orders=orders, sellers=1, rate_limit=1_000_000)
        self.facts: dict[str, Any] = {}
        self.open_id = ""
        self.versions: dict[str, str] = {}
        self._shared: dict[str, str] = {}

    def __enter__(self) -> Self:
        emulator = self.emulator.__enter__()
        seller = emulator.sellers[0]
        self.open_id = seller["open_id"]
        shop = seller["shops"][0]
        truth = emulator.truth(shop["id"])
        self.facts = {
            "url": emulator.url,
            "app_key": emulator.app_key,
            "app_secret": emulator.app_secret,
            "access_token": emulator.account(self.open_id)["tokens"][-1]["access_token"],
            "shop_id": shop["id"],
            "cipher": shop["cipher"],
            "start": truth[0]["update_time"],
            "end": truth[-1]["update_time"] + 1,
        }
        self.run(CONTENDERS["bare loop"])
        if self._settings:
            emulator.settings(**self._settings)
        return self

    def __exit__(self, *error: object) -> None:
        self.emulator.__exit__(*error)

    def true_ids(self) -> list[str]:
        """Return the ids that the interval holds now, sorted."""
        rows = self.emulator.truth(self.facts["shop_id"], ge=self.facts["start"], lt=self.facts["end"])
        return sorted(row["id"] for row in rows)

    def answered(self) -> Counter[str]:
        """Return how many searches were answered so far, by code, ``0`` being success."""
        return Counter(self.emulator.stats()["requests"].get(ENDPOINT, {}))

    def begin(self, contender: Contender, folder: Path, **options: Any) -> subprocess.Popen[str]:
        """Begin a run. Whoever begins it also ends it."""
        job = {**self.facts, "folder": str(folder), "windows": contender.windows, "options": options}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.extraction.contenders", contender.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_environment(folder),
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        return process

    def finish(self, process: subprocess.Popen[str], before: Counter[str]) -> Run:
        """Wait for a run to end.

        :param before: what was answered before it began.
        """
        out, err = process.communicate()
        if process.returncode:
            raise SystemExit(f"{process.args!r} failed:\n{err[-4000:]}")
        run = Run(**json.loads(out), requests=dict(self.answered() - before))
        self.versions |= run.versions
        # All contenders stand on the same parts, or comparing them says nothing.
        self._shared = self._shared or run.shared
        if run.shared != self._shared:
            raise SystemExit(f"the contenders do not run on the same: {run.shared}, {self._shared}")
        return run

    @staticmethod
    def wait(process: subprocess.Popen[str], until: Callable[[], bool], every: float = 0.05) -> None:
        """Wait until something holds, as long as a run goes on.

        :param every: seconds between two looks.
        """
        while not until() and process.poll() is None:
            time.sleep(every)

    def run(self, contender: Contender, **options: Any) -> Run:
        """Run a contender to its end, in an empty folder."""
        before = self.answered()
        with scratch() as folder:
            return self.finish(self.begin(contender, folder, **options), before)

    def side_by_side(self, contenders: Iterable[Contender], repeat: int) -> dict[str, list[Run]]:
        """Run contenders in turn, ``repeat`` times: A B C A B C. Return their runs by label."""
        runs: dict[str, list[Run]] = {contender.label: [] for contender in contenders}
        for _ in range(repeat):
            for label in runs:
                runs[label].append(self.run(CONTENDERS[label]))
        return runs

    def all_there(self, runs: Iterable[Run]) -> bool:
        """Tell whether each output holds every id of the interval once."""
        expected = self.true_ids()
        return all((run.rows, run.sha256) == (len(expected), digest(expected)) for run in runs)


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a contender: nobody's settings, and compiled modules are kept, as they usually are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # Whatever a tool keeps in its user's home goes with the folder.
    return {**kept, "HOME": str(folder), "DO_NOT_TRACK": "1"}


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="extraction-") as folder:
        yield Path(folder)
