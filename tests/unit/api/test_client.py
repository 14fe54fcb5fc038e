"""The client over a real socket: what it sends, what it retries, how it pages."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_tiktokshop.api import errors as e
from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.budget import RateBudgets
from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
from tests.support.fault_server import (
    ACCESS_TOKEN,
    APP_KEY,
    APP_SECRET,
    FakeClock,
    answer,
    assert_tells_no_secret,
    envelope,
    http_date,
    message,
    raw,
    reset,
    told,
)

SEARCH = "/order/202309/orders/search"
SHOP = Shop("7494", "ROW_cipher+/=", "GB", "LOCAL", "GBLC1")


def app(url: str) -> App:
    return App(APP_KEY, APP_SECRET, api_url=url, auth_url=url)


@pytest.fixture
def client(server, clock):
    client = TikTokShopClient(app(server.url), StaticToken(ACCESS_TOKEN), clock=clock)
    yield client
    client.close()


def assert_signed(seen, timestamp=None):
    """Check a request as the service does, from what arrived."""
    query = seen.query
    sign = query.pop("sign")
    assert seen.raw_query.endswith(f"&sign={sign}")
    assert len(seen.raw_query.split("&")) == len(query) + 1
    text = seen.path + "".join(key + query[key] for key in sorted(query))
    signed = APP_SECRET.encode() + text.encode() + seen.body + APP_SECRET.encode()
    assert sign == hmac.new(APP_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert query["app_key"] == APP_KEY
    assert len(query["timestamp"]) == 10
    if timestamp is not None:
        assert query["timestamp"] == str(timestamp)
    return query


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


RETRIED = {
    "429": envelope(36009002, status=429),
    "36009002 with 200": envelope(36009002),
    "429 with a page": answer(429, b"<html>"),
    "36009003": envelope(36009003),
    "36009007": envelope(36009007, status=504),
    "500 without a body": answer(500, b""),
    "502 with a page": answer(502, b"<html>bad gateway</html>"),
    "500 that claims success": envelope(0, status=500),
    "customer service": envelope(45101001),
    "order detail": envelope(10002014),
    "reset": reset(),
    "closed": raw(b""),
    "truncated": raw(message(200, b'{"code":0,"data', length=500)),
    "html": answer(200, b"<html>hello</html>"),
    "empty": answer(200, b""),
    "no code": answer(200, b'{"data":{}}'),
}


@pytest.mark.parametrize("case", RETRIED)
def test_what_may_pass_is_tried_again(client, server, clock, case):
    server.will(RETRIED[case], RETRIED[case], envelope(data={"a": 1}))
    assert client.call("GET", "/x/202309/y") == {"a": 1}
    assert client.requests_sent == len(server.seen) == 3
    assert 1 <= clock.sleeps[0] <= 1.5
    assert any(2 <= pause <= 2.5 for pause in clock.sleeps[1:])


def test_after_five_tries_the_failure_is_raised(client, server):
    server.will(envelope(36009003, "Internal error", status=500))
    with pytest.raises(e.ServiceUnavailable) as caught:
        client.call("GET", "/x/202309/y")
    assert len(server.seen) == 5
    assert caught.value.request_id == "REQ1"


def test_a_host_that_is_down_is_tried_five_times(clock, closed_port):
    client = TikTokShopClient(app(f"http://127.0.0.1:{closed_port}"), StaticToken(ACCESS_TOKEN), clock=clock)
    with pytest.raises(e.RequestNotSent):
        client.call("POST", "/x/202309/write", body={"a": 1})
    assert client.requests_sent == 5
    assert sum(clock.sleeps) > 14


@pytest.mark.parametrize("case", ["500 without a body", "reset", "truncated", "html", "36009007"])
def test_a_write_whose_outcome_is_unknown_is_sent_once(client, server, case):
    server.will(RETRIED[case], envelope())
    with pytest.raises((e.ReplyLost, e.ServiceUnavailable)):
        client.call("POST", "/affiliate_seller/202412/open_collaborations", body={"a": 1})
    assert len(server.seen) == 1


def test_a_write_is_repeated_when_the_caller_says_that_it_may_be(client, server):
    server.will(reset(), envelope())
    client.call("POST", "/affiliate_seller/202412/open_collaborations", body={"a": 1}, repeatable=True)
    assert len(server.seen) == 2


REFUSED = [
    (36009009, 404, e.InvalidRequest),
    (36009014, 400, e.VersionRetired),
    (36009033, 403, e.IpNotAllowed),
    (36009037, 429, e.QuotaExhausted),
    (45101004, 200, e.QuotaExhausted),
    (105005, 401, e.ScopeMissing),
    (106001, 401, e.SignatureRefused),
    (106013, 400, e.ShopCipherError),
    (12052180, 200, e.ResultWindowTooLarge),
    (36009044, 401, e.ShopInactive),
    (777, 200, e.ApiError),
]


@pytest.mark.parametrize(("code", "status", "expected"), REFUSED)
def test_a_definite_refusal_is_raised_at_once(client, server, clock, code, status, expected):
    server.will(envelope(code, "no. For more details: https://x.y/z?a=b", status=status))
    with pytest.raises(expected) as caught:
        client.call("POST", SEARCH, shop=SHOP)
    error = caught.value
    assert (error.code, error.http_status, error.request_id, error.message) == (code, status, "REQ1", "no")
    assert error.endpoint == f"POST {SEARCH}"
    assert len(server.seen) == 1
    assert clock.sleeps == []


@pytest.mark.parametrize("status", [301, 302, 403, 404])
def test_a_page_from_somebody_else_is_raised_without_its_content(client, server, status):
    server.will(answer(status, b"<html>secret page</html>", {"Location": "https://elsewhere.example/?a=b"}))
    with pytest.raises(e.ApiError) as caught:
        client.call("GET", "/x/202309/y")
    assert (caught.value.http_status, caught.value.code) == (status, None)
    assert "24 bytes" in str(caught.value)
    assert "secret page" not in told(caught.value)
    assert "elsewhere" not in told(caught.value)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [({"Retry-After": "7"}, 7, 7.2), ({"Retry-After": http_date(1_760_000_011), "Date": http_date(1_760_000_000)}, 11, 11.2), ({"Retry-After": "3600"}, 60, 60)],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_up_to_a_minute(client, server, clock, headers, least, most, status):
    server.will(answer(status, b"", headers), envelope())
    client.call("GET", "/x/202309/y")
    assert least <= clock.time - 1_760_000_000 <= most


def test_a_rate_limit_slows_this_shop_and_endpoint_down_and_no_other(server, clock):
    budgets = RateBudgets(10, clock)
    client = TikTokShopClient(app(server.url), StaticToken(ACCESS_TOKEN), clock=clock, budgets=budgets)
    server.will(envelope(36009002, status=429), envelope())
    client.call("GET", "/order/202407/orders/123/price_detail", shop=SHOP)
    assert budgets.for_key((APP_KEY, SHOP.cipher, "GET /order/202407/orders/{id}/price_detail")).rate < 6
    assert budgets.for_key((APP_KEY, "-", "GET /order/202407/orders/{id}/price_detail")).rate == 10


def test_requests_are_paced_by_the_apps_rate(server, clock):
    slow = App(APP_KEY, APP_SECRET, api_url=server.url, requests_per_second=2.0)
    client = TikTokShopClient(slow, StaticToken(ACCESS_TOKEN), clock=clock)
    server.will(envelope())
    for order in range(5):
        client.call("GET", f"/order/202407/orders/{order}/price_detail")
    assert clock.time - 1_760_000_000 == pytest.approx(2.0)


class Rotating:
    """Hands out tokens one after the other."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)
        self.refused = []

    def current(self):
        return self.tokens[0]

    def after_refusal(self, refused_token):
        self.refused.append(refused_token)
        if len(self.tokens) > 1:
            self.tokens.pop(0)
        return self.tokens[0]


