"""The two exchanges: what they send, and in which of the outcomes every answer ends."""

from __future__ import annotations

import threading
from urllib.parse import parse_qsl

import pytest

from airflow_provider_tiktokshop.api.errors import ExchangeNotSpent, ExchangeRefused, ExchangeUnknown
from airflow_provider_tiktokshop.api.http import Http
from airflow_provider_tiktokshop.api.oauth import OAuthClient, TokenGrant
from tests.support.fault_server import APP_KEY, APP_SECRET, answer, assert_tells_no_secret, envelope, raw, reset, told
from tests.support.open_api import CODE, FULL, OLD, app


def test_a_refresh_token_is_redeemed_with_exactly_one_get(oauth, server, clock):
    server.will(envelope(data=FULL))
    grant = oauth.redeem_refresh_token(OLD + "+/= é")
    assert grant == TokenGrant(
        open_id="open1",
        access_token="TTP_new-access",
        access_expires_at=1_760_604_800,
        refresh_token="TTP_new-refresh",
        refresh_expires_at=4_875_145_688,
        user_type=0,
        granted_scopes=("seller.order.info", "seller.shop.info"),
        region="GB",
        received_at=clock.now(),
        request_id="REQ1",
        complete=True,
    )
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("GET", "/api/v2/token/refresh", b"")
    # A compressed reply that breaks off could not be read for tokens.
    assert seen.headers["accept-encoding"] == "identity"
    assert parse_qsl(seen.raw_query) == [
        ("app_key", APP_KEY),
        ("app_secret", APP_SECRET),
        ("refresh_token", OLD + "+/= é"),
        ("grant_type", "refresh_token"),
    ]


def test_a_code_is_redeemed_with_exactly_one_get(oauth, server):
    server.will(envelope(data=FULL))
    assert oauth.redeem_code(CODE).complete
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("GET", "/api/v2/token/get")
    assert parse_qsl(seen.raw_query) == [
        ("app_key", APP_KEY),
        ("app_secret", APP_SECRET),
        ("auth_code", CODE),
        ("grant_type", "authorized_code"),
    ]


def test_every_exchange_opens_its_own_connection(oauth, server):
    server.will(envelope(data=FULL))
    for _ in range(3):
        oauth.redeem_refresh_token(OLD)
    assert server.connections == 3


def test_a_grant_shows_neither_its_tokens_nor_the_sellers_name(oauth, server):
    server.will(envelope(data=FULL))
    text = repr(oauth.redeem_refresh_token(OLD))
    for hidden in ("TTP_", "Jane"):
        assert hidden not in text


def test_a_reply_without_refresh_token_is_complete(oauth, server):
    server.will(envelope(data={k: v for k, v in FULL.items() if not k.startswith("refresh")}))
    grant = oauth.redeem_refresh_token(OLD)
    assert (grant.access_token, grant.refresh_token, grant.refresh_expires_at) == ("TTP_new-access", None, None)
    assert grant.complete


def test_a_reply_without_access_token_is_incomplete(oauth, server):
    server.will(envelope(data={k: v for k, v in FULL.items() if not k.startswith("access")}))
    grant = oauth.redeem_refresh_token(OLD)
    assert (grant.access_token, grant.access_expires_at, grant.refresh_token) == (None, None, "TTP_new-refresh")
    assert not grant.complete


def test_a_reply_with_the_token_alone_is_read(oauth, server):
    server.will(envelope(data={"access_token": "A", "refresh_token": "R"}))
    grant = oauth.redeem_refresh_token(OLD)
    assert (grant.open_id, grant.user_type, grant.granted_scopes, grant.region) == (None, None, None, None)
    assert grant.complete


@pytest.mark.parametrize(
    ("sent", "access", "refresh"),
    [
        (1_760_604_800, 1_760_604_800, 1_760_604_800),
        (4_875_145_688, 4_875_145_688, 4_875_145_688),
        ("4875145688", 4_875_145_688, 4_875_145_688),
        (1_760_604_800.0, 1_760_604_800, 1_760_604_800),
        (1_000_000_000, 1_000_000_000, 1_000_000_000),
        (604_800, 1_760_000_000 + 604_800, 1_760_000_000 + 604_800),
        (999_999_999, 1_760_000_000 + 999_999_999, 1_760_000_000 + 999_999_999),
        (1_760_604_800_000, 1_760_604_800, 1_760_604_800),
        (0, 1_760_000_000 + 7 * 86_400, None),
        (-5, 1_760_000_000 + 7 * 86_400, None),
        (None, 1_760_000_000 + 7 * 86_400, None),
        ("soon", 1_760_000_000 + 7 * 86_400, None),
        ("9" * 5000, 1_760_000_000 + 7 * 86_400, None),
        (True, 1_760_000_000 + 7 * 86_400, None),
    ],
)
def test_an_expiry_is_a_date_or_when_small_a_duration_or_when_absent_the_default(oauth, server, sent, access, refresh):
    server.will(envelope(data={**FULL, "access_token_expire_in": sent, "refresh_token_expire_in": sent}))
    grant = oauth.redeem_refresh_token(OLD)
    assert (grant.access_expires_at, grant.refresh_expires_at) == (access, refresh)


