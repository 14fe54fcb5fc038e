from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_tiktokshop.testing import EmulatorError, EmulatorProcess


def authorize_url(emulator, state="S1"):
    return f"{emulator.url}/open/authorize?service_id={emulator.service_id}" + (f"&state={state}" if state else "")


def query_of(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def accept(caller, number=0, **more):
    return query_of(
        caller.emulator.consent(authorize_url(caller.emulator), caller.emulator.sellers[number]["open_id"], **more)
    )


def test_the_page_lists_sellers_partners_and_their_shops(caller):
    page = caller.send("GET", urlsplit(authorize_url(caller.emulator))._replace(scheme="", netloc="").geturl())
    assert page.status == 200
    text = page.raw.decode()
    for user in (*caller.emulator.sellers, *caller.emulator.partners):
        assert user["open_id"] in text
        assert all(shop["id"] in text for shop in user["shops"])
    assert caller.emulator.creators[0]["open_id"] not in text
    assert "value=accept" in text
    assert "value=reject" in text


def test_the_state_cannot_break_out_of_the_page(caller):
    page = caller.send("GET", f"/open/authorize?service_id={caller.emulator.service_id}&state=%22%3E%3Cscript%3E")
    assert b"<script>" not in page.raw


def test_an_accepted_consent_redirects_with_code_and_state(caller):
    query = accept(caller)
    assert query["state"] == "S1"
    assert query["code"].startswith("EMU_")
    data = caller.exchange("get", auth_code=query["code"]).data
    assert data["open_id"] == caller.emulator.sellers[0]["open_id"]
    assert caller.call("GET", "/authorization/202309/shops", token=data["access_token"]).code == 0


def test_only_ticked_shops_are_covered(caller):
    shop = caller.emulator.sellers[0]["shops"][1]
    query = accept(caller, shop_ids=[shop["id"]])
    token = caller.exchange("get", auth_code=query["code"]).data["access_token"]
    shops = caller.call("GET", "/authorization/202309/shops", token=token).data["shops"]
    assert [one["id"] for one in shops] == [shop["id"]]


def test_scopes_and_duration_can_be_chosen(caller):
    query = accept(caller, scopes=["seller.authorization.info"], duration=3600)
    data = caller.exchange("get", auth_code=query["code"]).data
    assert data["granted_scopes"] == ["seller.authorization.info"]
    assert data["refresh_token_expire_in"] - data["access_token_expire_in"] == 3600 - 7 * 86400


def test_a_rejected_consent_says_so(caller):
    query = accept(caller, accept=False)
    assert query == {"code": "null", "error": "auth_denied", "state": "S1"}


def test_a_start_in_the_app_store_brings_no_state(caller):
    assert "state" not in accept(caller, app_store=True)
    url = caller.emulator.consent(authorize_url(caller.emulator, ""), caller.emulator.sellers[0]["open_id"])
    assert "state" not in query_of(url)


def test_a_code_is_redeemed_once(caller):
    code = accept(caller)["code"]
    assert caller.exchange("get", auth_code=code).code == 0
    again = caller.exchange("get", auth_code=code)
    assert (again.code, again.status) == (36004004, 200)
    assert caller.emulator.stats()["codes_refused"] == 1


def test_a_code_lives_for_half_an_hour(caller):
    young, old = accept(caller, 0)["code"], accept(caller, 1)["code"]
    caller.emulator.clock(advance=1790)
    assert caller.exchange("get", auth_code=young).code == 0
    caller.emulator.clock(advance=20)
    assert caller.exchange("get", auth_code=old).code == 36004004


def test_an_unknown_code_is_refused(caller):
    assert caller.exchange("get", auth_code="EMU_nothing").code == 36004004


def test_a_new_consent_ends_the_tokens_of_the_older_one_in_the_strict_modes(caller):
    old = caller.emulator.sellers[0]["refresh_token"]
    new = caller.exchange("get", auth_code=accept(caller)["code"]).data
    assert caller.refresh(old).code == 36004005
    assert caller.refresh(new["refresh_token"]).code == 0


def test_a_new_consent_leaves_the_older_one_alone_in_the_lenient_modes(caller):
    caller.emulator.settings(refresh_mode="grace")
    assert caller.exchange("get", auth_code=accept(caller)["code"]).code == 0
    assert caller.refresh(caller.emulator.sellers[0]["refresh_token"]).code == 0


def test_an_app_key_in_place_of_the_service_id_is_told_so(caller):
    page = caller.send("GET", f"/open/authorize?service_id={caller.emulator.app_key}&state=x")
    assert page.status == 404
    assert b"service does not exist" in page.raw


def test_creators_have_a_page_of_their_own_that_needs_a_state(caller):
    url = f"{caller.emulator.url}/alliance/creator/auth?app_key={caller.emulator.app_key}"
    creator = caller.emulator.creators[0]["open_id"]
    assert caller.send("GET", urlsplit(url).path + "?" + urlsplit(url).query).status == 404
    query = query_of(caller.emulator.consent(url + "&state=s", creator))
    data = caller.exchange("get", auth_code=query["code"]).data
    assert (data["user_type"], data["open_id"]) == (1, creator)


def test_nobody_can_consent_for_a_stranger_or_with_a_strangers_shop(caller):
    with pytest.raises(EmulatorError, match="No such user"):
        caller.emulator.consent(authorize_url(caller.emulator), caller.emulator.creators[0]["open_id"])
    with pytest.raises(EmulatorError, match="only this user"):
        accept(caller, shop_ids=[caller.emulator.sellers[1]["shops"][0]["id"]])


def test_without_a_callback_a_page_shows_the_url_to_paste(caller):
    url = caller.emulator.consent(authorize_url(caller.emulator), caller.emulator.sellers[0]["open_id"])
    assert url.startswith(caller.emulator.url + "/_emulator/redirected?")
    page = caller.send("GET", urlsplit(url).path + "?" + urlsplit(url).query)
    assert query_of(url)["code"] in page.raw.decode()


def test_a_redirect_url_of_the_app_is_used():
    with EmulatorProcess(orders=0, redirect_url="http://127.0.0.1:9/callback?tenant=1") as emulator:
        url = emulator.consent(authorize_url(emulator), emulator.sellers[0]["open_id"])
        assert url.startswith("http://127.0.0.1:9/callback?tenant=1&")
        assert query_of(url)["state"] == "S1"