@pytest.mark.parametrize(("code", "status"), [(105001, 401), (105002, 401), (105002, 200)])
def test_a_refused_token_is_replaced_once(server, clock, code, status):
    tokens = Rotating("TTP_one", "TTP_two", "TTP_three")
    client = TikTokShopClient(app(server.url), tokens, clock=clock)
    server.will(envelope(code, status=status), envelope(data={"a": 1}))
    assert client.call("GET", "/x/202309/y") == {"a": 1}
    assert [seen.headers["x-tts-access-token"] for seen in server.seen] == ["TTP_one", "TTP_two"]
    assert tokens.refused == ["TTP_one"]


def test_a_second_refusal_is_raised(server, clock):
    tokens = Rotating("TTP_one", "TTP_two", "TTP_three")
    client = TikTokShopClient(app(server.url), tokens, clock=clock)
    server.will(envelope(105002, status=401))
    with pytest.raises(e.AccessTokenExpired):
        client.call("GET", "/x/202309/y")
    assert len(server.seen) == 2
    assert tokens.refused == ["TTP_one"]


def test_a_static_token_is_not_sent_again_after_its_refusal(client, server):
    server.will(envelope(105001, "access token is invalid", status=401))
    with pytest.raises(e.AccessTokenInvalid) as caught:
        client.call("GET", "/x/202309/y")
    assert caught.value.request_id == "REQ1"
    assert len(server.seen) == 1


