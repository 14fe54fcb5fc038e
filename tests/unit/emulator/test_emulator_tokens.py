from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

SHOPS = "/authorization/202309/shops"


def seller(caller, number=0):
    return caller.emulator.sellers[number]


def usable(caller, data):
    return caller.call("GET", SHOPS, token=data["access_token"]).code == 0


def refused(answer, code, status=200):
    assert (answer.code, answer.status) == (code, status), answer.json
    assert answer.data is None


def test_a_refresh_answers_with_a_new_pair_and_absolute_expiries(caller):
    before = seller(caller)["refresh_token"]
    answer = caller.refresh(before)
    assert (answer.status, answer.code, answer.json["message"]) == (200, 0, "success")
    data = answer.data
    assert set(data) == {
        "access_token",
        "access_token_expire_in",
        "refresh_token",
        "refresh_token_expire_in",
        "open_id",
        "seller_name",
        "seller_base_region",
        "user_type",
        "granted_scopes",
    }
    assert data["open_id"] == seller(caller)["open_id"]
    assert data["user_type"] == 0
    assert data["refresh_token"] != before
    assert abs(data["access_token_expire_in"] - (time.time() + 7 * 86400)) < 60
    assert "seller.order.info" in data["granted_scopes"]
    assert all(len(data[name]) > 100 and data[name].startswith("EMU_") for name in ("access_token", "refresh_token"))
    assert usable(caller, data)


def test_a_refresh_does_not_prolong_the_authorization(caller):
    first = caller.refresh(seller(caller)["refresh_token"]).data
    caller.emulator.clock(advance=86400)
    second = caller.refresh(first["refresh_token"]).data
    assert second["refresh_token_expire_in"] == first["refresh_token_expire_in"]
    assert second["access_token_expire_in"] - first["access_token_expire_in"] >= 86400


def test_a_creators_authorization_ends_beyond_32_bits(caller):
    data = caller.refresh(caller.emulator.creators[0]["refresh_token"]).data
    assert data["user_type"] == 1
    assert data["seller_name"] == ""
    assert data["refresh_token_expire_in"] > 2**32


@pytest.mark.parametrize("kind", ["refresh", "get"])
def test_anything_but_get_is_not_found_in_plain_text(caller, kind):
    answer = caller.exchange(kind, method="POST", refresh_token=seller(caller)["refresh_token"])
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert caller.emulator.stats()["redemptions_total"] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"app_key": "EMU_other"},
        {"app_key": None},
        {"app_secret": "EMU_other"},
        {"app_secret": None},
        {"grant_type": "authorization_code"},
        {"grant_type": "authorized_code"},
        {"grant_type": None},
        {"refresh_token": None},
    ],
)
def test_wrong_app_settings_are_refused_and_spend_nothing(caller, changes):
    token = seller(caller)["refresh_token"]
    refused(caller.exchange("refresh", **{"refresh_token": token, **changes}), 36009004)
    assert caller.refresh(token).code == 0


def test_an_unknown_refresh_token_is_refused(caller):
    refused(caller.refresh("EMU_nobody"), 36004005)


def test_an_expired_refresh_token_is_refused(caller):
    token = seller(caller)["refresh_token"]
    caller.emulator.account(seller(caller)["open_id"], expire_refresh=True)
    refused(caller.refresh(token), 36004001)


def test_rotate_ends_both_old_tokens_at_once(caller):
    first = caller.refresh(seller(caller)["refresh_token"]).data
    second = caller.refresh(first["refresh_token"]).data
    assert not usable(caller, first)
    refused(caller.refresh(first["refresh_token"]), 36004005)
    assert usable(caller, second)
    assert caller.refresh(second["refresh_token"]).code == 0


def test_family_ends_everything_when_a_spent_token_comes_back(caller):
    caller.emulator.settings(refresh_mode="family")
    first = caller.refresh(seller(caller)["refresh_token"]).data
    second = caller.refresh(first["refresh_token"]).data
    assert usable(caller, second)
    refused(caller.refresh(first["refresh_token"]), 36004005)
    assert not usable(caller, second)
    refused(caller.refresh(second["refresh_token"]), 36004005)
    assert caller.refresh(seller(caller, 1)["refresh_token"]).code == 0


