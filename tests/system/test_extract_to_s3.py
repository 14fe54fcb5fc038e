"""The operator in a real Airflow, writing to a real S3-compatible server through the Amazon provider's connection."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.testing.emulator import EmulatorProcess
from tests.support.airflow_stack import API_SERVER, AirflowStack
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.object_store import ObjectStore

DAGS = Path(__file__).parent / "dags"
DAY = 86_400


@pytest.mark.timeout(600)  # four servers start, three tasks import the Amazon provider
@pytest.mark.parametrize("airflow", ["newest", pytest.param("oldest", marks=pytest.mark.oldest)])
def test_parquet_and_lines_go_to_s3_and_a_later_task_reads_them(airflow: str, request: pytest.FixtureRequest) -> None:
    python = sys.executable if airflow == "newest" else request.getfixturevalue("oldest_python")
    with (
        EmulatorProcess(orders=250, days=5) as emulator,
        ObjectStore() as store,
        AirflowStack(DAGS, components=API_SERVER, python=python) as stack,
    ):
        extra = {
            "refresh_token": emulator.sellers[0]["refresh_token"],
            "api_url": emulator.url,
            "auth_url": emulator.url,
        }
        stack.api.add_connection(
            "lake", "tiktokshop", login=emulator.app_key, password=emulator.app_secret, extra=json.dumps(extra)
        )
        s3 = store.connection
        stack.api.add_connection(
            store.conn_id, s3["conn_type"], login=s3["login"], password=s3["password"], extra=json.dumps(s3["extra"])
        )
        shop = emulator.sellers[0]["shops"][0]["id"]
        truth = emulator.truth(shop)
        conf = {
            "shop_id": shop,
            "start": datetime.fromtimestamp(truth[0]["update_time"] - DAY, UTC).isoformat(),
            "end": datetime.fromtimestamp(truth[-1]["update_time"] + 1, UTC).isoformat(),
            "output": store.url("airflow"),
        }
        assert stack.dags_test_use_executor("lake_rotate").returncode == 0

        result = stack.dags_test_use_executor("lake_extract", conf=conf, timeout=300)

        assert result.returncode == 0, result.output[-3000:]
        run_id = str(stack.api.runs("lake_extract")[0]["dag_run_id"])
        expected = sorted(row["id"] for row in truth)
        for task, suffix in (("columns", "parquet"), ("lines", "jsonl.gz")):
            manifest = stack.api.xcom("lake_extract", run_id, task)
            place = manifest["manifest_path"].rsplit("/", 1)[0]
            assert place.startswith(conf["output"])
            assert manifest["rows"] == len(truth)
            names = [file["path"].removeprefix(place + "/") for file in manifest["files"]]
            assert {name.split(".", 1)[1] for name in names} == {suffix}
            assert store.keys(place) == ["manifest.json", *names]
            read = stack.api.xcom("lake_extract", run_id, f"read_{task}")
            assert read["ids"] == expected
            assert bool(read["personal"]) == (task == "lines")
        secrets = [*emulator.secrets(), s3["password"]]
        places = {**dict(answers_of(stack.api)), **dict(files_below(stack.home / "logs"))}
        assert find_leaks(secrets, places.items()) == []
