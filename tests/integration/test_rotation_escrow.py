"""What a rotation does when the disk between the answer and the store fails it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tiktokshop.auth.records import RecordKey
from airflow_provider_tiktokshop.auth.rotation import Outcome
from airflow_provider_tiktokshop.auth.stores.base import Snapshot
from tests.support.rotation import FailingWrites, FileStore, Workbench

REFRESH = "/api/v2/token/refresh"
Make = Callable[..., Workbench]


def authorized(bench: Workbench) -> list[str]:
    """Authorize every seller and bring the consents into the rotation's own records."""
    ids = bench.adopt_seeds()
    bench.run()
    return ids


def block(directory: Path) -> None:
    """Put a file where the escrow directory was."""
    directory.rename(directory.with_name("aside"))
    directory.write_text("in the way")


def test_where_nothing_can_be_sealed_nothing_is_spent_and_the_run_says_why(workbench: Make) -> None:
    bench = workbench(sellers=3)
    authorized(bench)
    before = bench.presentations
    block(bench.directory / "escrow")

    with ThreadPoolExecutor(1) as pool:
        results = [pool.submit(bench.rotator().rotate, id_).result(20) for id_ in bench.authorizations.ids()]

    assert {result.outcome for result in results} == {Outcome.CONFIGURATION}
    assert all("escrow_dir" in (result.error or {})["advice"] for result in results)
    assert bench.presentations == before
    assert all(bench.record(id_).intent is None for id_ in bench.authorizations.ids())


def test_a_run_over_an_unusable_escrow_ends_before_the_first_exchange(workbench: Make, monkeypatch: Any) -> None:
    bench = workbench(sellers=3)
    authorized(bench)
    before = bench.presentations
    sync = os.fsync

    def full(descriptor: int) -> None:
        if "escrow" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    report = bench.run()

    assert report.rotation.counts == {"configuration": 1, "not_attempted": 2}
    assert "No space left" in (report.rotation.stopped or "")
    assert bench.presentations == before


def test_in_the_last_day_of_its_access_token_a_seller_is_rotated_without_a_disk(workbench: Make) -> None:
    bench = workbench()
    [id_] = authorized(bench)
    bench.write_record(replace(bench.record(id_), access_expires_at=int(time.time()) + 3600))
    generation = bench.record(id_).generation
    escrow = bench.directory / "escrow"
    block(escrow)
    escrow.unlink()
    # It can be listed, and says that nothing waits; but nothing can be written to it.
    escrow.symlink_to("/proc/self/fdinfo")

    assert bench.rotator().rotate(id_).outcome is Outcome.ROTATED
    assert bench.record(id_).generation == generation + 1


def test_a_disk_that_fails_in_mid_run_costs_no_pair_and_ends_the_run(workbench: Make) -> None:
    bench = workbench(sellers=2)
    first, second = authorized(bench)
    generation = bench.record(first).generation
    bench.emulator.faults({"match": REFRESH, "kind": "hold", "params": {"when": "after"}})
    rotator = bench.rotator()
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(rotator.rotate, first)
        bench.emulator.wait_held()
        block(bench.directory / "escrow")
        bench.emulator.release()
        assert under_way.result(20).outcome is Outcome.ROTATED
    assert bench.record(first).generation == generation + 1
    before = bench.presentations
    assert rotator.rotate(second).outcome is Outcome.CONFIGURATION
    assert bench.presentations == before


@pytest.mark.parametrize("fault", ["list", "read"])
def test_while_the_disk_does_not_tell_whether_a_pair_waits_the_spent_token_is_not_presented(
    workbench: Make, tmp_path: Path, monkeypatch: Any, fault: str
) -> None:
    bench = workbench(refresh_mode="family", store=FailingWrites(tmp_path / "store"))
    [id_] = authorized(bench)
    bench.leave_in_escrow(id_)
    before = bench.presentations

    def broken(*_: object, **__: object) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(*((os, "listdir") if fault == "list" else (Path, "read_bytes")), broken)
        result = bench.rotator().rotate(id_)
    assert result.outcome is Outcome.CONFIGURATION
    assert "Input/output error" in (result.error or {})["text"]
    assert (bench.presentations, bench.reused()) == (before, 0)

    assert bench.rotator().rotate(id_, replace_generation=0).outcome is Outcome.ADOPTED
    assert bench.probe(bench.record(id_).access_token, 0)
    assert bench.reused() == 0


def test_whoever_is_told_to_end_right_after_announcing_sends_nothing_and_takes_the_announcement_back(
    workbench: Make, tmp_path: Path
) -> None:
    class Store(FileStore):
        def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
            if value.get("intent"):
                rotator.interrupted.set()
            return super().write(key, value, expected)

    bench = workbench(store=Store(tmp_path / "store"))
    rotator = bench.rotator()
    rotator.interrupted.set()
    [id_] = bench.adopt_seeds()
    rotator.interrupted.clear()
    before = bench.presentations

    assert rotator.rotate(id_).outcome is Outcome.STOPPED
    assert bench.presentations == before
    assert (bench.record(id_).intent, bench.record(id_).transient_failures) == (None, 0)