def test_grace_answers_a_spent_token_with_the_same_pair_for_a_minute(caller):
    caller.emulator.settings(refresh_mode="grace")
    token = seller(caller)["refresh_token"]
    first, again = caller.refresh(token).data, caller.refresh(token).data
    assert again == first
    stats = caller.emulator.stats()
    assert stats["redemptions_total"] == 1
    assert stats["reused_refresh_tokens_total"] == 1
    caller.emulator.clock(advance=61)
    refused(caller.refresh(token), 36004005)
    caller.emulator.settings(check_timestamp=False)
    assert usable(caller, first)


def test_grace_and_reusable_leave_the_old_access_token_alone(caller):
    for mode in ("grace", "reusable"):
        caller.emulator.settings(refresh_mode=mode)
        first = caller.refresh(seller(caller)["refresh_token"]).data
        assert caller.refresh(first["refresh_token"]).code == 0
        assert usable(caller, first)
        caller.emulator.reset()


def test_reusable_keeps_the_refresh_token(caller):
    caller.emulator.settings(refresh_mode="reusable")
    token = seller(caller)["refresh_token"]
    first, second = caller.refresh(token).data, caller.refresh(token).data
    assert first["refresh_token"] == second["refresh_token"] == token
    assert first["access_token"] != second["access_token"]
    assert caller.emulator.stats()["reused_refresh_tokens_total"] == 0


def test_an_access_token_expires_when_its_time_has_come(caller):
    caller.emulator.settings(access_ttl=100, check_timestamp=False)
    data = caller.refresh(seller(caller)["refresh_token"]).data
    caller.emulator.clock(advance=90)
    assert usable(caller, data)
    caller.emulator.clock(advance=10)
    assert caller.call("GET", SHOPS, token=data["access_token"]).code == 105002


def test_replies_can_come_without_scopes_and_without_a_refresh_token(caller):
    caller.emulator.settings(omit_scopes=True, omit_refresh_token=True)
    data = caller.refresh(seller(caller)["refresh_token"]).data
    assert not {"granted_scopes", "refresh_token", "refresh_token_expire_in"} & set(data)


def test_redemptions_reuse_and_presentations_are_counted_by_authorization_and_token(caller):
    token = seller(caller)["refresh_token"]
    for _ in range(3):
        caller.refresh(token)
    stats = caller.emulator.stats()
    open_id = seller(caller)["open_id"]
    assert stats["redemptions"] == {open_id: 1}
    assert stats["reused_refresh_tokens"] == {open_id: 2}
    assert list(stats["presented_refresh_tokens"].values()) == [3]
    assert stats["requests"]["GET /api/v2/token/refresh"] == {"0": 1, "36004005": 2}
    assert token not in str(stats)


def test_of_many_at_once_one_redeems_and_the_peak_is_seen(caller):
    caller.emulator.faults({"match": "/api/v2/token/refresh", "kind": "hold", "times": 5})
    token = seller(caller)["refresh_token"]
    with ThreadPoolExecutor(5) as pool:
        answers = [pool.submit(caller.refresh, token) for _ in range(5)]
        caller.emulator.wait_held(5)
        assert caller.emulator.release() == 5
        codes = sorted(answer.result().code for answer in answers)
    assert codes == [0, 36004005, 36004005, 36004005, 36004005]
    assert caller.emulator.stats()["peak_concurrent_presentations_of_one_token"] == 5


def test_token_endpoints_have_a_rate_limit_of_their_own(caller):
    caller.emulator.settings(token_rate_limit=0.1)
    assert caller.refresh(seller(caller)["refresh_token"]).code == 0
    refused(caller.refresh("EMU_nobody"), 36009002, 429)
    assert caller.call("GET", SHOPS).code == 0
