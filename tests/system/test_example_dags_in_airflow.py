"""The extraction DAGs as a scheduler runs them: scheduled, backfilled twice, by the form, and with a dead seller among the living."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from airflow_provider_tiktokshop.auth.records import RecordKey, RotatedRecord, ShopRecord, authorization_id
from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import REPOSITORY, AirflowStack
from tests.support.extracted import check_rows
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.waiting import wait_until

NAMES = ("orders", "products", "fulfillment", "aftersales", "finance", "promotion", "affiliate", "analytics")
DAGS = [f"tiktokshop_extract_{name}" for name in NAMES]
ORDERS, BACKFILL = "tiktokshop_extract_orders", "tiktokshop_backfill"
DAY = timedelta(days=1)

# All eight DAGs begin at once, and whichever is looked at first has waited for the others' tasks, too.
pytestmark = pytest.mark.timeout(600)
ENDED = {"success", "failed", "skipped", "upstream_failed"}


class Company:
    """An app in a whole Airflow, with a seller and a creator; a second seller comes later."""

    def __init__(self, stack: AirflowStack, emulator: EmulatorProcess, output: Path) -> None:
        self.stack = stack
        self.api = stack.api
        self.emulator = emulator
        self.output = output
        self.seller, self.newcomer = emulator.sellers
        (self.shop,) = self.seller["shops"]
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.days = [today - number * DAY for number in (4, 3, 2)]
        self.filled_in: list[dict[str, str]] = []

    def authorize(self, user: dict[str, Any], user_type: int = 0) -> None:
        """Keep a user's tokens and shops where the rotation would."""
        token = self.emulator.account(user["open_id"])["tokens"][-1]
        record = RotatedRecord(
            app_key=self.emulator.app_key,
            issuer=self.emulator.url.removeprefix("http://"),
            id=authorization_id(user["open_id"]),
            open_id=user["open_id"],
            user_type=user_type,
            access_token=token["access_token"],
            access_expires_at=token["access_token_expire_in"],
            refresh_token=token["refresh_token"],
            pair_at=1.0,
            verified=True,
            shops=tuple(
                ShopRecord(shop["id"], shop["cipher"], shop["region"], shop["seller_type"], shop["code"])
                for shop in user.get("shops", ())
            ),
        )
        key = RecordKey("rotated", record.app_key, record.id)
        self.api.set_variable(key.name, json.dumps(record.to_json()))

    def manifests(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return what the run's tasks have extracted, by now."""
        return [
            self.api.xcom(dag_id, run_id, task["task_id"], map_index=task["map_index"])
            for task in self.api.task_instances(dag_id, run_id)
            if task["task_id"].startswith("extract") and task["state"] == "success"
        ]

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Return the state of each task, with the map index of a mapped one."""
        found = self.api.task_instances(dag_id, run_id)
        return {
            task["task_id"] + (f" {task['map_index']}" if task["map_index"] >= 0 else ""): task["state"]
            for task in found
        }

    def failures(self, dag_id: str, run_id: str) -> str:
        """Return the end of the log of each task that did not succeed."""
        found = self.api.task_instances(dag_id, run_id)
        return "\n".join(
            f"{task['task_id']} {task['map_index']} {task['state']}, try {task['try_number']}: "
            + self.api.task_log(
                dag_id, run_id, task["task_id"], try_number=max(1, task["try_number"]), map_index=task["map_index"]
            )[-4000:]
            for task in found
            if task["state"] not in {"success", "skipped"}
        )

    def backfill(self, dag_id: str, first: datetime, last: datetime, *, by_command: bool) -> list[dict[str, Any]]:
        """Run the days, those again that were run before, and return their runs."""
        # The scheduler looks only now and then whether one is over, and lets no other begin before.
        wait_until(lambda: self._no_backfill_of(dag_id), timeout=90, what=f"the end of a backfill of {dag_id}")
        before = {run["dag_run_id"]: run["queued_at"] for run in self.api.runs(dag_id)}
        asked = {"dag_id": dag_id, "from_date": first.isoformat(), "to_date": last.isoformat()}
        asked["reprocess_behavior"] = "completed"
        if by_command:
            options = [part for name, value in asked.items() for part in (f"--{name.replace('_', '-')}", value)]
            created = self.stack.cli("backfill", "create", *options)
            assert created.returncode == 0, created.output
        else:
            self.api.request("POST", "backfills", json=asked)
        days = (last - first).days + 1

        def ended() -> list[dict[str, Any]] | None:
            runs = [
                run
                for run in self.api.runs(dag_id)
                if run["run_type"] == "backfill" and run["queued_at"] != before.get(run["dag_run_id"])
            ]
            return runs if len(runs) == days and all(run["state"] in {"success", "failed"} for run in runs) else None

        runs = wait_until(
            ended, timeout=120, interval=0.3, what=lambda: f"the backfill of {dag_id}: {self.api.runs(dag_id)}"
        )
        assert {run["state"] for run in runs} == {"success"}
        return runs

    def _no_backfill_of(self, dag_id: str) -> bool:
        found = self.api.get_all("backfills", "backfills", dag_id=dag_id)
        return all(one["completed_at"] for one in found)

    def searches(self) -> int:
        """Return how many pages of orders were given out."""
        return int(self.emulator.stats()["requests"]["POST /order/202309/orders/search"]["0"])

    def files(self, stream: str, start: datetime) -> dict[str, str]:
        """Return the digests of a day's files."""
        folder = self.output / stream / f"shop_id={self.shop['id']}" / f"start={start:%Y%m%dT%H%M%SZ}"
        return {
            str(path.relative_to(folder)): hashlib.sha256(_lasting(path)).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }


def _lasting(path: Path) -> bytes:
    """Return what a file holds, without what a manifest tells of the run that wrote it."""
    if path.name != "manifest.json":
        return path.read_bytes()
    manifest = json.loads(path.read_text())
    assert manifest.pop("run")["attempts"] == 1
    return json.dumps(manifest).encode()


@pytest.fixture(scope="module")
def company(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    # Airflow refuses to create backfills in SQLite while anything else goes on.
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE example_dags"))
    database = make_url(postgres_url).set(database="example_dags")
    asynchronous = database.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    output = tmp_path_factory.mktemp("extracted")
    components = ("api-server", "scheduler", "dag-processor")
    options = {"seed": 61, "sellers": 2, "creators": 1, "orders": 1200, "days": 15, "rate_limit": 100_000}
    with (
        EmulatorProcess(**options) as emulator,
        AirflowStack(
            REPOSITORY / "dags",
            components=components,
            sql_alchemy_conn=database.render_as_string(hide_password=False),
            config={"database": {"sql_alchemy_conn_async": asynchronous}},
            env={"TIKTOKSHOP_OUTPUT_PATH": str(output)},
        ) as stack,
    ):
        # Enough of everything for each stream to have rows of one day.
        emulator.settings(products=600)
        extra = {"api_url": emulator.url, "auth_url": emulator.url, "requests_per_second": 1000}
        stack.api.add_connection(
            "tiktokshop_default",
            "tiktokshop",
            login=emulator.app_key,
            password=emulator.app_secret,
            extra=json.dumps(extra),
        )
        made = Company(stack, emulator, output)
        made.authorize(made.seller)
        made.authorize(emulator.creators[0], 1)
        for dag_id in (*DAGS, BACKFILL):
            stack.api.wait_for_dag(dag_id)
            # Switching one on makes the scheduler run the interval that ended last.
            stack.api.unpause(dag_id)
        yield made


# The tests of this module share the company and stand in the order of its life.


@pytest.mark.parametrize("dag_id", DAGS)
def test_a_dag_is_run_for_its_last_interval_and_extracts_exactly_what_is_true_of_it(
    company: Company, dag_id: str
) -> None:
    (run,) = wait_until(lambda: company.api.runs(dag_id), timeout=60, what=f"a run of {dag_id}")
    run_id = run["dag_run_id"]
    assert company.api.wait_for_run(dag_id, run_id, timeout=240) == "success", company.failures(dag_id, run_id)
    assert run["run_type"] == "scheduled"
    states = company.states(dag_id, run_id)
    # No partner has authorized the app: there is nobody whose orders and campaigns could be extracted.
    idle = {name for name in states if name.startswith("extract_affiliate_partner")}
    assert {states.pop(name) for name in idle} <= {"skipped"}
    assert set(states.values()) == {"success"}, states

    rows: Counter[str] = Counter()
    for manifest in company.manifests(dag_id, run_id):
        assert manifest["complete"]
        assert moment(manifest["end"]) - moment(manifest["start"]) == DAY
        assert moment(manifest["end"]) <= datetime.now(UTC) < moment(manifest["end"]) + DAY
        rows[manifest["stream"]] += check_rows(manifest, company.emulator)
    extractions = {name.partition(" ")[0] for name in states if name.startswith("extract_")}
    # LIVE sessions are one stream in three tasks.
    assert len(rows) == len(extractions) - 2 * ("extract_shop_lives_performance_official_accounts" in extractions)
    assert [stream for stream, number in rows.items() if not number] == []


def test_days_are_filled_in_by_a_backfill(company: Company) -> None:
    runs = company.backfill(ORDERS, company.days[0], company.days[-1], by_command=True)

    for run in runs:
        (manifest,) = company.manifests(ORDERS, run["dag_run_id"])
        assert moment(manifest["start"]) == moment(run["logical_date"])
        assert check_rows(manifest, company.emulator) > 0
    company.filled_in = [company.files("orders", day) for day in company.days]
    assert all(any(name.endswith("manifest.json") for name in files) for files in company.filled_in)


def test_a_backfill_does_not_file_todays_stock_under_last_week(company: Company) -> None:
    dag_id = "tiktokshop_extract_products"

    runs = company.backfill(dag_id, company.days[0], company.days[1], by_command=False)

    for run in runs:
        states = company.states(dag_id, run["dag_run_id"])
        assert states.pop("extract_inventory") == "skipped"
        assert set(states.values()) == {"success"}
        manifests = company.manifests(dag_id, run["dag_run_id"])
        assert {manifest["stream"] for manifest in manifests} == {"products", "product_detail"}
        for manifest in manifests:
            check_rows(manifest, company.emulator)
        assert company.files("inventory", moment(run["logical_date"])) == {}


def test_the_form_fills_in_a_period_in_chunks(company: Company) -> None:
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    period = {"start": (end - 14 * DAY).isoformat(), "end": end.isoformat(), "chunk_days": 6}

    run_id = company.api.trigger(BACKFILL, conf={"stream": "orders", "pii": "drop", **period})

    assert company.api.wait_for_run(BACKFILL, run_id) == "success", company.states(BACKFILL, run_id)
    manifests = company.manifests(BACKFILL, run_id)
    assert [moment(one["end"]) - moment(one["start"]) for one in manifests] == [6 * DAY, 6 * DAY, 2 * DAY]
    assert {(one["cursor_field"], one["options"]["lookback"], one["options"]["pii"]) for one in manifests} == {
        ("create_time", 0, "drop")
    }
    assert all(str(company.output / "backfill") in one["manifest_path"] for one in manifests)
    made = sum(check_rows(manifest, company.emulator) for manifest in manifests)
    bounds = {"ge": int((end - 14 * DAY).timestamp()), "lt": int(end.timestamp())}
    assert made == len(company.emulator.truth(company.shop["id"], cursor="create_time", **bounds)) > 0


def test_the_form_refuses_nonsense_with_what_would_work(company: Company) -> None:
    period = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    runs = {
        company.api.trigger(BACKFILL, conf={"stream": "order", **period}): "did you mean orders",
        company.api.trigger(BACKFILL, conf={"stream": "coupons", **period}): "only tells its present state",
    }

    for run_id, words in runs.items():
        assert company.api.wait_for_run(BACKFILL, run_id) == "failed"
        assert company.states(BACKFILL, run_id) == {"plan": "failed", "extract": "upstream_failed"}
        assert words in company.api.task_log(BACKFILL, run_id, "plan")


def test_the_same_days_once_more_give_the_same_files(company: Company) -> None:
    searches = company.searches()

    runs = company.backfill(ORDERS, company.days[0], company.days[-1], by_command=False)

    assert {moment(run["logical_date"]) for run in runs} == set(company.days)
    assert company.searches() >= searches + len(company.days)
    assert [company.files("orders", day) for day in company.days] == company.filled_in


def test_a_seller_who_left_unnoticed_stops_none_of_the_others(company: Company) -> None:
    dag_id = "tiktokshop_extract_aftersales"
    company.authorize(company.newcomer)
    (dead,) = company.newcomer["shops"]
    company.emulator.account(company.newcomer["open_id"], deauthorize=True)

    run_id = company.api.trigger(dag_id, logical_date=datetime.now(UTC) - DAY)

    def settled() -> dict[str, str] | None:
        states = company.states(dag_id, run_id)
        extractions = [state for name, state in states.items() if name.startswith("extract")]
        return states if len(extractions) == 6 and set(extractions) <= ENDED | {"up_for_retry"} else None

    states = wait_until(settled, timeout=120, interval=0.3, what=lambda: str(company.states(dag_id, run_id)))
    mapped = [shop["shop_id"] for shop in company.api.xcom(dag_id, run_id, "shops")]
    living, dying = mapped.index(company.shop["id"]), mapped.index(dead["id"])
    # What the dead seller's tasks wait for is the rotation: it is what finds out, and then leaves the seller out.
    for stream in ("returns", "return_records", "cancellations"):
        assert states[f"extract_{stream} {living}"] == "success"
        assert states[f"extract_{stream} {dying}"] == "up_for_retry"
    assert {manifest["shop_id"] for manifest in company.manifests(dag_id, run_id)} == {company.shop["id"]}
    log = company.api.task_log(dag_id, run_id, "extract_returns", map_index=dying)
    assert "TikTok Shop refuses the access token" in log
    company.api.request("PATCH", f"dags/{dag_id}/dagRuns/{quote(run_id)}", json={"state": "failed"})


def test_no_secret_is_left_in_any_answer_log_or_file(company: Company) -> None:
    secrets = company.emulator.secrets()
    places = {
        **dict(answers_of(company.api)),
        **dict(files_below(company.stack.home / "logs")),
        **dict(files_below(company.output)),
    }

    assert len(secrets) > 5
    assert any(name.startswith("xcom ('tiktokshop_extract_finance'") for name in places)
    assert any(name.endswith(".jsonl.gz") for name in places)
    assert find_leaks(secrets, places.items()) == []


def moment(told: str) -> datetime:
    return datetime.fromisoformat(told)
