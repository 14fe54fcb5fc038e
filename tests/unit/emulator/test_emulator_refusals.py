from __future__ import annotations

import time

import pytest

SEARCH, DETAIL, SHOPS = "/order/202309/orders/search", "/order/202507/orders", "/authorization/202309/shops"


def refused(answer, code, status, *words):
    assert (answer.code, answer.status) == (code, status), answer.json
    assert answer.data is None
    assert answer.json["request_id"]
    for word in words:
        assert word in answer.json["message"]


def test_a_correct_call_succeeds(caller):
    answer = caller.call("GET", SHOPS)
    assert answer.status == 200
    assert answer.code == 0
    assert [shop["id"] for shop in answer.data["shops"]] == [s["id"] for s in caller.emulator.sellers[0]["shops"]]
    assert set(answer.data["shops"][0]) == {"id", "name", "region", "seller_type", "cipher", "code"}


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("GET", "/order/202309/nothing", 36009009, 404),
        ("GET", "/", 36009009, 404),
        ("GET", SEARCH, 36009010, 405),
        ("PUT", SHOPS, 36009010, 405),
        ("GET", "/authorization/202308/shops", 36009014, 400),
        ("POST", "/order/209901/orders/search", 36009014, 400),
    ],
)
def test_unknown_paths_methods_and_versions_are_told_apart(caller, method, path, code, status):
    refused(caller.call(method, path), code, status)


def test_a_documented_endpoint_that_is_not_served_says_so(caller):
    cipher = caller.emulator.sellers[0]["shops"][0]["cipher"]
    answer = caller.call(
        "GET",
        "/customer_service/202309/agents/settings",
        {"shop_cipher": cipher},
    )
    assert answer.status == 501
    assert b"does not serve" in answer.raw


@pytest.mark.parametrize("name", ["app_key", "timestamp", "sign"])
def test_each_common_parameter_is_required(caller, name):
    refused(caller.call("GET", SHOPS, override={name: None}), 36009004, 400, f"'{name}'")


@pytest.mark.parametrize("timestamp", ["17000", "abcdefghij", "-100000000", "1700000000.5"])
def test_a_timestamp_is_ten_digits(caller, timestamp):
    refused(caller.call("GET", SHOPS, {"timestamp": timestamp}), 36009004, 400, "'timestamp'")


@pytest.mark.parametrize(("offset", "accepted"), [(-290, True), (-310, False), (20, True), (40, False)])
def test_a_timestamp_is_accepted_from_five_minutes_ago_to_thirty_seconds_ahead(caller, offset, accepted):
    answer = caller.call("GET", SHOPS, {"timestamp": int(time.time()) + offset})
    if accepted:
        assert answer.code == 0
    else:
        refused(answer, 36009004, 400, "'timestamp'")


def test_an_unknown_app_key_is_refused(caller):
    refused(caller.call("GET", SHOPS, {"app_key": "EMU_other"}), 36009004, 400, "'app_key'")


def test_a_wrong_signature_is_refused(caller):
    refused(caller.call("GET", SHOPS, override={"sign": "0" * 64}), 106001, 401)


def test_a_signature_in_upper_case_is_refused(caller):
    first = caller.call("GET", SHOPS)
    assert first.code == 0
    from hmac import new

    timestamp = str(int(time.time()))
    secret = caller.emulator.app_secret.encode()
    text = f"{SHOPS}app_key{caller.emulator.app_key}timestamp{timestamp}".encode()
    good = new(secret, secret + text + secret, "sha256").hexdigest()
    assert caller.call("GET", SHOPS, override={"timestamp": timestamp, "sign": good}).code == 0
    refused(caller.call("GET", SHOPS, override={"timestamp": timestamp, "sign": good.upper()}), 106001, 401)


def test_a_parameter_changed_after_signing_is_refused(caller):
    refused(caller.search(override={"page_size": "51"}), 106001, 401)


def test_a_body_other_than_the_signed_bytes_is_refused(caller):
    assert caller.search(body={"create_time_ge": 1}).code == 0
    # The same JSON with other spacing is other bytes.
    refused(caller.search(body={"create_time_ge": 1}, sent_body=b'{"create_time_ge":1}'), 106001, 401)


def test_a_body_on_get_is_refused_as_a_wrong_signature(caller):
    refused(caller.call("GET", SHOPS, raw_body=b"{}"), 106001, 401)


def test_a_page_token_sent_without_percent_encoding_breaks_the_signature(caller):
    token = caller.search().data["next_page_token"]
    assert {"+", "/", "="} <= set(token)
    assert caller.search({"page_token": token}).code == 0
    refused(caller.search({"page_token": token}, unquoted=True), 106001, 401)


def test_a_repeated_parameter_is_refused_even_when_it_says_the_same(caller):
    target = f"{SHOPS}?app_key={caller.emulator.app_key}&timestamp={int(time.time())}&sort=1&sort=1&sign=0"
    answer = caller.send("GET", target, {"x-tts-access-token": caller.access_token()})
    refused(answer, 36009004, 400, "Duplicate 'sort'")


