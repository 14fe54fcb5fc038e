"""Rules R1 to R15: each from a real incident elsewhere, each held against the emulator over a socket."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.auth import owner
from airflow_provider_tiktokshop.auth.fleet import rotate_all
from airflow_provider_tiktokshop.auth.reader import AuthorizationUnusable
from airflow_provider_tiktokshop.auth.records import RecordKey, Status, authorization_id
from airflow_provider_tiktokshop.auth.rotation import Outcome
from tests.support.rotation import FailingWrites, FileStore

TOKEN = "/api/v2/token/refresh"
MODES = ["rotate", "family", "grace", "reusable"]


@pytest.mark.parametrize("mode", MODES)
def test_a_due_authorization_is_rotated_once_and_the_old_pair_is_kept_as_previous(workbench, mode):
    bench = workbench(refresh_mode=mode)
    [id_] = bench.adopt_seeds()
    before = bench.redemptions
    report = bench.run()
    assert [r.outcome for r in report.rotation.results] == [Outcome.ROTATED]
    record = bench.record(id_)
    assert bench.redemptions == before + 1
    assert record.verified
    assert record.intent is None
    assert record.generation == 2
    assert record.previous_refresh_token
    assert [s.id for s in record.shops] == [s["id"] for s in bench.emulator.sellers[0]["shops"]]
    assert bench.probe(record.access_token, 0)
    assert record.access_token in bench.masked
    assert record.refresh_token in bench.masked
    assert bench.reused() == 0


@pytest.mark.parametrize("mode", ["rotate", "family"])
def test_r1_a_pair_that_cannot_be_stored_waits_in_escrow_and_the_next_run_adopts_it(workbench, tmp_path, mode):
    store = FailingWrites(tmp_path / "store")
    bench = workbench(refresh_mode=mode, store=store)
    [id_] = bench.adopt_seeds()
    bench.leave_in_escrow(id_)
    assert bench.escrow.found(id_)
    bench.run()
    assert bench.record(id_).generation >= 2
    assert bench.reused() == 0, "the stale token was replayed"
    assert bench.probe(bench.record(id_).access_token, 0)
    assert not bench.escrow.slots()


def _current(bench, id_):
    value = bench.store.read(RecordKey("rotated", bench.app.app_key, id_)).value
    value = value or bench.store.read(RecordKey("consent", bench.app.app_key, id_)).value
    return value["refresh_token"]


def test_r1_the_write_is_retried_while_the_task_lives(workbench, tmp_path):
    store = FailingWrites(tmp_path / "store")
    bench = workbench(store=store)
    [id_] = bench.adopt_seeds()
    store.failing = True
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(bench.rotator().rotate, id_)
        assert store.refused.wait(10)
        store.failing = False
        assert future.result(30).outcome is Outcome.ROTATED
    assert not bench.escrow.slots()


def test_r2_the_pair_is_persisted_before_it_is_tested(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    spent = _current(bench, id_)
    seen = []

    def probe(access_token, user_type):
        held = bench.record(id_)
        seen.append((held.access_token == access_token, held.refresh_token != spent, bench.escrow.slots()))
        raise TikTokShopError("the test of the new pair fails")

    rotator = bench.rotator()
    rotator.probe = probe
    result = rotator.rotate(id_)
    assert result.outcome is Outcome.UNVERIFIED
    assert seen == [(True, True, [])], "when the pair was tested, the store had it and the escrow was erased"
    assert not bench.record(id_).verified
    assert bench.run().rotation.results[0].outcome in {Outcome.ROTATED, Outcome.NOT_DUE}


def test_r2_even_a_failing_log_masker_does_not_come_between_exchange_and_store(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()

    def mask(_secret):
        raise BrokenPipeError("the supervisor is gone")

    assert bench.rotator(mask=mask).rotate(id_).outcome is Outcome.ROTATED


def test_r3_a_reply_that_arrives_after_the_task_was_cancelled_is_still_persisted(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.emulator.faults({"match": TOKEN, "kind": "hold", "params": {"when": "after"}})

    def cancel():
        bench.emulator.wait_held()
        # What Airflow's timeout does: an exception in the main thread, wherever it is.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        bench.emulator.release()

    class CancelledError(Exception):
        pass

    def handler(_signum, _frame):
        raise CancelledError

    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(cancel)
            with pytest.raises(CancelledError):
                rotate_all(bench.rotator(), [id_])
            done.result(10)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert bench.record(id_).generation == 2
    assert bench.probe(bench.record(id_).access_token, 0)


def test_r4_two_runs_one_token_one_redemption(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    before = bench.redemptions
    bench.emulator.faults({"match": TOKEN, "kind": "hold"})
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(bench.rotator().rotate, id_)
        bench.emulator.wait_held()
        second = bench.rotator().rotate(id_)
        bench.emulator.release()
        assert first.result(10).outcome is Outcome.ROTATED
    assert second.outcome is Outcome.WAITING
    assert bench.redemptions == before + 1
    assert bench.reused() == 0


def test_r5_a_sender_frozen_past_its_intents_age_gives_up_unsent(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    before = bench.emulator.stats()["requests_total"]
    asked = []

    def frozen_between_announcing_and_sending():
        asked.append(1)
        if len(asked) == 2:
            bench.clock.offset += 31

    bench.clock.on_boottime = frozen_between_announcing_and_sending
    result = bench.rotator().rotate(id_)
    assert result.outcome is Outcome.TRANSIENT
    assert "given up unsent" in result.error["text"]
    after = bench.emulator.stats()["requests_total"]
    assert after == before
    assert bench.record(id_).intent is None


def test_r5_a_sender_that_thaws_after_somebody_else_rotated_changes_nothing(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    asked = []

    def frozen_while_a_peer_rotates():
        asked.append(1)
        if len(asked) == 2:
            bench.clock.on_boottime = lambda: None
            held = bench.record(id_)
            # The peer, on another machine, saw an intent old enough to be nobody's any more.
            bench.write_record(replace(held, intent=None))
            assert bench.rotator().rotate(id_).outcome is Outcome.ROTATED
            bench.clock.offset += 3600

    bench.clock.on_boottime = frozen_while_a_peer_rotates
    bench.rotator().rotate(id_)
    assert bench.record(id_).generation == 3
    assert bench.probe(bench.record(id_).access_token, 0), "the peer's pair was overwritten"


def test_r6_nobody_clears_anothers_intent_but_the_recovery_rule(workbench):
    bench = workbench(access_ttl=6 * 86_400)
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    record = bench.record(id_)
    elsewhere = replace(owner.announce(bench.clock, record.pair.fingerprint), host="another-worker")
    bench.write_record(replace(record, intent=elsewhere))
    before = bench.redemptions
    for _ in range(3):
        assert bench.rotator(advisory=7 * 86_400).rotate(id_).outcome is Outcome.WAITING
    assert bench.record(id_).intent == elsewhere
    # Provably gone, but the access token works and has days left: still nothing is presented.
    bench.clock.offset += owner.SENDER_GONE_AFTER + 1
    assert bench.rotator(advisory=7 * 86_400).rotate(id_).outcome is Outcome.UNKNOWN
    assert bench.redemptions == before
    # The access token is refused: the first exchange did spend the token, or the seller left. Presented again, once.
    bench.emulator.faults({"match": "/authorization/", "kind": "code:105001"})
    assert bench.rotator(advisory=7 * 86_400).rotate(id_).outcome is Outcome.ROTATED
    assert bench.redemptions == before + 1
    assert bench.record(id_).intent is None


def test_r7_of_two_pairs_the_one_whose_access_token_expires_later_wins(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    older = bench.record(id_)
    bench.emulator.clock(advance=5)
    bench.rotator().rotate(id_)
    newer = bench.record(id_)
    assert newer.access_expires_at > older.access_expires_at
    # A leftover of the same epoch in escrow never replaces the pair that lives longer, whatever it calls its generation.
    bench.escrow.seal(id_, {"kind": "rotation", "record": replace(older, generation=newer.generation).to_json()})
    bench.rotator(advisory=0).rotate(id_)
    assert bench.record(id_).pair == newer.pair
    assert not bench.escrow.slots()


def test_r8_a_webhook_or_a_consent_never_overwrites_a_rotated_pair(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    before = bench.record(id_)
    flow = bench.flow()
    flow.forget(id_, source="cli")
    assert bench.record(id_) == before
    assert bench.authorizations.get(id_).status is Status.REVOKED


def test_r9_a_reply_without_a_refresh_token_keeps_the_old_one(workbench):
    bench = workbench(refresh_mode="reusable")
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    before = bench.record(id_)
    bench.emulator.faults({"match": TOKEN, "kind": "no_refresh_token"})
    bench.emulator.clock(advance=1)
    assert bench.rotator().rotate(id_).outcome is Outcome.ROTATED
    after = bench.record(id_)
    assert after.refresh_token == before.refresh_token
    assert after.access_token != before.access_token
    assert bench.rotator().rotate(id_).outcome is Outcome.ROTATED


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"kind": "429"}, Outcome.TRANSIENT),
        ({"kind": "code:36009002"}, Outcome.TRANSIENT),
        ({"kind": "code:36009004"}, Outcome.CONFIGURATION),
        ({"kind": "code:36009033"}, Outcome.CONFIGURATION),
        ({"kind": "500"}, Outcome.UNKNOWN),
        ({"kind": "503"}, Outcome.UNKNOWN),
        ({"kind": "code:36009003"}, Outcome.UNKNOWN),
        ({"kind": "code:36009007"}, Outcome.UNKNOWN),
        ({"kind": "code:36004003"}, Outcome.UNKNOWN),
        ({"kind": "code:987654321"}, Outcome.UNKNOWN),
        ({"kind": "html"}, Outcome.UNKNOWN),
        ({"kind": "reset"}, Outcome.UNKNOWN),
        ({"kind": "lost_reply"}, Outcome.UNKNOWN),
        ({"kind": "code:36004001"}, Outcome.REFUSED),
        ({"kind": "code:36004004"}, Outcome.REFUSED),
        ({"kind": "code:36004005"}, Outcome.REFUSED),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)
def test_r10_only_definite_codes_are_terminal(workbench, fault, outcome):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    bench.emulator.faults({"match": TOKEN, **fault})
    report = bench.run()
    [result] = report.rotation.results
    assert result.outcome is outcome
    record = bench.record(id_)
    assert (record.status == "reauthorization_required") == (outcome is Outcome.REFUSED)
    assert (record.open_intent is not None) == (outcome is Outcome.UNKNOWN)
    assert record.last_error["text"] or record.last_error["code"]
    if outcome is Outcome.TRANSIENT:
        assert record.transient_failures == 1
        assert bench.run().rotation.results[0].recovered


def test_r10_a_server_that_is_not_there_spends_nothing(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    bench.emulator.stop()
    assert bench.rotator().rotate(id_).outcome is Outcome.TRANSIENT
    assert bench.record(id_).intent is None


def test_r11_a_dead_authorization_is_remembered_left_alone_and_told_once(workbench):
    bench = workbench(sellers=2)
    first, second = bench.adopt_seeds()
    bench.run()
    bench.emulator.account(bench.emulator.sellers[0]["open_id"], deauthorize=True)
    report = bench.run()
    assert [r.id for r in report.refused] == [first]
    assert report.refused[0].error["code"] == 36004005
    assert report.refused[0].error["request_id"]
    presented = bench.presentations
    again = bench.run()
    assert again.refused == []
    assert [r.id for r in again.dead] == [first]
    assert bench.presentations == presented + 1, "only the living seller's token"
    assert bench.record(second).status == "active"
    assert bench.authorizations.get(first).status is Status.REAUTHORIZATION_REQUIRED


def test_r12_invalid_token_because_a_peer_won_is_success(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    slow = bench.rotator()
    bench.emulator.faults({"match": TOKEN, "kind": "hold"})
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(slow.rotate, id_)
        bench.emulator.wait_held()
        # A peer that cannot see the intent (another store's clock, an operator's mistake) redeems meanwhile.
        bench.write_record(replace(bench.record(id_), intent=None))
        assert bench.rotator().rotate(id_).outcome is Outcome.ROTATED
        bench.emulator.release()
        assert late.result(10).outcome is Outcome.PEER
    assert bench.record(id_).status == "active"
    assert bench.probe(bench.record(id_).access_token, 0)


def test_r12_a_refusal_while_a_peer_has_announced_leaves_the_decision_to_the_peer(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    bench.emulator.faults({"match": TOKEN, "kind": "hold"}, {"match": TOKEN, "kind": "code:36004005"})
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(bench.run)
        bench.emulator.wait_held()
        held = bench.record(id_)
        announced = replace(held, intent=owner.announce(bench.clock, held.pair.fingerprint))
        bench.write_record(announced)
        bench.emulator.release()
        report = late.result(10)
    assert report.rotation.counts == {"waiting": 1}
    assert report.refused == []
    assert bench.record(id_) == announced


def test_r12_a_reader_refused_while_a_rotation_is_under_way_waits_for_it(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    held = bench.authorizations.get(id_)
    bench.emulator.faults({"match": TOKEN, "kind": "hold", "params": {"when": "after"}})
    with ThreadPoolExecutor(2) as pool:
        rotation = pool.submit(bench.rotator().rotate, id_)
        bench.emulator.wait_held()
        polls = []
        bench.clock.sleep = lambda seconds: (polls.append(seconds), bench.emulator.release(), rotation.result(10))
        newer = bench.authorizations.token_source(held).after_refusal(held.pair.access_token)
    assert polls
    assert newer == bench.record(id_).access_token


def test_r12_a_reader_refused_without_a_rotation_under_way_fails_at_once_and_says_what_to_do(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    held = bench.authorizations.get(id_)
    with pytest.raises(AuthorizationUnusable, match="rotation DAG"):
        bench.authorizations.token_source(held).after_refusal(held.pair.access_token)
    assert bench.clock.slept == []


def test_r13_credentials_are_read_at_use(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    source = bench.authorizations.token_source(bench.authorizations.get(id_))
    bench.rotator().rotate(id_)
    assert source.current() == bench.record(id_).access_token


@pytest.mark.parametrize("mode", MODES)
def test_r14_a_consent_given_during_a_rotation_survives_it(workbench, mode):
    bench = workbench(refresh_mode=mode)
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    bench.emulator.faults({"match": TOKEN, "kind": "hold", "params": {"when": "after"}})
    with ThreadPoolExecutor(1) as pool:
        rotation = pool.submit(bench.rotator().rotate, id_)
        bench.emulator.wait_held()
        link = bench.flow().begin()
        consent = bench.flow().finish(
            bench.emulator.consent(link.url, bench.emulator.sellers[0]["open_id"]), source="cli"
        )
        bench.emulator.release()
        rotation.result(10)
    assert bench.authorizations.get(id_).pair == consent.pair
    bench.run()
    record = bench.record(id_)
    assert record.epoch == 2
    assert bench.probe(record.access_token, 0)


def test_r14_the_older_epochs_pair_never_replaces_a_newer_consent(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    old = bench.record(id_)
    bench.escrow.seal(id_, {"kind": "rotation", "record": replace(old, generation=99).to_json()})
    bench.write_record(replace(old, epoch=2, generation=1))
    bench.rotator(advisory=0).rotate(id_)
    assert bench.record(id_).epoch == 2
    assert bench.record(id_).generation == 1


class SleepyStore(FileStore):
    """Whoever reads (or lists) records of one kind falls asleep right after, once, for as long as ``meanwhile`` takes."""

    def __init__(self, directory):
        super().__init__(directory)
        self.kind, self.meanwhile = None, None

    def read(self, key):
        return self._asleep(key.kind, super().read(key))

    def ids(self, kind, app_key):
        return self._asleep(f"list of {kind}", super().ids(kind, app_key))

    def _asleep(self, kind, found):
        if kind == self.kind:
            self.kind = None
            self.meanwhile()
        return found


def test_r14_a_sender_that_slept_since_it_read_does_not_adopt_a_consent_over_what_a_peer_rotated(workbench, tmp_path):
    store = SleepyStore(tmp_path / "store")
    bench = workbench(refresh_mode="family", store=store)
    [id_] = bench.adopt_seeds()
    store.kind, store.meanwhile = "rotated", lambda: bench.rotator().rotate(id_)
    assert bench.rotator().rotate(id_).outcome is Outcome.WAITING
    assert (bench.record(id_).generation, bench.reused()) == (2, 0)
    assert bench.probe(bench.record(id_).access_token, 0)


def test_a_sender_that_slept_since_it_looked_does_not_redeem_a_seed_that_a_peer_redeemed(workbench, tmp_path):
    store = SleepyStore(tmp_path / "store")
    bench = workbench(refresh_mode="family", store=store)
    seed = bench.emulator.sellers[0]["refresh_token"]
    store.kind, store.meanwhile = "list of consent", lambda: bench.run(seed=seed, open_ids=[])
    report = bench.run(seed=seed, open_ids=[])
    assert str(report.seed.outcome) == "waiting"
    assert (bench.redemptions, bench.reused()) == (1, 0)
    assert bench.run().rotation.counts == {"rotated": 1}


def test_r15_expiries_are_absolute_and_may_exceed_32_bits(workbench):
    bench = workbench(refresh_ttl=4_000_000_000)
    [id_] = bench.adopt_seeds()
    bench.rotator().rotate(id_)
    record = bench.record(id_)
    assert record.refresh_expires_at > 2**32
    assert abs(record.access_expires_at - (bench.clock.now() + 2 * 86_400)) < 60


def test_r15_still_stale_after_a_rotation_is_its_own_error_and_not_a_loop(workbench):
    bench = workbench(access_ttl=600)
    [id_] = bench.adopt_seeds()
    before = bench.redemptions
    report = bench.run()
    [result] = report.rotation.results
    assert result.outcome is Outcome.STILL_STALE
    assert "rotating again will not help" in result.error["advice"]
    assert report.overdue == [result]
    assert bench.redemptions == before + 1


def test_a_seed_is_redeemed_once_ever(workbench):
    bench = workbench()
    seed = bench.emulator.sellers[0]["refresh_token"]
    for _ in range(3):
        bench.run(seed=seed, open_ids=[])
    assert bench.redemptions == 1
    assert bench.reused() == 0
    assert bench.authorizations.find().open_id == bench.emulator.sellers[0]["open_id"]


def test_a_wrong_app_secret_with_twenty_sellers_stops_the_run_and_marks_nobody(workbench):
    bench = workbench(sellers=20)
    ids = bench.adopt_seeds()
    bench.run()
    bench.app = replace(bench.app, app_secret="EMU_not_the_secret")
    bench.oauth = type(bench.oauth)(bench.app, bench.http)
    report = bench.run()
    assert report.rotation.stopped
    assert report.rotation.counts == {"configuration": 1, "not_attempted": 19}
    assert {bench.authorizations.get(id_).status for id_ in ids} == {Status.STALE}


def test_when_most_refresh_tokens_are_refused_the_run_stops_and_marks_nobody(workbench):
    bench = workbench(sellers=20)
    ids = bench.adopt_seeds()
    bench.run()
    bench.emulator.faults({"match": TOKEN, "kind": "code:36004005", "times": None, "probability": 1.0})
    report = bench.run()
    assert report.rotation.counts == {"refused": 3, "not_attempted": 17}
    assert "nobody was marked" in report.rotation.stopped
    assert {bench.record(id_).status for id_ in ids} == {"active"}
    assert {bench.record(id_).intent for id_ in ids} == {None}
    bench.emulator.faults()
    assert bench.run().rotation.counts == {"rotated": 20}


def test_three_unknown_outcomes_in_a_row_stop_the_run(workbench):
    bench = workbench(sellers=6)
    bench.adopt_seeds()
    bench.run()
    bench.emulator.faults({"match": TOKEN, "kind": "500", "times": None, "probability": 1.0})
    report = bench.run()
    assert report.rotation.counts == {"outcome_unknown": 3, "not_attempted": 3}


def test_a_failing_seller_does_not_stop_the_others(workbench):
    bench = workbench(sellers=5)
    ids = bench.adopt_seeds()
    bench.run()
    bench.emulator.account(bench.emulator.sellers[2]["open_id"], deauthorize=True)
    report = bench.run()
    assert report.rotation.counts == {"rotated": 4, "refused": 1}
    assert bench.record(ids[2]).status == "reauthorization_required"


def test_a_real_connection_pointed_at_another_host_is_refused_before_anything_is_sent(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.run()
    before = bench.redemptions
    record = bench.record(id_)
    bench.write_record(replace(record, issuer="auth.tiktok-shops.com"))
    result = bench.rotator().rotate(id_)
    assert result.outcome is Outcome.CONFIGURATION
    assert "nothing was sent" in result.error["advice"]
    assert bench.redemptions == before
    assert bench.record(id_).status == "active"


def test_an_id_is_made_of_the_open_id_alone(workbench):
    bench = workbench()
    assert bench.adopt_seeds() == [authorization_id(bench.emulator.sellers[0]["open_id"])]
