"""How a run over many sellers gets going, and what it asks of the store beside the rotations."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy
from cryptography.fernet import Fernet

from airflow_provider_tiktokshop.auth import owner
from airflow_provider_tiktokshop.auth.fleet import rotate_all
from airflow_provider_tiktokshop.auth.records import RecordKey
from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher
from airflow_provider_tiktokshop.auth.stores.sql_engine import store_engine

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


def test_the_sellers_whose_answers_a_kill_took_along_do_not_stop_the_run_for_all_others(workbench):
    """They come first in the next run, and each is refused: that was to be expected, and says nothing about the app."""
    bench = workbench(sellers=8)
    ids = bench.adopt_seeds()
    bench.run()
    killed = {}
    for id_ in bench.authorizations.ids()[:4]:
        record = bench.record(id_)
        bench.oauth.redeem_refresh_token(record.refresh_token)
        intent = owner.announce(bench.clock, record.pair.fingerprint)
        owner.finished(intent)
        bench.write_record(replace(record, intent=intent))
        killed[id_] = record
    report = rotate_all(bench.rotator(), [*killed, *(id_ for id_ in ids if id_ not in killed)])
    assert report.stopped is None
    assert report.counts == {"refused": 4, "rotated": 4}
    assert {bench.record(id_).status for id_ in killed} == {"reauthorization_required"}


def test_what_a_run_reads_and_notes_of_its_sellers_takes_few_statements_however_many_they_are(workbench, tmp_path):
    engine = store_engine(f"sqlite:///{tmp_path}/records.db")
    bench = workbench(sellers=40, store=SqlStore(engine, fernet_cipher(Fernet.generate_key().decode())))
    bench.adopt_seeds()
    bench.run()
    statements = []
    sqlalchemy.event.listen(engine, "checkout", lambda *_: statements.append(1))
    report = bench.run()
    assert report.rotation.counts == {"rotated": 40}
    assert len(report.authorizations) == 40
    # Four for each rotation, and a handful for the list, the look before and after, and the roster.
    assert len(statements) <= 4 * 40 + 12
    roster = bench.store.read(RecordKey("roster", bench.app.app_key)).value["authorizations"]
    assert {entry["open_id"] for entry in roster.values()} == {s["open_id"] for s in bench.emulator.sellers}
    engine.dispose()


def test_a_record_that_cannot_be_read_hides_no_other_seller(workbench):
    bench = workbench(sellers=3)
    ids = bench.adopt_seeds()
    bench.run()
    bench.store.write(RecordKey("rotated", bench.app.app_key, ids[1]), {"schema": 999})
    seen = bench.authorizations.look(ids)
    assert [seen[id_] is None for id_ in ids] == [False, True, False]
    report = bench.run()
    assert report.rotation.counts == {"rotated": 2, "failed": 1}
