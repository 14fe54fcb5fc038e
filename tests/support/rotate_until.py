"""A server that forks one process for each rotation, which stops at a named step and waits there to be killed.

Everything is imported once; a fork takes milliseconds, so that every step can be killed for every store in every refresh mode.
Each line of standard input is a job (JSON); the forked process answers with lines of its own, the last of which begins with
``at`` (it waits at the step) or ``{`` (it has ended, with a result).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from airflow_provider_tiktokshop.api.client import StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.oauth import OAuthClient
from airflow_provider_tiktokshop.auth.records import RecordKey, RotatedRecord, ShopRecord, authorization_id
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, TokenStore
from tests.support.processes import clean_environment
from tests.support.rotation import FileStore, Workbench

ROOT = Path(__file__).parents[2]
DAY = 86_400
ANSWERS = 100
# In the order in which the protocol reaches them.
STEPS = {
    "before_intent": "before the intent is written",
    "after_intent": "after the intent, before the request",
    "after_reply": "after the service's answer, before masking",
    "after_mask": "after masking, before the pair is sealed",
    "after_seal": "after the pair is sealed, before the store has it",
    "after_store": "after the store has the pair, before escrow is erased",
    "before_test": "before the test read",
    "after_test": "after the test read, before it is noted",
    "after_finish": "after all is noted",
}


class StoppingStore(TokenStore):
    """Any store, but a process stops right before or right after the write that a step is named for."""

    def __init__(self, inner: TokenStore, step: str) -> None:
        self.inner = inner
        self.strict = inner.strict  # type: ignore[misc]
        self.step = step
        self.spent = ""

    def read(self, key: Any) -> Snapshot:
        return self.inner.read(key)

    def ids(self, kind: Any, app_key: str) -> tuple[str, ...] | None:
        return self.inner.ids(kind, app_key)

    def write(self, key: Any, value: dict[str, Any], expected: Any = None) -> Snapshot:
        if key.kind != "rotated" or not self.spent:
            return self.inner.write(key, value, expected)
        kind = self._kind(value)
        if (kind, self.step) in {("intent", "before_intent"), ("pair", "after_seal"), ("finish", "after_test")}:
            stop_here(self.step)
        result = self.inner.write(key, value, expected)
        if (kind, self.step) in {("intent", "after_intent"), ("pair", "after_store"), ("finish", "after_finish")}:
            stop_here(self.step)
        return result

    def _kind(self, value: dict[str, Any]) -> str:
        # Told apart by the access token: in one refresh mode the refresh token stays the same.
        if value["access_token"] == self.spent:
            return "intent" if value.get("intent") else "other"
        return "finish" if value.get("verified") else "pair"


def say(line: str) -> None:
    """Answer on the pipe that was standard output: Airflow logs to standard output."""
    os.write(ANSWERS, f"{line}\n".encode())


def stop_here(step: str) -> NoReturn:
    say(f"at {step}")
    server = os.getppid()
    while os.getppid() == server:
        time.sleep(0.1)
    os._exit(1)


def open_store(name: str, where: str, key: str) -> TokenStore:
    """Return the store that a job names; it lives in a directory or a database."""
    if name == "file":
        return FileStore(Path(where))
    if name == "variables":
        from airflow_provider_tiktokshop.auth.stores.airflow_variables import VariableStore

        return VariableStore()
    from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher
    from airflow_provider_tiktokshop.auth.stores.sql_engine import store_engine

    return SqlStore(store_engine(where), fernet_cipher(key))


class Bench(Workbench):
    """A workbench whose clock, moved by hand, is the one that every part goes by, as the emulator's is moved with it."""

    def __init__(self, job: dict[str, Any]) -> None:
        store = StoppingStore(open_store(job["store"], job["where"], job["key"]), job.get("step", ""))
        super().__init__(SimpleNamespace(**job["emulator"]), Path(job["directory"]), store=store)
        self.stopping = store
        self.clock.offset = job.get("offset", 0.0)
        self.oauth = OAuthClient(self.app, self.http, self.clock)

    def probe(self, access_token: str, user_type: int) -> tuple[ShopRecord, ...]:
        client = TikTokShopClient(self.app, StaticToken(access_token), http=self.http, clock=self.clock)
        return tuple(ShopRecord(s.id, s.cipher, s.region, s.seller_type, s.code) for s in client.shops())


def prepare(job: dict[str, Any]) -> dict[str, Any]:
    """Put each seller's live pair into an empty store, as if its access token had two days left."""
    if job["store"] == "variables":
        from airflow.models.variable import Variable
        from airflow.utils.session import create_session

        with create_session() as session:
            session.query(Variable).delete()
    bench = Bench(job)
    now, ids = bench.clock.now(), []
    for open_id, token in job["held"]:
        record = RotatedRecord(
            app_key=bench.app.app_key,
            issuer=bench.app.issuer,
            id=authorization_id(open_id),
            open_id=open_id,
            access_token=token["access_token"],
            access_expires_at=int(now) + 2 * DAY,
            refresh_token=token["refresh_token"],
            refresh_expires_at=token["refresh_token_expire_in"],
            pair_at=now - 5 * DAY,
            verified=True,
        )
        bench.write_record(record)
        ids.append(record.id)
    return {"ids": ids}


