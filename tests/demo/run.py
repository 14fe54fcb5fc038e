"""The demo: from two sellers and an app's credentials to files of orders, through a real Airflow."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from airflow_provider_tiktokshop.testing import EmulatorProcess
from tests.demo import checks, summary
from tests.demo.narration import Narrator
from tests.demo.seller import agree
from tests.support.airflow_stack import REPOSITORY, AirflowStack
from tests.support.processes import free_port
from tests.support.waiting import wait_until

DAY = 86_400
CONN_ID = "tiktokshop_default"
ROTATE, EXTRACT = "tiktokshop_rotate_tokens", "tiktokshop_extract_orders"


@contextlib.contextmanager
def finished_demo(directory: Path, out: TextIO = sys.stdout) -> Iterator[Demo]:
    """Run the demo, and stop what it started when the ``with`` block ends. Its files stay.

    :param directory: emptied first
    :raises checks.DemoFailed: the outcome differs from what the emulator knows to be true
    """
    tell = Narrator(out)
    with _signals_end_it(), _alone_in(directory), contextlib.ExitStack() as running:
        redirect_port = free_port()
        emulator = running.enter_context(
            EmulatorProcess(
                sellers=2,
                shops_per_seller=2,
                orders=1500,
                days=5,
                access_ttl=2 * DAY,  # the rotation DAG renews what has less than three days left
                redirect_url=f"http://127.0.0.1:{redirect_port}/",
            )
        )
        tell.say(f"A TikTok Shop emulator listens on {emulator.url}: 2 sellers with 2 shops each.")
        tell.say("Starting Airflow: api-server, scheduler, dag-processor, triggerer (about 20 s) …")
        airflow = running.enter_context(
            AirflowStack(
                REPOSITORY / "dags",
                home=directory / "airflow",
                env={"TIKTOKSHOP_OUTPUT_PATH": str(directory / "extracted")},
                config={"core": {"test_connection": "Enabled"}},
            )
        )
        version = airflow.api.request("GET", "version")["version"]
        tell.say(f"Airflow {version} is healthy on {airflow.url}; nothing listens beyond this machine.")
        demo = Demo(tell, emulator, airflow, redirect_port)
        demo.run()
        tell.plain(f"Files:           {directory / 'extracted'}")
        tell.plain(f"Airflow's home:  {airflow.home}  (all logs are below logs/)")
        yield demo
        tell.plain("\nStopping what was started …")
    tell.say("Done. Nothing of it runs any more.")


class Demo:
    """The steps, in the order in which a data engineer would take them."""

    def __init__(self, tell: Narrator, emulator: EmulatorProcess, airflow: AirflowStack, redirect_port: int) -> None:
        self.tell = tell
        self.emulator = emulator
        self.airflow = airflow
        self.redirect_port = redirect_port
        self.manifests: list[dict[str, Any]] = []
        self.authorizations: list[dict[str, Any]] = []

    def run(self) -> None:
        """Take all steps, compare the outcome with the truth, and print the summary."""
        consenting, seeded = self.emulator.sellers
        self.connect(seeded)
        self.authorize(consenting)
        # From here on tokens live as long as TikTok's.
        self.emulator.settings(access_ttl=7 * DAY)
        self.rotate()
        self.manifests = self.extract()
        self.authorizations = self.status()

        checks.check_authorizations(self.authorizations, self.emulator)
        orders = checks.check_orders(self.manifests, self.emulator)
        ways = {consenting["open_id"]: "consent page", seeded["open_id"]: "seed"}
        summary.print_summary(self.tell, self.authorizations, ways, self.manifests, orders, self.emulator)

    def connect(self, seeded: Mapping[str, Any]) -> None:
        """Add the app's connection. It brings the refresh token of one seller along, as a takeover would."""
        extra = {
            "refresh_token": seeded["refresh_token"],
            "service_id": self.emulator.service_id,
            "market": "global",
            "app_type": "custom",
            "api_url": self.emulator.url,
            "auth_url": self.emulator.url,
            "authorize_url": f"{self.emulator.url}/open/authorize",
        }
        self.airflow.api.add_connection(
            CONN_ID,
            "tiktokshop",
            login=self.emulator.app_key,
            password=self.emulator.app_secret,
            extra=json.dumps(extra),
        )
        self.tell.say(f"Connection {CONN_ID} added: the app, and a refresh token for seller {seeded['open_id']}.")

    def authorize(self, seller: Mapping[str, Any]) -> None:
        """Let the other seller consent: link, consent page, redirect, code exchange."""
        self.tell.say("Running `airflow tiktokshop authorize` for the other seller …")
        arguments = ("tiktokshop", "authorize", "--conn-id", CONN_ID, "--listen", str(self.redirect_port))
        log = self.airflow.home / "logs" / "components" / "authorize.log"
        command = self.airflow.family.start(
            "authorize",
            self.airflow.airflow(*arguments),
            env=self.airflow.env,
            cwd=self.airflow.home,
            log=log,
        )

        def link() -> str | None:
            printed = log.read_text()
            if command.poll() is not None:
                raise checks.DemoFailed(f"`airflow {' '.join(arguments)}` ended early:\n{printed}")
            found = re.search(r"http\S+/open/authorize\?\S+", printed)
            return found[0] if found and "Waiting for the redirect" in printed else None

        page = agree(wait_until(link, timeout=60, what="the link", interval=0.2), seller["open_id"])
        if command.wait(60) != 0 or "Received" not in page:
            raise checks.DemoFailed(f"the authorization did not succeed:\n{log.read_text()}")
        self.tell.say(f"Seller {seller['open_id']} agreed on the consent page; the code was exchanged for tokens.")

    def rotate(self) -> None:
        """Run the rotation DAG. Its schedule would run it every six hours."""
        api = self.airflow.api
        api.wait_for_dag(ROTATE)
        run_id = api.trigger(ROTATE)
        # If its time has just passed, it runs for that as well when it is switched on. Whichever comes first rotates.
        api.unpause(ROTATE)
        self.tell.say(f"{ROTATE} switched on and triggered …")
        self._wait(ROTATE, run_id)
        runs = [run["dag_run_id"] for run in api.runs(ROTATE) if run["state"] == "success"]
        outcomes = [api.xcom(ROTATE, run, "rotate") for run in runs]
        rotated = sum(outcome["counts"].get("rotated", 0) for outcome in outcomes)
        redeemed = any((outcome["seed"] or {}).get("outcome") == "redeemed" for outcome in outcomes)
        self.tell.say(
            f"Rotated: {rotated} pair of tokens. The connection's own refresh token: {'' if redeemed else 'not '}redeemed."
        )

    def extract(self) -> list[dict[str, Any]]:
        """Let the scheduler run the extraction DAG for yesterday, and return the manifests."""
        api = self.airflow.api
        api.wait_for_dag(EXTRACT)
        # It is on a daily schedule: switched on, it runs by itself for the last full day.
        api.unpause(EXTRACT)
        self.tell.say(f"{EXTRACT} switched on; waiting for the scheduler to run it for yesterday …")
        runs = wait_until(lambda: api.runs(EXTRACT), timeout=60, what=f"a scheduled run of {EXTRACT}", interval=0.3)
        run_id = runs[-1]["dag_run_id"]
        self._wait(EXTRACT, run_id)
        mapped = [task for task in api.task_instances(EXTRACT, run_id) if task["task_id"] == "extract_orders"]
        return [api.xcom(EXTRACT, run_id, "extract_orders", map_index=task["map_index"]) for task in mapped]

    def status(self) -> list[dict[str, Any]]:
        """Return what `airflow tiktokshop status` says."""
        result = self.airflow.cli("tiktokshop", "status", "--conn-id", CONN_ID, "--output", "json")
        printed = re.search(r"^\[$.*^\]$", result.output, re.MULTILINE | re.DOTALL)
        if result.returncode or not printed:
            raise checks.DemoFailed(f"`airflow tiktokshop status` failed:\n{result.output}")
        return list(json.loads(printed[0]))

    def _wait(self, dag_id: str, run_id: str) -> None:
        api, show = self.airflow.api, self.tell.task_progress(dag_id)
        # All runs of the DAG, for one may have to wait for another.
        if api.wait_for_run(dag_id, run_id, progress=lambda _: show(api.task_instances(dag_id, "~"))) == "success":
            return
        logs = [
            f"--- {task['task_id']}[{task['map_index']}]\n"
            + api.task_log(
                dag_id,
                run_id,
                task["task_id"],
                try_number=max(1, task["try_number"]),
                map_index=task["map_index"],
            )[-4000:]
            for task in api.task_instances(dag_id, run_id)
            if task["state"] == "failed"
        ]
        raise checks.DemoFailed("\n".join([f"{dag_id} failed", *logs]))


def stay(demo: Demo) -> None:
    """Leave everything running until Ctrl-C."""
    demo.emulator.settings(live=True)  # orders keep coming, for whoever plays on
    tell, home = demo.tell, demo.airflow.home
    tell.plain(f"\nAirflow's UI:    {demo.airflow.url}  (no login; the page TikTok Shop is under Browse)")
    tell.plain(f"Command line:    AIRFLOW_HOME={home} {Path(sys.executable).parent / 'airflow'} tiktokshop status")
    tell.plain(f"Emulator:        {demo.emulator.url}\n\nCtrl-C stops everything.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


@contextlib.contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Empty the directory, unless another demo is at work in it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise checks.DemoFailed(f"another demo is running in {directory}: stop it first") from None
        for name in ("airflow", "extracted"):
            shutil.rmtree(directory / name, ignore_errors=True)
        yield


@contextlib.contextmanager
def _signals_end_it() -> Iterator[None]:
    """Let SIGTERM and SIGHUP clear up like Ctrl-C does, and Ctrl-C also where the shell had it ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
