"""A rotation killed with SIGKILL, wherever it is: what the next run finds, and whether the seller is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.auth.records import Status
from tests.support.rotate_until import STEPS

ROOT = Path(__file__).parents[2]

# Killed between the service's answer and the fsync of the escrow, the only copy of the new refresh token is gone. No
# client can save that: where the service lets no spent token through, the seller has to authorize again.
LOST = {("after_reply", "rotate"), ("after_reply", "family"), ("after_mask", "rotate"), ("after_mask", "family")}


def kill_at(bench, step: str, id_: str) -> None:
    emulator = bench.emulator
    app = {k: getattr(emulator, k) for k in ("url", "app_key", "app_secret", "service_id")}
    command = [sys.executable, "-m", "tests.support.rotate_until", step, str(bench.directory), json.dumps(app), id_]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().strip() == f"at {step}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("mode", ["rotate", "family", "grace", "reusable"])
@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_killed_at_any_step_is_taken_up_by_the_next_run(workbench, step, mode):
    bench = workbench(refresh_mode=mode, access_ttl=2 * 86_400)
    [id_] = bench.adopt_seeds()
    bench.run()
    generation = bench.record(id_).generation
    kill_at(bench, step, id_)
    # The first run adopts or waits; by the second the access token's last day has come, and all is decided.
    bench.run()
    bench.clock.offset += 86_400 + 60
    report = bench.run()
    record = bench.record(id_)
    if (step, mode) in LOST:
        assert bench.authorizations.get(id_).status is Status.REAUTHORIZATION_REQUIRED
        assert report.refused or report.dead
        return
    assert bench.authorizations.get(id_).status.usable
    assert record.generation > generation
    assert record.verified
    assert record.intent is None
    assert bench.probe(record.access_token, 0)
    assert not bench.escrow.slots()
    if mode != "grace":
        assert bench.reused() == 0


@pytest.mark.parametrize("mode", ["rotate", "family"])
def test_killed_after_the_service_answered_and_before_the_store_was_written_the_next_run_adopts_the_escrow(
    workbench, mode
):
    bench = workbench(refresh_mode=mode)
    [id_] = bench.adopt_seeds()
    bench.run()
    kill_at(bench, "after_seal", id_)
    spent = bench.record(id_)
    redemptions = bench.redemptions
    [sealed] = bench.escrow.found(id_)
    # With a day less to go the adopted pair is not due: what is seen is the adoption alone.
    bench.run(rotator=bench.rotator(advisory=86_400))
    adopted = bench.record(id_)
    assert adopted.refresh_token == sealed.content["record"]["refresh_token"]
    assert adopted.refresh_token != spent.refresh_token
    assert adopted.verified
    assert bench.redemptions == redemptions
    assert bench.reused() == 0
    assert bench.probe(adopted.access_token, 0)
    assert not bench.escrow.slots()
