"""How a run over many sellers gets going."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_tiktokshop.auth.fleet import rotate_all

REFRESH = "/api/v2/token/refresh"


@pytest.mark.parametrize(("concurrency", "waves"), [(64, [1, 4, 25]), (8, [1, 4, 8]), (2, [1, 2, 2])])
def test_the_first_seller_goes_alone_then_four_and_then_as_many_as_are_allowed(workbench, concurrency, waves):
    bench = workbench(sellers=30)
    ids = bench.adopt_seeds()
    before = bench.emulator.stats()["redemptions_total"]
    bench.emulator.faults({"match": REFRESH, "kind": "hold", "times": None})
    run = threading.Thread(target=rotate_all, args=(bench.rotator(), ids), kwargs={"concurrency": concurrency})
    run.start()
    for wave in waves:
        bench.emulator.wait_held(wave)
        # Whoever was let go before has ended: those who are held are all that is in flight.
        assert bench.emulator.stats()["in_flight"] == wave
        bench.emulator.release()
    bench.emulator.faults()
    bench.emulator.release()
    run.join()
    assert bench.emulator.stats()["redemptions_total"] == before + 30
