"""One call over a real socket: what is sent, and what comes back."""

from __future__ import annotations

import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_tiktokshop.api import errors as e
from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.tokens import CategoryAsset
from tests.support.fault_server import ACCESS_TOKEN, APP_KEY, APP_SECRET, FakeClock, answer, envelope, message
from tests.support.open_api import SEARCH, SHOP, app, assert_signed


def test_a_call_is_signed_as_it_is_sent_and_gives_the_data(client, server):
    server.will(envelope(data={"orders": [{"id": "1"}]}))
    params = {"page_size": 50, "page_token": "a+/= é&b", "ids": [1, 2], "flag": True}
    body = {"update_time_ge": 1, "name": "é", "ids": ["a", "b"]}
    data = client.call("post", SEARCH, params, body, shop=SHOP)
    assert data == {"orders": [{"id": "1"}]}
    (seen,) = server.seen
    query = assert_signed(seen, 1_760_000_000)
    assert query == {
        "app_key": APP_KEY,
        "timestamp": "1760000000",
        "shop_cipher": "ROW_cipher+/=",
        "page_size": "50",
        "page_token": "a+/= é&b",
        "ids": "1,2",
        "flag": "true",
    }
    assert (seen.method, seen.path) == ("POST", SEARCH)
    assert json.loads(seen.body) == body
    assert seen.headers["x-tts-access-token"] == ACCESS_TOKEN
    assert seen.headers["content-type"] == "application/json"
    assert "authorization" not in seen.headers
    assert ACCESS_TOKEN not in seen.raw_query


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    params=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
            lambda key: key not in ("sign", "access_token", "x-tts-access-token", "timestamp", "app_key")
        ),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.integers() | st.none(),
    ),
    body=st.none() | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.integers(0, 9)),
)
def test_whatever_is_asked_for_the_signature_covers_what_arrives(server, params, body):
    server.steps.clear()
    server.will(envelope())
    client = TikTokShopClient(app(server.url), StaticToken(ACCESS_TOKEN), clock=FakeClock())
    client.call("POST", SEARCH, params, body)
    client.close()
    query = assert_signed(server.seen[-1])
    assert {k: v for k, v in query.items() if k not in ("app_key", "timestamp")} == {
        k: str(v) for k, v in params.items() if v not in (None, "")
    }
    assert server.seen[-1].body == b"" or json.loads(server.seen[-1].body) == body


def test_empty_values_and_an_empty_body_are_not_sent(client, server):
    server.will(envelope())
    client.call("POST", SEARCH, {"a": None, "b": "", "c": [], "d": 0}, {})
    assert set(server.seen[0].query) == {"app_key", "timestamp", "sign", "d"}
    assert server.seen[0].body == b""
    assert_signed(server.seen[0])


def test_what_the_client_adds_cannot_be_overridden(client, server):
    server.will(envelope())
    client.call("GET", "/x/202309/y", {"app_key": "other", "timestamp": "1", "sign": "s", "access_token": "t"})
    query = assert_signed(server.seen[0], 1_760_000_000)
    assert set(query) == {"app_key", "timestamp"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, {}),
        ({"shop": SHOP}, {"shop_cipher": SHOP.cipher}),
        ({"shop_cipher": "c"}, {"shop_cipher": "c"}),
        ({"category_asset_cipher": "k"}, {"category_asset_cipher": "k"}),
    ],
)
def test_a_cipher_is_sent_only_when_asked_for(client, server, arguments, expected):
    server.will(envelope())
    client.call("GET", "/x/202309/y", **arguments)
    assert {k: v for k, v in server.seen[0].query.items() if "cipher" in k} == expected


def test_a_body_is_sent_with_delete_and_integers_stay_integers(client, server):
    server.will(envelope())
    client.call("DELETE", "/event/202309/webhooks", body={"event_type": "X", "n": 5}, shop=SHOP)
    assert server.seen[0].body == b'{"event_type":"X","n":5}'
    assert_signed(server.seen[0])


