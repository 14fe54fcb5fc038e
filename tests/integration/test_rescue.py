"""What `rescue` does with each thing that an earlier run may have left in escrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from airflow_provider_tiktokshop.auth import keeping, owner
from airflow_provider_tiktokshop.auth.records import RecordKey, SeedRecord, authorization_id, fingerprint
from airflow_provider_tiktokshop.auth.rescue import Rescue, rescue_all
from tests.support.rotation import FileStore, Workbench


def rotated_away(bench: Workbench) -> str:
    """Redeem a refresh token and lose the answer on its way to the store: only escrow has the new pair."""
    (id_,) = bench.adopt_seeds()
    bench.run()
    before = bench.record(id_)
    grant = bench.oauth.redeem_refresh_token(before.refresh_token)
    sealed = keeping.seal(bench.escrow, id_, "rotation", keeping.with_grant(before, grant, bench.clock.now()))
    assert sealed is not None
    return id_


def outcomes(bench: Workbench) -> dict[str, Rescue]:
    return {one.slot: one.outcome for one in rescue_all(bench.rotator(), bench.flow())}


def test_a_pair_that_never_reached_the_store_is_adopted_and_works(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=1)
    id_ = rotated_away(bench)
    generation = bench.record(id_).generation
    redeemed = bench.redemptions

    assert outcomes(bench) == {id_: Rescue.ADOPTED}

    assert bench.record(id_).generation == generation + 1
    assert bench.escrow.slots() == []
    assert bench.redemptions == redeemed
    assert bench.run(force=True).rotation.counts == {"rotated": 1}
    assert bench.reused() == 0


def test_a_pair_that_the_store_is_ahead_of_is_erased(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=1)
    (id_,) = bench.adopt_seeds()
    bench.run()
    keeping.seal(bench.escrow, id_, "rotation", bench.record(id_))
    bench.run(force=True)
    keeping.seal(bench.escrow, id_, "rotation", replace(bench.record(id_), generation=1))
    held = bench.record(id_)

    assert outcomes(bench) == {id_: Rescue.SUPERSEDED}

    assert bench.record(id_) == held
    assert bench.escrow.slots() == []


def test_a_rotation_that_still_runs_keeps_its_pair(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=1)
    id_ = rotated_away(bench)
    record = bench.record(id_)
    intent = owner.announce(bench.clock, record.pair.fingerprint, 1)
    try:
        bench.write_record(replace(record, intent=intent))

        assert outcomes(bench) == {id_: Rescue.BUSY}
        assert bench.escrow.slots() == [id_]
    finally:
        owner.finished(intent)
    assert outcomes(bench) == {id_: Rescue.ADOPTED}


def test_what_a_seed_brought_becomes_a_consent_and_the_seed_is_done(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=1)
    (seller,) = bench.emulator.sellers
    seed = seller["refresh_token"]
    slot = f"seed-{fingerprint(seed)}"
    grant = bench.oauth.redeem_refresh_token(seed)
    record = bench.flow().consent_of(grant, source="seed", consent_id=slot)
    keeping.seal(bench.escrow, slot, "consent", record)

    assert outcomes(bench) == {slot: Rescue.ADOPTED}

    assert bench.authorizations.find(open_id=seller["open_id"]).status.usable
    value = bench.store.read(RecordKey("seed", bench.app.app_key, fingerprint(seed))).value
    assert value is not None
    assert SeedRecord.from_json(value).outcome == "redeemed"
    bench.run(seed=seed)
    assert bench.reused() == 0


def test_a_store_that_cannot_prove_an_absence_gets_nothing_written_over(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=1)
    id_ = rotated_away(bench)
    blind = workbench(sellers=1, store=FileStore(bench.directory / "elsewhere", lists=False))

    assert outcomes(blind) == {id_: Rescue.UNPROVEN}
    assert bench.escrow.slots() == [id_]


def test_another_apps_secret_opens_nothing_and_destroys_nothing(workbench: Callable[..., Workbench]) -> None:
    bench = workbench(sellers=1)
    id_ = rotated_away(bench)
    changed = Workbench(bench.emulator, bench.directory, app_secret="another-secret")

    assert list(outcomes(changed).values()) == [Rescue.UNREADABLE]
    assert outcomes(bench) == {id_: Rescue.ADOPTED}
    assert authorization_id(bench.emulator.sellers[0]["open_id"]) == id_