def test_a_query_that_is_no_utf8_is_refused(caller):
    answer = caller.send("GET", f"{SHOPS}?app_key=%ff", {"x-tts-access-token": caller.access_token()})
    refused(answer, 36009004, 400, "encoding")


def test_the_token_header_is_required(caller):
    refused(caller.call("GET", SHOPS, headers={"x-tts-access-token": None}), 36009004, 400, "'x-tts-access-token'")


def test_a_bearer_header_is_no_substitute(caller):
    headers = {"x-tts-access-token": None, "authorization": f"Bearer {caller.access_token()}"}
    refused(caller.call("GET", SHOPS, headers=headers), 36009004, 400, "'x-tts-access-token'")


def test_an_unknown_access_token_is_refused(caller):
    refused(caller.call("GET", SHOPS, token="EMU_nobody"), 105001, 401)


def test_an_expired_access_token_is_refused_with_401(caller):
    token = caller.access_token()
    caller.emulator.account(caller.emulator.sellers[0]["open_id"], expire_access=True)
    refused(caller.call("GET", SHOPS, token=token), 105002, 401)


def test_an_expired_access_token_is_refused_with_200_when_so_switched(caller):
    token = caller.access_token()
    caller.emulator.account(caller.emulator.sellers[0]["open_id"], expire_access=True)
    caller.emulator.settings(expired_status=200)
    refused(caller.call("GET", SHOPS, token=token), 105002, 200)


def test_a_withdrawn_authorization_is_an_invalid_token(caller):
    token = caller.access_token()
    seller = caller.emulator.sellers[0]
    caller.emulator.account(seller["open_id"], deauthorize=True)
    refused(caller.call("GET", SHOPS, token=token), 105001, 401)
    refused(caller.refresh(seller["refresh_token"]), 36004005, 200)


def test_a_missing_shop_cipher_is_refused(caller):
    refused(caller.call("POST", SEARCH, {"page_size": 5}), 106013, 400)


def test_a_shop_cipher_where_none_belongs_is_refused(caller):
    cipher = caller.emulator.sellers[0]["shops"][0]["cipher"]
    refused(caller.call("GET", SHOPS, {"shop_cipher": cipher}), 36009004, 400, "'shop_cipher'")


def test_a_cipher_of_another_seller_is_refused(caller):
    cipher = caller.emulator.sellers[1]["shops"][0]["cipher"]
    refused(caller.call("POST", SEARCH, {"page_size": 5, "shop_cipher": cipher}), 101000, 401)


def test_a_cipher_of_a_shop_that_was_not_ticked_is_refused(caller):
    seller = caller.emulator.sellers[0]
    token = caller.access_token()
    caller.emulator.account(seller["open_id"], shop_ids=[seller["shops"][1]["id"]])
    refused(caller.search(token=token), 101000, 401)
    assert caller.search(shop=1, token=token).code == 0
    assert [shop["id"] for shop in caller.call("GET", SHOPS, token=token).data["shops"]] == [seller["shops"][1]["id"]]


def test_renewed_ciphers_end_the_old_ones(caller):
    token = caller.access_token()
    assert caller.search(token=token).code == 0
    caller.emulator.account(caller.emulator.sellers[0]["open_id"], new_ciphers=True)
    refused(caller.search(token=token), 101000, 401)


def test_a_category_asset_cipher_where_none_belongs_is_refused(caller):
    answer = caller.search({"category_asset_cipher": "EMU_ASSET_x"})
    refused(answer, 36009004, 400, "'category_asset_cipher'")


@pytest.mark.parametrize("kind", ["creators", "partners"])
def test_a_seller_endpoint_refuses_tokens_of_other_users(caller, kind):
    user = getattr(caller.emulator, kind)[0]
    token = caller.refresh(user["refresh_token"]).data["access_token"]
    refused(caller.call("GET", SHOPS, token=token), 101000, 401)


def test_category_assets_are_for_partners(caller):
    token = caller.refresh(caller.emulator.partners[0]["refresh_token"]).data["access_token"]
    answer = caller.call("GET", "/authorization/202405/category_assets", token=token)
    assert [asset["target_market"] for asset in answer.data["category_assets"]] == ["US", "GB"]
    refused(caller.call("GET", "/authorization/202405/category_assets"), 101000, 401)


def test_a_scope_that_was_not_granted_is_refused(caller):
    token = caller.access_token()
    caller.emulator.account(caller.emulator.sellers[0]["open_id"], granted_scopes=["seller.authorization.info"])
    refused(caller.search(token=token), 105005, 401)
    assert caller.call("GET", SHOPS, token=token).code == 0


def test_inactive_sellers_and_shops_are_refused_differently(caller):
    token = caller.access_token()
    seller = caller.emulator.sellers[0]
    caller.emulator.account(seller["open_id"], inactive_shop_ids=[seller["shops"][0]["id"]])
    refused(caller.search(token=token), 36009043, 401)
    assert caller.search(shop=1, token=token).code == 0
    caller.emulator.account(seller["open_id"], active=False)
    refused(caller.search(shop=1, token=token), 36009044, 401)


