"""The DAG that lands orders in DuckDB, in a real Airflow: its rows are the emulator's truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import REPOSITORY, AirflowStack
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.waiting import wait_until

ROTATE, DAG_ID = "tiktokshop_rotate_tokens", "tiktokshop_orders_to_duckdb"
# The scheduler it is that lets only one of the tasks write at a time.
COMPONENTS = ("api-server", "scheduler", "dag-processor")
DAY = 86_400
LOOKBACK = 300
MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class Loaded:
    """An Airflow with a seller of two shops, and the file that its orders go to."""

    def __init__(self, stack: AirflowStack, emulator: EmulatorProcess, file: Path) -> None:
        self.stack, self.emulator, self.file = stack, emulator, file
        extra = {
            "refresh_token": emulator.sellers[0]["refresh_token"],
            "api_url": emulator.url,
            "auth_url": emulator.url,
        }
        stack.api.add_connection(
            "tiktokshop_default",
            "tiktokshop",
            login=emulator.app_key,
            password=emulator.app_secret,
            extra=json.dumps(extra),
        )
        self.wait(ROTATE, self.first_run(ROTATE))

    def first_run(self, dag_id: str) -> str:
        """Switch a DAG on and return the run that the scheduler begins by itself."""
        self.stack.api.wait_for_dag(dag_id)
        self.stack.api.unpause(dag_id)
        runs = wait_until(lambda: self.stack.api.runs(dag_id), timeout=60, what=f"a scheduled run of {dag_id}")
        return str(runs[-1]["dag_run_id"])

    def wait(self, dag_id: str, run_id: str) -> None:
        assert self.stack.api.wait_for_run(dag_id, run_id) == "success"

    def again(self, days_ago: int) -> None:
        """Load the orders of a day in a run of its own."""
        end = MIDNIGHT - timedelta(days=days_ago)
        start = end - timedelta(days=1)
        moment = start + timedelta(seconds=1)
        self.wait(DAG_ID, self.stack.api.trigger(DAG_ID, logical_date=moment, data_interval=(start, end)))

    def orders(self) -> list[tuple[Any, ...]]:
        return self.query("select shop_id, id, update_time from tiktokshop.orders order by all")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def truth(self, days: int) -> list[tuple[Any, ...]]:
        """What changed in the ``days`` before today, as the table should hold it."""
        end = int(MIDNIGHT.timestamp())
        return sorted(
            (shop["id"], row["id"], row["update_time"])
            for shop in self.emulator.sellers[0]["shops"]
            for row in self.emulator.truth(shop["id"], ge=end - days * DAY - LOOKBACK, lt=end)
        )


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    file = tmp_path_factory.mktemp("duckdb") / "shop.duckdb"
    with (
        EmulatorProcess(shops_per_seller=2, orders=300, days=5) as emulator,
        AirflowStack(REPOSITORY / "dags", components=COMPONENTS, env={"TIKTOKSHOP_DUCKDB": str(file)}) as stack,
    ):
        yield Loaded(stack, emulator, file)


# The tests of this module share the deployment and stand in the order of its life.


def test_a_run_lands_the_orders_of_its_day_of_every_shop(loaded: Loaded) -> None:
    run_id = loaded.first_run(DAG_ID)
    loaded.wait(DAG_ID, run_id)

    assert loaded.orders() == loaded.truth(1)
    tasks = [t for t in loaded.stack.api.task_instances(DAG_ID, run_id) if t["task_id"] == "load_orders"]
    assert {t["rendered_map_index"] for t in tasks} == {shop["id"] for shop in loaded.emulator.sellers[0]["shops"]}
    told = [loaded.stack.api.xcom(DAG_ID, run_id, "load_orders", map_index=t["map_index"]) for t in tasks]
    assert sum(one["orders"] for one in told) == len(loaded.orders()) > 0


def test_the_same_day_again_and_the_day_before_give_each_order_once(loaded: Loaded) -> None:
    loaded.again(0)
    loaded.again(1)

    assert loaded.orders() == loaded.truth(2)
    items = "select count(*), count(distinct (_dlt_root_id, _dlt_list_idx)) from tiktokshop.orders__line_items"
    ((count, distinct),) = loaded.query(items)
    assert count == distinct >= len(loaded.orders())


def test_no_secret_is_left_in_any_answer_log_or_file(loaded: Loaded) -> None:
    places = [
        *answers_of(loaded.stack.api),
        *files_below(loaded.stack.home / "logs"),
        *files_below(loaded.file.parent),
        *(
            (table, repr(loaded.query(f"select * from tiktokshop.{table}")).encode())
            for table in ("_dlt_version", "_dlt_pipeline_state")
        ),
    ]
    assert any(name.startswith("log ") and DAG_ID in name for name, _ in places)

    assert find_leaks(loaded.emulator.secrets(), places) == []
    assert not (loaded.stack.home / ".dlt").exists()