def rotate(job: dict[str, Any]) -> dict[str, Any]:
    """Rotate one authorization, up to a step."""
    bench, id_, step = Bench(job), job["id"], job["step"]
    pair = bench.authorizations.get(id_).pair  # type: ignore[union-attr]
    assert pair is not None
    bench.stopping.spent = pair.access_token
    rotator = bench.rotator()
    if step == "after_reply":
        # The new tokens are the only ones that the store does not hold yet.
        held = {pair.access_token, pair.refresh_token, bench.record(id_).previous_refresh_token}
        rotator.mask = lambda secret: None if secret in held else stop_here(step)
    elif step == "after_mask":
        seal = bench.escrow.seal
        # Not where the escrow proves itself, before anything is sent.
        bench.escrow.seal = lambda slot, content: stop_here(step) if slot == id_ else seal(slot, content)  # type: ignore[method-assign]
    elif step == "before_test":
        rotator.probe = lambda *_: stop_here(step)
    return {"ended": str(rotator.rotate(id_).outcome)}


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Do what the next scheduled run does."""
    report = Bench(job).run()
    return {"outcomes": {r.id: str(r.outcome) for r in report.rotation.results}, "stopped": report.rotation.stopped}


def look(job: dict[str, Any]) -> dict[str, Any]:
    """Return how every authorization stands."""
    bench = Bench(job)
    found = {}
    for seller in bench.emulator.sellers:
        id_ = authorization_id(seller["open_id"])
        record, held = bench.record(id_), bench.authorizations.get(id_)
        assert held is not None
        works = False
        with contextlib.suppress(Exception):
            works = bool(bench.probe(record.access_token, 0))
        found[id_] = {
            "status": str(held.status),
            "generation": record.generation,
            "verified": record.verified,
            "intent": record.intent is not None,
            "works": works,
        }
    return {"found": found, "escrow": bench.escrow.slots()}


JOBS = {"prepare": prepare, "rotate": rotate, "run": run, "look": look}


def make_variables() -> None:
    """Make the tables of Airflow's database that Variables need: migrating all of it would take longer than the tests."""
    from airflow import settings
    from airflow.models.team import Team
    from airflow.models.variable import Variable

    settings.configure_orm()  # type: ignore[no-untyped-call]
    assert settings.engine is not None
    Variable.metadata.create_all(settings.engine, tables=[Team.__table__, Variable.__table__])
    # The first use of a Variable imports a good part of Airflow: better once here than in every process.
    open_store("variables", "", "").read(RecordKey("canary", "warm-up"))
    # No connection may be shared with the processes to be forked.
    settings.engine.dispose()


def serve() -> None:
    """Fork a process for each job."""
    os.dup2(1, ANSWERS)
    os.dup2(2, 1)
    make_variables()
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            say(json.dumps(JOBS[job["do"]](job)))
            os._exit(0)
        say(f"pid {child}")
        _, status = os.waitpid(child, 0)
        say(f"end {os.waitstatus_to_exitcode(status)}")


class RotationServer:
    """The other end: starts the server, sends jobs, kills who waits at a step."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, what: str, **job: Any) -> dict[str, Any]:
        """Do a job to its end and return its result."""
        last = self._send({"do": what, **job})
        assert last.startswith("{"), last
        self._ended(0)
        return dict(json.loads(last))

    def kill_at(self, step: str, **job: Any) -> None:
        """Rotate up to a step, and end the process there with SIGKILL."""
        assert self._send({"do": "rotate", "step": step, **job}) == f"at {step}"
        os.kill(self._pid, 9)
        self._ended(-9)

    def _send(self, job: dict[str, Any]) -> str:
        assert self._process.stdin
        print(json.dumps(job), file=self._process.stdin, flush=True)
        lines = [self._line(), self._line()]
        # Parent and child write to one pipe: which comes first is open.
        lines.sort(key=lambda line: not line.startswith("pid "))
        self._pid = int(lines[0].removeprefix("pid "))
        return lines[1]

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def _ended(self, code: int) -> None:
        line = self._line()
        assert line == f"end {code}", line


@contextlib.contextmanager
def rotation_server(home: Path) -> Iterator[RotationServer]:
    """Run the server over an Airflow of its own.

    :param home: a directory for it.
    """
    from cryptography.fernet import Fernet

    environment = clean_environment() | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.rotate_until"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield RotationServer(process)
        finally:
            process.kill()


if __name__ == "__main__":
    serve()