def test_an_address_off_the_allow_list_is_refused_everywhere(caller):
    token = caller.access_token()
    caller.emulator.settings(ip_allowed=False)
    refused(caller.call("GET", SHOPS, token=token), 36009033, 403)
    refused(caller.refresh(caller.emulator.sellers[0]["refresh_token"]), 36009033, 403)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"page_size": "0"}, "'page_size'"),
        ({"page_size": "101"}, "'page_size'"),
        ({"page_size": "ten"}, "'page_size'"),
        ({"page_size": "1.0"}, "'page_size'"),
        ({"page_size": ""}, "'page_size'"),
        ({"sort_order": "asc"}, "'sort_order'"),
        ({"sort_field": "CREATE_TIME"}, "'sort_field'"),
        ({"create_time_ge": "1"}, "'create_time_ge'"),
        ({"shop_id": "1"}, "'shop_id'"),
        ({"page_token": "made-up"}, "'page_token'"),
    ],
)
def test_query_parameters_are_checked_for_name_type_range_and_values(caller, query, word):
    refused(caller.search(query), 36009004, 400, word)


def test_page_size_is_required(caller):
    cipher = caller.emulator.sellers[0]["shops"][0]["cipher"]
    refused(caller.call("POST", SEARCH, {"shop_cipher": cipher}), 36009004, 400, "'page_size'")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"create_time_ge": "1700000000"}, "'create_time_ge'"),
        ({"create_time_ge": 1.5}, "'create_time_ge'"),
        ({"create_time_ge": True}, "'create_time_ge'"),
        ({"create_time_ge": -1}, "'create_time_lt'"),
        ({"update_time_ge": 20, "update_time_lt": 10}, "'update_time_lt'"),
        ({"order_status": "SHIPPED"}, "'order_status'"),
        ({"order_status": None}, "'order_status'"),
        ({"is_buyer_request_cancel": "true"}, "'is_buyer_request_cancel'"),
        ({"warehouse_ids": "1"}, "'warehouse_ids'"),
        ({"warehouse_ids": [1]}, "'warehouse_ids'"),
        ({"warehouse_ids": ["1"] * 101}, "'warehouse_ids'"),
        ({"page_size": 10}, "'page_size'"),
    ],
)
def test_body_fields_are_checked_for_name_type_range_and_values(caller, body, word):
    refused(caller.search(body=body), 36009004, 400, word)


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"text"', b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_refused(caller, raw):
    refused(caller.search(raw_body=raw), 36009022, 400)


def test_a_json_body_needs_its_content_type(caller):
    answer = caller.search(body={"create_time_ge": 1}, headers={"content-type": "text/plain"})
    refused(answer, 36009004, 400, "'content-type'")


def test_a_post_without_body_is_refused_when_so_switched(caller):
    assert caller.search().code == 0
    caller.emulator.settings(post_body="required")
    refused(caller.search(), 36009022, 400)
    assert caller.search(body={}).code == 0


def test_an_empty_object_breaks_the_signature_when_so_switched(caller):
    assert caller.search(body={}).code == 0
    caller.emulator.settings(post_body="no_empty_object")
    refused(caller.search(body={}), 106001, 401)
    assert caller.search().code == 0


def test_undocumented_parameters_pass_when_so_switched(caller):
    caller.emulator.settings(unknown_params="ignore")
    assert caller.search({"new_one": "1"}, {"other_new_one": 2}).code == 0


def test_order_detail_takes_at_most_fifty_ids(caller):
    cipher = caller.emulator.sellers[0]["shops"][0]["cipher"]
    ids = [row["id"] for row in caller.all_rows({"page_size": 60})][:51]
    assert len(caller.call("GET", DETAIL, {"shop_cipher": cipher, "ids": ",".join(ids[:50])}).data["orders"]) == 50
    refused(caller.call("GET", DETAIL, {"shop_cipher": cipher, "ids": ",".join(ids)}), 36009004, 400, "'ids'")
    refused(caller.call("GET", DETAIL, {"shop_cipher": cipher}), 36009004, 400, "'ids'")


def test_an_order_of_another_shop_and_an_unknown_order_are_told_apart(caller):
    ciphers = [shop["cipher"] for shop in caller.emulator.sellers[0]["shops"]]
    order_id = caller.search(shop=1).data["orders"][0]["id"]
    assert caller.call("GET", DETAIL, {"shop_cipher": ciphers[1], "ids": order_id}).code == 0
    refused(caller.call("GET", DETAIL, {"shop_cipher": ciphers[0], "ids": order_id}), 21008111, 200)
    refused(caller.call("GET", DETAIL, {"shop_cipher": ciphers[0], "ids": str(int(order_id) + 1)}), 21001001, 200)
    refused(caller.call("GET", DETAIL, {"shop_cipher": ciphers[0], "ids": "nonsense"}), 21001001, 200)