def test_a_get_takes_no_body(client, server):
    server.will(envelope())
    with pytest.raises(e.InvalidRequest):
        client.call("GET", "/x/202309/y", body={"a": 1})
    assert server.seen == []
    client.call("GET", "/x/202309/y", body={})
    assert server.seen[0].body == b""


@pytest.mark.parametrize("path", ["x/202309/y", "/x?a=b", "/x y", "/x%20y", "/é", "https://elsewhere.example/x", ""])
def test_a_path_that_would_not_be_sent_as_signed_is_refused(client, server, path):
    with pytest.raises(e.InvalidRequest):
        client.call("GET", path)
    assert server.seen == []


def test_an_endpoint_that_wants_an_object_gets_one_and_is_remembered(client, server):
    server.will(envelope(36009022, "body", status=400), envelope(data={"a": 1}))
    assert client.call("POST", SEARCH) == {"a": 1}
    assert client.call("POST", SEARCH, {}, {}) == {"a": 1}
    assert [seen.body for seen in server.seen] == [b"", b"{}", b"{}"]
    for seen in server.seen:
        assert_signed(seen)
    client.call("POST", "/other/202309/search")
    assert server.seen[-1].body == b""


def test_an_endpoint_that_refuses_the_object_too_is_not_asked_for_ever(client, server):
    server.will(envelope(36009022, "body", status=400))
    with pytest.raises(e.InvalidRequest):
        client.call("POST", SEARCH)
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "body", [b'{"code":0}', b'{"code":0,"data":null}', b'{"code":0,"data":{}}', b'{"code":0,"data":[]}']
)
def test_absent_data_is_empty(client, server, body):
    server.will(answer(200, body))
    assert client.call("GET", "/x/202309/y") == {}


def test_ids_and_amounts_stay_as_they_were_sent(client, server):
    server.will(
        answer(
            200, b'{"code":0,"data":{"orders":[{"id":"0576461413038785752","n":576461413038785752,"amount":"1.10"}]}}'
        )
    )
    assert client.page("POST", SEARCH, list_key="orders").rows == [
        {"id": "0576461413038785752", "n": 576461413038785752, "amount": "1.10"}
    ]


def test_the_shops_of_the_token_are_listed_without_their_names(client, server):
    server.will(
        envelope(
            data={"shops": [{"id": 7494, "name": "Jane Doe", "region": "GB", "seller_type": "LOCAL", "cipher": "C", "code": "X"}, {"id": "2", "cipher": None}]}
        )
    )  # fmt: skip
    assert client.shops() == [Shop("7494", "C", "GB", "LOCAL", "X"), Shop("2", "")]
    assert server.seen[0].path == "/authorization/202309/shops"
    assert "shop_cipher" not in server.seen[0].query
    server.steps.clear()
    server.will(envelope(data={}))
    assert client.shops() == []


def test_what_names_a_shop_to_the_service_shows_in_no_repr():
    assert "ROW_cipher" not in repr(Shop("7495", "ROW_cipher", "GB")) + repr(CategoryAsset("GB-1", "ROW_cipher"))
    assert "7495" in repr(Shop("7495", "ROW_cipher", "GB"))


def test_threads_share_one_client(server, clock):
    def echo(connection, seen):
        body = json.dumps({"code": 0, "data": {"who": seen.query["who"]}}).encode()
        connection.sendall(message(200, body))
        return True

    server.will(echo)
    fast = App(APP_KEY, APP_SECRET, api_url=server.url, requests_per_second=1e6)
    client = TikTokShopClient(fast, StaticToken(ACCESS_TOKEN), clock=clock)
    wrong = []

    def work(name):
        for i in range(30):
            who = f"{name}-{i}"
            if client.call("GET", "/x/202309/y", {"who": who}) != {"who": who}:
                wrong.append(who)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert client.requests_sent == len(server.seen) == 240