def test_what_the_token_source_raises_is_raised(server, clock):
    class Dead(Rotating):
        def after_refusal(self, refused_token):
            raise e.ConfigurationError("The authorization was revoked.")

    client = TikTokShopClient(app(server.url), Dead("TTP_one"), clock=clock)
    server.will(envelope(105001, status=401))
    with pytest.raises(e.ConfigurationError) as caught:
        client.call("GET", "/x/202309/y")
    assert caught.value.__context__ is None


def test_a_wrong_clock_is_corrected_from_the_date_header_once_and_for_all(client, server, clock):
    late = envelope(36009004, "Invalid 'timestamp'", status=400, headers={"Date": http_date(clock.time + 3600)})
    server.will(late, envelope())
    client.call("GET", "/x/202309/y")
    assert client.clock_offset == pytest.approx(3600, abs=1)
    assert [int(seen.query["timestamp"]) for seen in server.seen] == [1_760_000_000, 1_760_003_600]
    client.call("GET", "/x/202309/z")
    assert int(server.seen[-1].query["timestamp"]) >= 1_760_003_600
    for seen in server.seen:
        assert_signed(seen)


@pytest.mark.parametrize(
    ("headers", "requests"), [({"Date": http_date(1_760_000_000)}, 2), ({}, 1), ({"Date": "?"}, 1)]
)
def test_a_timestamp_refused_again_is_raised(client, server, headers, requests):
    server.will(envelope(36009004, "Invalid 'timestamp'", status=400, headers=headers))
    with pytest.raises(e.ClockSkewed) as caught:
        client.call("GET", "/x/202309/y")
    assert "NTP" in caught.value.advice
    assert len(server.seen) == requests


def pages_of(*tokens, rows=2):
    return [
        envelope(data={"orders": [{"id": f"{n}{i}"} for i in range(rows)], "next_page_token": token, "total_count": 9})
        for n, token in enumerate(tokens)
    ]


def test_pages_are_read_until_no_next_one_is_named(client, server):
    server.will(*pages_of("t+1/=", "t2", ""))
    pages = list(
        client.pages(
            "POST", SEARCH, list_key="orders", params={"sort_order": "ASC"}, body={"a": 1}, page_size=2, shop=SHOP
        )
    )
    assert [[row["id"] for row in page.rows] for page in pages] == [["00", "01"], ["10", "11"], ["20", "21"]]
    assert [page.next_page_token for page in pages] == ["t+1/=", "t2", None]
    assert (pages[0].total_count, pages[0].request_id) == (9, "REQ1")
    assert [seen.query.get("page_token") for seen in server.seen] == [None, "t+1/=", "t2"]
    for seen in server.seen:
        query = assert_signed(seen)
        assert (query["page_size"], query["sort_order"], query["shop_cipher"]) == ("2", "ASC", SHOP.cipher)
        assert seen.body == b'{"a":1}'


def test_paging_goes_on_where_it_was_left(client, server):
    server.will(*pages_of(None))
    assert len(list(client.pages("POST", SEARCH, list_key="orders", page_token="t7"))) == 1
    assert server.seen[0].query["page_token"] == "t7"


