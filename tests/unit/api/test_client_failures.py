"""What the client tries again, what it corrects, and what it tells about a failure."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_tiktokshop.api import errors as e
from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.budget import RateBudgets
from airflow_provider_tiktokshop.api.client import StaticToken, TikTokShopClient
from tests.support.fault_server import (
    ACCESS_TOKEN,
    APP_KEY,
    APP_SECRET,
    answer,
    assert_tells_no_secret,
    envelope,
    http_date,
    message,
    raw,
    reset,
    told,
)
from tests.support.open_api import SEARCH, SHOP, app, assert_signed

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


@pytest.mark.parametrize("status", [429, 503])
def test_a_longer_wait_than_the_caller_has_patience_for_is_the_callers_to_decide(client, server, clock, status):
    server.will(answer(status, b"", {"Retry-After": "120"}), envelope(data={"rows": []}))
    for _ in range(2):
        with pytest.raises(e.RateLimited) as refused:
            client.page("GET", "/x/202309/y", list_key="rows", patience=120)
        assert refused.value.retry_after == pytest.approx(120)
        assert refused.value.endpoint == "GET /x/202309/y"
    assert (client.requests_sent, clock.sleeps) == (1, [])  # the second was not even sent
    client.page("GET", "/x/202309/y", list_key="rows", patience=121)
    assert client.requests_sent == 2


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
