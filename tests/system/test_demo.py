"""The demo, and what a whole run of the product leaves behind."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo import checks
from tests.demo.run import EXTRACT, Demo, finished_demo
from tests.support.airflow_stack import REPOSITORY
from tests.support.leaks import answers_of, files_below, find_leaks
from tests.support.processes import clean_environment


@pytest.fixture(scope="module")
def narrated() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, narrated: io.StringIO) -> Iterator[Demo]:
    with finished_demo(tmp_path_factory.mktemp("demo"), out=narrated) as demo:
        yield demo


def secrets_of(demo: Demo) -> list[str]:
    secrets = demo.emulator.secrets()
    # Seed, code, and two pairs for each seller, and the app's own: fewer would mean that the scan looks for nothing.
    assert len(secrets) >= 9
    return secrets


def test_no_secret_is_in_any_file_that_the_run_left(demo: Demo) -> None:
    directory = demo.airflow.home.parent
    places = dict(files_below(directory))
    assert any(name.endswith("airflow.db") for name in places)
    assert any("/logs/" in name and "rotate" in name for name in places)

    assert find_leaks(secrets_of(demo), places.items()) == []


def test_no_secret_is_in_any_answer_of_the_rest_api(demo: Demo) -> None:
    places = dict(answers_of(demo.airflow.api))
    assert any(name.startswith("xcom") for name in places)
    assert any(name.startswith("variable tiktokshop_rotated") for name in places)
    assert any(name.startswith("log") for name in places)

    assert find_leaks(secrets_of(demo), places.items()) == []


def test_no_secret_is_on_the_status_page_or_in_what_the_demo_says(demo: Demo, narrated: io.StringIO) -> None:
    page = demo.airflow.api.request("GET", "/tiktokshop/", raw=True)
    assert demo.authorizations[0]["open_id"] in page

    assert find_leaks(secrets_of(demo), [("page", page.encode()), ("demo", narrated.getvalue().encode())]) == []


def test_no_signature_and_no_seller_name_is_in_logs_or_metadata(demo: Demo) -> None:
    names = [account["name"] for account in demo.emulator.control("GET", "accounts")["accounts"]]
    assert len([*filter(None, names)]) == 2
    places = [*files_below(demo.airflow.home), *answers_of(demo.airflow.api)]

    assert find_leaks(["sign=", "access_token=", "refresh_token=", "auth_code=", *names], places) == []


def test_the_search_for_secrets_finds_one_in_a_file_in_an_archive_and_in_a_url(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x EMU_a+b/c x")
    (tmp_path / "rows.gz").write_bytes(gzip.compress(b"EMU_a+b/c"))
    (tmp_path / "url").write_text("?t=EMU_a%2Bb%2Fc")

    assert len(find_leaks(["EMU_a+b/c"], files_below(tmp_path))) == 3


def test_the_demo_tells_when_orders_are_not_what_the_emulator_has(demo: Demo, tmp_path: Path) -> None:
    assert checks.check_orders(demo.manifests, demo.emulator) == sum(manifest["rows"] for manifest in demo.manifests)
    with pytest.raises(checks.DemoFailed, match="shops extracted"):
        checks.check_orders(demo.manifests[1:], demo.emulator)

    def lines_of_one_file(change: Any) -> list[dict[str, Any]]:
        manifests = copy.deepcopy(demo.manifests)
        file = manifests[0]["files"][0]
        lines = change(gzip.decompress(Path(file["path"]).read_bytes()).splitlines(keepends=True))
        content = gzip.compress(b"".join(lines))
        changed = tmp_path / "changed.jsonl.gz"
        changed.write_bytes(content)
        manifests[0]["rows"] += len(lines) - file["rows"]
        file |= {
            "path": str(changed),
            "rows": len(lines),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        return manifests

    with pytest.raises(checks.DemoFailed, match="1 missing, 0 too many, 0 outdated"):
        checks.check_orders(lines_of_one_file(lambda lines: lines[1:]), demo.emulator)
    with pytest.raises(checks.DemoFailed, match="1 orders more than once"):
        checks.check_orders(lines_of_one_file(lambda lines: [*lines, lines[0]]), demo.emulator)
    newer = b'"update_time":1'
    with pytest.raises(checks.DemoFailed, match="0 missing, 0 too many, 1 outdated"):
        checks.check_orders(
            lines_of_one_file(lambda lines: [lines[0].replace(b'"update_time":', newer), *lines[1:]]), demo.emulator
        )
    damaged = copy.deepcopy(demo.manifests)
    damaged[0]["files"][0]["sha256"] = "0" * 64
    with pytest.raises(checks.DemoFailed, match="is not the file"):
        checks.check_orders(damaged, demo.emulator)


def test_the_extraction_ran_on_its_schedule_for_a_whole_day(demo: Demo) -> None:
    run = demo.airflow.api.runs(EXTRACT)[-1]

    assert run["run_type"] == "scheduled"
    assert (run["data_interval_start"], run["data_interval_end"]) == (
        demo.manifests[0]["start"],
        demo.manifests[0]["end"],
    )


def test_two_demos_do_not_share_a_directory(demo: Demo) -> None:
    command = [sys.executable, "-m", "tests.demo", str(demo.airflow.home.parent)]
    second = subprocess.run(command, cwd=REPOSITORY, env=clean_environment(), capture_output=True, text=True)

    assert second.returncode == 1
    assert "another demo is running" in second.stderr
