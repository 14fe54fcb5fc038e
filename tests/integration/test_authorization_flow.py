"""From link to consent record: what is accepted, what is refused, and what happens to the code and the pair."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet

from airflow_provider_tiktokshop.api.errors import ConfigurationError, ExchangeRefused, ExchangeUnknown, TikTokShopError
from airflow_provider_tiktokshop.auth.consent import AuthorizationDenied, StateRejected, WrongAccount
from airflow_provider_tiktokshop.auth.records import RecordKey, Status, authorization_id
from airflow_provider_tiktokshop.auth.redirect import parse_redirect
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable
from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher
from airflow_provider_tiktokshop.auth.stores.sql_engine import store_engine
from tests.support.rotation import FileStore


def begin_and_accept(bench, seller=0, **options):
    link = bench.flow().begin(**options.pop("begin", {}))
    return link, bench.emulator.consent(link.url, bench.emulator.sellers[seller]["open_id"], **options)


def test_an_accepted_link_becomes_an_authorization_with_shops_and_scopes(workbench):
    bench = workbench(shops_per_seller=2)
    link, redirect = begin_and_accept(bench)
    found = bench.flow().finish(redirect, source="cli", state=link.state)
    assert found.open_id == bench.emulator.sellers[0]["open_id"]
    assert found.status is Status.STALE
    assert [s.id for s in found.shops] == [s["id"] for s in bench.emulator.sellers[0]["shops"]]
    assert "seller.order.info" in found.granted_scopes
    assert bench.authorizations.all() == [found]
    assert found.pair.access_token in bench.masked
    assert found.pair.refresh_token in bench.masked
    assert not bench.escrow.slots()


def test_only_the_shops_that_the_seller_ticked_are_covered(workbench):
    bench = workbench(shops_per_seller=3)
    ticked = bench.emulator.sellers[0]["shops"][1]["id"]
    _, redirect = begin_and_accept(bench, shop_ids=[ticked])
    assert [s.id for s in bench.flow().finish(redirect, source="cli").shops] == [ticked]


def test_a_seller_who_declines_is_told_apart(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench, accept=False)
    with pytest.raises(AuthorizationDenied, match="auth_denied"):
        bench.flow().finish(redirect, source="cli")
    assert bench.authorizations.all() == []


def test_one_redirect_is_used_once(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench)
    bench.flow().finish(redirect, source="cli")
    with pytest.raises(StateRejected, match="used before"):
        bench.flow().finish(redirect, source="cli")
    assert bench.emulator.stats()["codes_refused"] == 0, "the second code exchange was not even tried"


def test_of_two_who_paste_one_redirect_at_once_one_is_refused_before_the_code_is_spent(workbench, tmp_path):
    both_have_read, reads = threading.Barrier(2), []

    class Meeting(SqlStore):
        def read(self, key):
            found = super().read(key)
            if key.kind == "state" and len(reads) < 2:
                reads.append(key)
                both_have_read.wait(10)
            return found

    engine = store_engine(f"sqlite:///{tmp_path}/records.db")
    bench = workbench(store=Meeting(engine, fernet_cipher(Fernet.generate_key().decode())))
    link = bench.flow().begin()
    redirect = bench.emulator.consent(link.url, bench.emulator.sellers[0]["open_id"])
    ends = []

    def paste():
        try:
            ends.append(bench.flow().finish(redirect, source="cli", state=link.state).status)
        except TikTokShopError as error:
            ends.append(type(error))

    threads = [threading.Thread(target=paste) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.dispose()
    assert sorted(map(str, ends)) == sorted(["stale", str(StateRejected)])
    assert sum(bench.emulator.stats()["codes_redeemed"].values()) == 1


def test_a_service_that_is_busy_for_a_moment_costs_the_seller_no_second_consent(workbench):
    bench = workbench()
    link, redirect = begin_and_accept(bench)
    bench.emulator.faults({"match": "/api/v2/token/get", "kind": "429", "times": 2})
    assert bench.flow().finish(redirect, source="cli", state=link.state).status.usable
    assert sum(bench.emulator.stats()["codes_redeemed"].values()) == 1


def test_a_code_whose_fate_is_unknown_is_not_sent_again(workbench):
    bench = workbench()
    link, redirect = begin_and_accept(bench)
    bench.emulator.faults({"match": "/api/v2/token/get", "kind": "500", "times": 1})
    with pytest.raises(ExchangeUnknown):
        bench.flow().finish(redirect, source="cli", state=link.state)
    assert sum(bench.emulator.stats()["codes_redeemed"].values()) == 0


def test_a_state_that_was_never_handed_out_is_refused_before_the_code_is_spent(workbench):
    bench = workbench()
    link, redirect = begin_and_accept(bench)
    forged = redirect.replace(link.state, "x" * 43)
    with pytest.raises(StateRejected, match="not handed out for this app"):
        bench.flow().finish(forged, source="callback")
    assert sum(bench.emulator.stats()["codes_redeemed"].values()) == 0


def test_a_redirect_of_another_link_is_refused_where_the_caller_keeps_its_state(workbench):
    bench = workbench()
    mine = bench.flow().begin()
    _, theirs = begin_and_accept(bench)
    with pytest.raises(StateRejected, match="another link"):
        bench.flow().finish(theirs, source="cli", state=mine.state)


def test_a_link_older_than_an_hour_is_refused(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench)
    bench.clock.offset += 3601
    with pytest.raises(StateRejected, match="good for 60 min"):
        bench.flow().finish(redirect, source="cli")


def test_a_redirect_without_a_state_counts_only_where_that_is_allowed(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench, app_store=True)
    assert "state=" not in redirect
    with pytest.raises(StateRejected, match="app store"):
        bench.flow().finish(redirect, source="callback")
    assert bench.flow().finish(redirect, source="callback", without_state=True).status.usable


def test_a_code_older_than_thirty_minutes_is_refused_with_the_services_code(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench)
    bench.emulator.clock(advance=1801)
    with pytest.raises(ExchangeRefused) as caught:
        bench.flow().finish(redirect, source="cli")
    assert caught.value.code == 36004004
    assert caught.value.request_id
    code = parse_qs(urlsplit(redirect).query)["code"][0]
    assert code not in str(caught.value)


def code_of(redirect):
    return parse_qs(urlsplit(redirect).query)["code"][0]


def refusal(bench, given, *, state=None):
    with pytest.raises(ExchangeRefused) as caught:
        bench.flow().finish(given, source="operator", state=state)
    assert (code_of(given) if "code=" in given else given) not in str(caught.value)
    return str(caught.value)


def test_a_code_that_was_redeemed_here_is_called_used(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench)
    bench.flow().finish(redirect, source="operator")
    bench.clock.offset += 300
    link = bench.flow().begin()
    assert "redeemed here 5 min ago" in refusal(bench, code_of(redirect), state=link.state)


def test_a_code_of_an_old_link_is_called_too_old(workbench):
    bench = workbench()
    link = bench.flow().begin(lifetime=86_400)
    redirect = bench.emulator.consent(link.url, bench.emulator.sellers[0]["open_id"])
    bench.clock.offset += 45 * 60
    bench.emulator.clock(advance=1801)
    assert "made 45 min ago: most likely the code is older than 30 minutes" in refusal(bench, redirect)


def test_a_code_that_nobody_issued_is_called_mistyped_or_another_apps(workbench):
    bench = workbench()
    link = bench.flow().begin()
    assert "mistyped or cut off, belongs to another app or market" in refusal(bench, "EMU_no_code", state=link.state)


def test_a_used_redirect_is_called_used_where_the_caller_keeps_another_links_state_too(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench)
    bench.flow().finish(redirect, source="operator")
    with pytest.raises(StateRejected, match="used before, less than a minute ago"):
        bench.flow().finish(redirect, source="operator", state=bench.flow().begin().state)


def test_a_redirect_that_names_another_app_names_both_and_spends_nothing(workbench):
    bench = workbench()
    link, redirect = begin_and_accept(bench)
    with pytest.raises(StateRejected, match=rf"of app 6other, .*{bench.app.app_key} \(market global\)"):
        bench.flow().finish(redirect.replace(bench.app.app_key, "6other"), source="operator", state=link.state)
    assert f"app_key={bench.app.app_key}&" in redirect + "&"
    assert bench.flow().finish(redirect, source="operator").status.usable


def test_the_code_is_masked_before_anything_is_done_with_it(workbench):
    bench = workbench()
    link, redirect = begin_and_accept(bench)
    with pytest.raises(StateRejected):
        bench.flow().finish(redirect.replace(link.state, "x" * 43), source="operator")
    assert bench.masked == [code_of(redirect)]


def test_neither_state_nor_code_is_in_the_store(workbench):
    bench = workbench()
    link, redirect = begin_and_accept(bench)
    bench.flow().finish(redirect, source="operator")
    records = "".join(path.read_text() for path in bench.store.directory.iterdir())
    assert "tiktokshop" in "".join(path.name for path in bench.store.directory.iterdir())
    assert link.state not in records
    assert code_of(redirect) not in records


def test_another_seller_than_expected_is_kept_as_pending_and_not_used(workbench):
    bench = workbench(sellers=2)
    expected = bench.emulator.sellers[0]["open_id"]
    _, redirect = begin_and_accept(bench, seller=1, begin={"expected_open_id": expected})
    with pytest.raises(WrongAccount, match="log in as the right seller"):
        bench.flow().finish(redirect, source="operator")
    other = authorization_id(bench.emulator.sellers[1]["open_id"])
    assert bench.authorizations.get(other).status is Status.PENDING
    assert bench.authorizations.get(other).pair is None
    assert bench.flow().confirm(other).status.usable


def test_a_pending_consent_waits_until_it_is_confirmed(workbench):
    bench = workbench()
    _, redirect = begin_and_accept(bench)
    waiting = bench.flow().finish(redirect, source="callback", pending=True)
    assert waiting.status is Status.PENDING
    assert bench.run().rotation.counts == {"known_dead": 1}
    assert bench.flow().confirm(waiting.id).status.usable
    with pytest.raises(TikTokShopError, match="no consent that waits"):
        bench.flow().confirm(waiting.id)


def test_forgetting_stops_all_use_and_a_new_consent_revives(workbench):
    bench = workbench()
    [id_] = bench.adopt_seeds()
    bench.run()
    bench.flow().forget(id_, source="cli")
    before = bench.redemptions
    assert bench.run().rotation.counts == {"known_dead": 1}
    assert bench.redemptions == before
    assert bench.record(id_).status == "revoked"
    _, redirect = begin_and_accept(bench)
    bench.flow().finish(redirect, source="cli")
    assert bench.run().rotation.counts == {"rotated": 1}
    assert bench.record(id_).epoch == 2


def test_a_link_without_a_service_id_says_where_to_find_it(workbench):
    bench = workbench(app={"service_id": None})
    with pytest.raises(ConfigurationError, match="Partner Center"):
        bench.flow().begin()


class DeafStore(FileStore):
    """Takes no consent while ``deaf`` is set."""

    deaf = True

    def write(self, key, value, expected=None):
        if self.deaf and key.kind == "consent":
            raise StoreUnavailable("the API server is down")
        return super().write(key, value, expected)


def test_a_consent_that_cannot_be_stored_waits_in_escrow_and_the_next_run_adopts_it(workbench, tmp_path):
    store = DeafStore(tmp_path / "store")
    bench = workbench(store=store)
    _, redirect = begin_and_accept(bench)
    with pytest.raises(StoreUnavailable):
        bench.flow().finish(redirect, source="cli")
    store.deaf = False
    assert bench.run().rotation.counts == {"rotated": 1}
    assert bench.authorizations.find().status.usable
    assert not bench.escrow.slots()


def test_a_seed_whose_consent_cannot_be_stored_is_not_redeemed_again(workbench, tmp_path):
    store = DeafStore(tmp_path / "store")
    bench = workbench(store=store)
    seed = bench.emulator.sellers[0]["refresh_token"]
    report = bench.run(seed=seed)
    assert str(report.seed.outcome) == "store_unavailable"
    store.deaf = False
    report = bench.run(seed=seed, rotator=bench.rotator(advisory=0))
    assert bench.authorizations.find().status.usable
    assert max(bench.emulator.stats()["presented_refresh_tokens"].values()) == 1
    assert bench.reused() == 0
    assert not bench.escrow.slots()


def test_a_store_that_cannot_prove_absence_redeems_a_seed_only_on_the_operators_word(workbench, tmp_path):
    bench = workbench(store=FileStore(tmp_path / "store", lists=False))
    seed = bench.emulator.sellers[0]["refresh_token"]
    report = bench.run(seed=seed)
    assert str(report.seed.outcome) == "absence_not_proven"
    assert any("bootstrap=True" in warning for warning in report.warnings)
    assert bench.redemptions == 0
    report = bench.run(seed=seed, bootstrap=True)
    assert str(report.seed.outcome) == "redeemed"
    assert report.rotation.counts == {"rotated": 1}
    # The roster, written along the way, stands in for the list that this store cannot give.
    assert len(bench.authorizations.all()) == 1


def test_bootstrap_left_on_does_not_redeem_a_seed_twice_when_its_record_is_out_of_sight(workbench, tmp_path):
    bench = workbench(store=FileStore(tmp_path / "store", lists=False))
    seed = bench.emulator.sellers[0]["refresh_token"]
    bench.run(seed=seed, bootstrap=True)
    key = RecordKey("seed", bench.app.app_key, next(bench.store.directory.glob("tiktokshop_seed*")).stem[-16:])
    (bench.store.directory / f"{key.name}.json").unlink()
    before = bench.presentations
    report = bench.run(seed=seed, bootstrap=True, open_ids=[])
    assert str(report.seed.outcome) == "done_before"
    assert bench.presentations == before
    assert bench.reused() == 0


def test_a_seed_that_a_record_already_holds_is_not_redeemed(workbench):
    bench = workbench(refresh_mode="family")
    [id_] = bench.adopt_seeds()
    bench.run()
    held = bench.record(id_)
    before = bench.presentations
    for token in (held.refresh_token, held.previous_refresh_token):
        assert str(bench.run(seed=token, open_ids=[]).seed.outcome) == "done_before"
    assert bench.presentations == before


def test_a_refused_seed_is_remembered_and_not_presented_again(workbench):
    bench = workbench()
    for _ in range(2):
        report = bench.run(seed="EMU_no_such_token")
        assert str(report.seed.outcome) == "refused"
        assert report.seed.error["code"] == 36004005
    assert bench.presentations == 1


@pytest.mark.parametrize(
    ("text", "code", "state"),
    [
        ("https://example.com/cb?code=abc%2B%2F%3D&state=s1", "abc+/=", "s1"),
        ("  https://example.com/cb?app_key=k&code=abc&locale=en&shop_region=GB  ", "abc", None),
        ("?code=abc&state=s1", "abc", "s1"),
        ("code=abc&state=s1", "abc", "s1"),
        ("EMU_code_123", "EMU_code_123", None),
    ],
)
def test_a_pasted_redirect_is_understood(text, code, state):
    read = parse_redirect(text)
    assert (read.code, read.state) == (code, state)
    assert code not in repr(read)


@pytest.mark.parametrize("text", ["", "https://example.com/cb", "https://example.com/cb?code=&state=x", "two words"])
def test_what_holds_no_code_says_what_to_paste(text):
    with pytest.raises(TikTokShopError, match="paste the whole address"):
        parse_redirect(text)


@pytest.mark.parametrize("error", ["auth_denied", "access_denied", "whatever"])
def test_any_error_in_the_redirect_means_declined(error):
    with pytest.raises(AuthorizationDenied, match=error):
        parse_redirect(f"https://example.com/cb?code=null&error={error}")