@pytest.mark.parametrize("code", [36004001, 36004004, 36004005])
@pytest.mark.parametrize("status", [200, 400])
def test_a_dead_token_is_refused(oauth, server, code, status):
    server.will(envelope(code, f"no {OLD} for {APP_SECRET}", status=status))
    with pytest.raises(ExchangeRefused) as caught:
        oauth.redeem_refresh_token(OLD)
    error = caught.value
    assert (error.code, error.request_id, error.endpoint) == (code, "REQ1", "GET /api/v2/token/refresh")
    assert error.meaning
    assert "authoriz" in error.advice
    assert_tells_no_secret(told(error))


@pytest.mark.parametrize(
    ("code", "status", "configuration"),
    [
        (36009004, 400, True),
        (36009004, 200, True),
        (36009033, 403, True),
        (98001004, 200, True),
        (36009002, 200, False),
        (36009002, 429, False),
        (12345, 429, False),
    ],
)
def test_a_request_turned_away_at_the_door_spends_nothing(oauth, server, code, status, configuration):
    server.will(envelope(code, "Invalid 'app_key'", status=status))
    with pytest.raises(ExchangeNotSpent) as caught:
        oauth.redeem_refresh_token(OLD)
    assert caught.value.configuration is configuration
    assert caught.value.code == code
    assert "not been spent" in str(caught.value)
    assert_tells_no_secret(told(caught.value))


def test_a_html_page_with_429_spends_nothing(oauth, server):
    server.will(answer(429, b"<html>slow down</html>"))
    with pytest.raises(ExchangeNotSpent) as caught:
        oauth.redeem_refresh_token(OLD)
    assert not caught.value.configuration


def test_a_refused_connection_spends_nothing(closed_port, clock):
    oauth = OAuthClient(app(f"http://127.0.0.1:{closed_port}"), Http(), clock)
    with pytest.raises(ExchangeNotSpent) as caught:
        oauth.redeem_refresh_token(OLD)
    assert not caught.value.configuration
    assert_tells_no_secret(told(caught.value))


@pytest.mark.parametrize("exchange", ["redeem_code", "redeem_refresh_token"])
def test_an_empty_token_is_not_sent(oauth, server, exchange):
    with pytest.raises(ExchangeNotSpent):
        getattr(oauth, exchange)("")
    assert server.seen == []


UNKNOWN = {
    "reset": reset(),
    "closed": raw(b""),
    "silence": lambda *_: threading.Event().wait(1) and False,
    "500": envelope(36009003, status=500),
    "500 with a definite code": envelope(36004005, status=500),
    "500 with tokens": envelope(0, data=FULL, status=500),
    "503 with Retry-After": answer(503, b"", {"Retry-After": "3"}),
    "internal error": envelope(36009003),
    "timeout": envelope(36009007),
    "36004003": envelope(36004003),
    "a code nobody knows": envelope(424242, f"{OLD} {APP_SECRET}"),
    "an access code": envelope(105001, status=401),
    "html": answer(200, b"<html>the-auth-code</html>"),
    "html 404": answer(404, b"<html>not found</html>"),
    "empty": answer(200, b""),
    "a list": answer(200, b"[]"),
    "null": answer(200, b"null"),
    "no code": answer(200, b'{"message":"Success","data":{}}'),
    "success without tokens": envelope(0, data={"open_id": "x"}),
    "success without data": envelope(0),
    "success with tokens of another type": envelope(0, data={"access_token": 5, "refresh_token": ["x"]}),
    "success with empty tokens": envelope(0, data={"access_token": "", "refresh_token": ""}),
    "redirect": answer(302, b"", {"Location": "https://elsewhere.example/?app_secret=1"}),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_any_other_answer_leaves_the_outcome_unknown(oauth, server, case):
    server.will(UNKNOWN[case])
    with pytest.raises(ExchangeUnknown) as caught:
        oauth.redeem_refresh_token(OLD)
    assert "unknown" in str(caught.value)
    assert len(server.seen) == 1
    assert_tells_no_secret(told(caught.value))
    assert caught.value.__context__ is None
