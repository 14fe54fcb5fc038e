"""The records, and how they are read together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tiktokshop.auth.records import (
    ConsentRecord,
    Intent,
    NoticeRecord,
    RecordKey,
    RotatedRecord,
    ShopRecord,
    Status,
    TokenPair,
    adopt,
    authorization_id,
    effective,
    fingerprint,
    newer_pair,
    unseen,
)

NOW = 1_800_000_000
DAY = 86_400


def rotated(**changes):
    values = {
        "app_key": "EMU_app",
        "issuer": "127.0.0.1:1",
        "id": authorization_id("open-1"),
        "open_id": "open-1",
        "access_token": "EMU_access_1",
        "access_expires_at": NOW + 7 * DAY,
        "refresh_token": "EMU_refresh_1",
        "refresh_expires_at": NOW + 365 * DAY,
        "consent_id": "c1",
        "pair_at": float(NOW),
        "shops": (ShopRecord("7494049642642441621", "EMU_cipher", "GB", "LOCAL", "GB1"),),
        "granted_scopes": ("seller.order.info",),
    }
    return RotatedRecord(**values | changes)


def consent(**changes):
    values = {
        "app_key": "EMU_app",
        "issuer": "127.0.0.1:1",
        "id": authorization_id("open-1"),
        "open_id": "open-1",
        "consent_id": "c2",
        "at": NOW + 10.0,
        "source": "cli",
        "access_token": "EMU_access_2",
        "access_expires_at": NOW + 7 * DAY,
        "refresh_token": "EMU_refresh_2",
        "refresh_expires_at": None,
    }
    return ConsentRecord(**values | changes)


def intent(token="EMU_refresh_1", **changes):
    values = {"owner": "o", "fingerprint": fingerprint(token), "at": NOW, "boot_at": 1.0, "host": "h", "boot_id": "b"}
    return Intent(**values | {"pid": 1, "pid_started": 2.0} | changes)


def test_a_record_reads_back_as_it_was_written():
    for record in (rotated(intent=intent(), last_error={"code": 1}, history=({"at": 1},)), consent()):
        assert type(record).from_json(record.to_json()) == record


def test_secrets_are_flat_top_level_fields_whose_names_airflow_masks():
    record = rotated(previous_refresh_token="EMU_refresh_0", intent=intent()).to_json()
    for name, value in record.items():
        if "EMU_access" in str(value) or "EMU_refresh" in str(value):
            assert name in {"access_token", "refresh_token", "previous_refresh_token"}
            assert isinstance(value, str)


def test_no_secret_shows_in_a_repr():
    for thing in (rotated(previous_refresh_token="EMU_refresh_0"), consent(), rotated().pair):
        assert "EMU_access" not in repr(thing)
        assert "EMU_refresh" not in repr(thing)


def test_the_public_view_holds_neither_token_nor_cipher():
    public = str(effective(rotated(), None, now=NOW).public())
    assert "EMU_" not in public.replace("EMU_app", "")


def test_unknown_fields_of_a_newer_version_are_passed_over_and_a_newer_schema_is_refused():
    assert RotatedRecord.from_json(rotated().to_json() | {"colour": "green"}) == rotated()
    with pytest.raises(ValueError, match="upgrade airflow-provider-tiktokshop"):
        RotatedRecord.from_json(rotated().to_json() | {"schema": 2})


def test_a_value_that_is_no_record_is_told_from_one():
    with pytest.raises(ValueError, match="not written by this provider"):
        RotatedRecord.from_json({"hello": 1})


@pytest.mark.parametrize(
    ("left", "status"),
    [
        (7 * DAY, Status.FRESH),
        (3 * DAY, Status.FRESH),
        (3 * DAY - 1, Status.STALE),
        (1, Status.STALE),
        (0, Status.EXPIRED),
    ],
)
def test_the_status_follows_the_time_left(left, status):
    assert effective(rotated(access_expires_at=NOW + left), None, now=NOW).status is status


def test_a_dead_authorization_stays_dead_whatever_the_time_left():
    record = rotated(status="reauthorization_required")
    assert effective(record, None, now=NOW).status is Status.REAUTHORIZATION_REQUIRED


def test_an_unseen_consent_wins_over_what_was_rotated_and_a_seen_one_does_not():
    held = rotated(epoch=3, generation=9)
    assert effective(held, consent(), now=NOW).pair.refresh_token == "EMU_refresh_2"
    assert effective(held, consent(), now=NOW).epoch == 4
    assert effective(held, consent(consent_id="c1"), now=NOW).pair.refresh_token == "EMU_refresh_1"


def test_a_new_consent_revives_a_dead_authorization():
    assert effective(rotated(status="revoked"), consent(), now=NOW).status is Status.FRESH


def test_a_pending_consent_changes_nothing():
    assert unseen(rotated(), consent(pending=True)) is None
    assert effective(rotated(), consent(pending=True), now=NOW).pair.refresh_token == "EMU_refresh_1"
    assert effective(None, consent(pending=True), now=NOW).status is Status.PENDING
    assert effective(None, consent(pending=True), now=NOW).pair is None


def test_a_consent_without_tokens_means_forget():
    forget = consent(access_token=None, refresh_token=None, access_expires_at=None)
    assert effective(rotated(), forget, now=NOW).status is Status.REVOKED
    assert effective(rotated(), forget, now=NOW).pair is None


def test_a_notice_is_a_hint_and_changes_no_status():
    gone = NoticeRecord(app_key="EMU_app", id="x", type=6, at=NOW + 5.0)
    found = effective(rotated(), None, gone, now=NOW)
    assert found.status is Status.FRESH
    assert found.deauthorization_noticed


def test_a_notice_older_than_the_pair_is_ignored():
    gone = NoticeRecord(app_key="EMU_app", id="x", type=6, at=NOW - 5.0)
    assert not effective(rotated(), None, gone, now=NOW).deauthorization_noticed


def test_an_authorization_that_ends_within_thirty_days_says_so():
    assert effective(rotated(refresh_expires_at=NOW + 30 * DAY - 1), None, now=NOW).expires_soon
    assert not effective(rotated(refresh_expires_at=NOW + 30 * DAY), None, now=NOW).expires_soon
    assert not effective(rotated(refresh_expires_at=None), None, now=NOW).expires_soon
    warned = NoticeRecord(app_key="EMU_app", id="x", type=7, at=NOW + 5.0, expires_at=NOW + DAY)
    assert effective(rotated(), None, warned, now=NOW).authorization_expires_at == NOW + DAY


def test_adopting_a_consent_starts_the_next_epoch_without_an_intent():
    record = adopt(rotated(epoch=2, generation=7, intent=intent()), consent(), NOW)
    assert (record.epoch, record.generation, record.intent, record.consent_id) == (3, 1, None, "c2")
    assert not record.verified


def test_an_intent_is_open_until_answered_or_until_its_token_is_no_longer_current():
    assert rotated(intent=intent()).open_intent is not None
    assert rotated(intent=intent(answered=True)).open_intent is None
    assert rotated(intent=intent("another")).open_intent is None


def test_the_history_keeps_the_last_twenty():
    record = rotated()
    for at in range(30):
        record = replace(record, history=record.remember({"at": at}))
    assert [entry["at"] for entry in record.history] == list(range(10, 30))


@given(st.integers(0, 2**33), st.integers(0, 2**33))
def test_of_two_pairs_the_one_whose_access_token_expires_later_wins(a, b):
    first, second = TokenPair("a", a, "ra"), TokenPair("b", b, "rb")
    assert newer_pair(first, second).access_expires_at == max(a, b)


@pytest.mark.parametrize("part", ["", "a b", "a/b", "a" * 101, "ключ", "a\n"])
def test_a_key_is_made_of_plain_characters_only(part):
    with pytest.raises(ValueError, match="cannot be part"):
        _ = RecordKey("rotated", part, "x").name


def test_keys_are_neutral_words_so_that_airflow_does_not_mask_the_whole_value():
    sensitive = ("token", "secret", "password", "authorization", "bearer", "api_key", "apikey", "access_key")
    for kind in ("rotated", "consent", "notice", "seed", "roster", "state", "canary"):
        name = RecordKey(kind, "6abc", "0123456789abcdef").name
        assert len(name) <= 250
        assert not any(word in name for word in sensitive)