@pytest.mark.parametrize("tokens", [("a", "a"), ("a", "b", "a"), ("start",)])
def test_a_page_token_that_comes_again_ends_in_an_error(client, server, tokens):
    server.will(*pages_of(*tokens))
    rows = []
    with pytest.raises(e.PagingError) as caught:
        for page in client.pages("POST", SEARCH, list_key="orders", page_token="start"):
            rows += page.rows
    assert len(server.seen) == len(tokens)
    assert len(rows) == 2 * len(tokens)
    assert caught.value.endpoint == f"POST {SEARCH}"


@pytest.mark.parametrize(
    ("token_in", "first", "second"),
    [
        ("body", {"page_size": 2, "a": 1}, {"page_size": 2, "page_token": "t", "a": 1}),
        ("body.pagination", {"a": 1, "pagination": {"page_size": 2}}, {"a": 1, "pagination": {"page_size": 2, "page_token": "t"}}),
    ],
)  # fmt: skip
def test_size_and_token_go_where_the_endpoint_takes_them(client, server, token_in, first, second):
    server.will(*pages_of("t", ""))
    assert (
        len(list(client.pages("POST", SEARCH, list_key="orders", body={"a": 1}, page_size=2, token_in=token_in))) == 2
    )
    assert [json.loads(seen.body) for seen in server.seen] == [first, second]
    assert "page_size" not in server.seen[0].query


def test_numbered_pages_end_with_the_first_that_is_not_full(client, server):
    server.will(*pages_of(None, None), *pages_of(None, rows=1))
    pages = list(
        client.pages("POST", "/product/202606/skpps/search", list_key="orders", page_size=2, token_in="page_no")
    )
    assert [json.loads(seen.body)["page_no"] for seen in server.seen] == [1, 2, 3]
    assert pages[-1].next_page_token is None


def test_an_endpoint_that_does_not_page_is_asked_once(client, server):
    server.will(envelope(data={"warehouses": [{"id": "1"}], "next_page_token": "x"}))
    pages = list(client.pages("GET", "/logistics/202309/warehouses", list_key="warehouses", token_in=None, page_size=9))
    assert len(pages) == 1
    assert "page_size" not in server.seen[0].query


@pytest.mark.parametrize(
    ("data", "list_key", "rows", "token"),
    [
        (None, "orders", [], None),
        ({}, "orders", [], None),
        ({"orders": None}, "orders", [], None),
        ({"performance": {"intervals": [{"a": 1}]}}, "performance.intervals", [{"a": 1}], None),
        ({"performance": None}, "performance.intervals", [], None),
        ({"data": {"data": [{"a": 1}], "next_page_token": "n"}}, "data.data", [{"a": 1}], "n"),
        ({"performance": {"a": 1}}, "performance", [{"a": 1}], None),
        ({"a": 1}, None, [{"a": 1}], None),
        ({}, None, [], None),
    ],
)
def test_rows_are_found_where_the_endpoint_puts_them(client, server, data, list_key, rows, token):
    server.will(envelope(data=data))
    page = client.page("GET", "/x/202309/y", list_key=list_key)
    assert (page.rows, page.next_page_token) == (rows, token)
    assert page.data == (data or {})


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


FAULTS = {
    **RETRIED,
    **{str(code): envelope(code, f"{ACCESS_TOKEN} {APP_SECRET} at https://x.y/?sign=abc", status=status) for code, status, _ in REFUSED},
    "page": answer(403, f"<html>{ACCESS_TOKEN}</html>".encode()),
    "token refused": envelope(105001, f"bad token {ACCESS_TOKEN}", status=401),
    "clock": envelope(36009004, "timestamp", status=400, headers={"Date": http_date(1)}),
    "hostile request id": answer(400, b'{"code":777,"message":["' + ACCESS_TOKEN.encode() + b'"],"request_id":"' + ACCESS_TOKEN.encode() + b'"}'),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_no_failure_tells_a_secret(client, server, caplog, case):
    caplog.set_level(logging.DEBUG)
    server.will(FAULTS[case])
    with pytest.raises(e.TikTokShopError) as caught:
        client.call("POST", SEARCH, {"page_token": "p"}, {"a": 1}, shop=SHOP)
    logging.getLogger("test").error("It failed.", exc_info=caught.value)
    assert_tells_no_secret(told(caught.value) + caplog.text)
    assert SHOP.cipher not in told(caught.value) + caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
