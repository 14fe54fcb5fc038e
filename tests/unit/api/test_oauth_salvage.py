"""What can be saved from a token reply that broke off."""

from __future__ import annotations

import json

import pytest

from airflow_provider_tiktokshop.api.errors import ExchangeRefused, ExchangeUnknown
from tests.support.fault_server import answer, envelope, message, raw, reset, told
from tests.support.open_api import FULL, OLD

BODY = json.dumps({"code": 0, "message": "success", "data": FULL, "request_id": "REQ1"}).encode()


def cut_after(text: bytes) -> bytes:
    return BODY[: BODY.index(text) + len(text)]


@pytest.mark.parametrize("how", ["shorter than announced", "reset", "chunked", "closed without length"])
@pytest.mark.parametrize(
    ("cut", "access", "refresh"),
    [
        (cut_after(b'"TTP_new-refresh"'), "TTP_new-access", "TTP_new-refresh"),
        (cut_after(b'"TTP_new-refresh'), "TTP_new-access", None),
        (cut_after(b'"TTP_new-access"'), "TTP_new-access", None),
        (BODY[:-1], "TTP_new-access", "TTP_new-refresh"),
    ],
)
def test_whole_tokens_of_a_broken_reply_are_saved(oauth, server, how, cut, access, refresh):
    server.will(
        {
            "shorter than announced": raw(message(200, cut, length=len(BODY))),
            "reset": reset(message(200, cut, length=len(BODY))),
            "chunked": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(BODY), cut)),
            "closed without length": raw(message(200, cut, {"Content-Length": ""})),
        }[how]
    )
    grant = oauth.redeem_refresh_token(OLD)
    assert (grant.access_token, grant.refresh_token, grant.complete) == (access, refresh, False)


def test_values_of_a_broken_reply_are_kept_only_when_they_arrived_whole(oauth, server):
    server.will(raw(message(200, cut_after(b'"refresh_token_expire_in": 48751'), length=len(BODY))))
    grant = oauth.redeem_refresh_token(OLD)
    assert grant.access_expires_at == 1_760_604_800
    assert grant.refresh_expires_at is None
    assert (grant.open_id, grant.request_id) == (None, None)


@pytest.mark.parametrize("cut", [cut_after(b'"TTP_new-acc'), b'{"code":0,"data":{"access_token', b""])
def test_half_a_token_is_no_token(oauth, server, cut):
    server.will(raw(message(200, cut, length=len(BODY))))
    with pytest.raises(ExchangeUnknown) as caught:
        oauth.redeem_refresh_token(OLD)
    assert "TTP_new" not in told(caught.value)


def test_escapes_in_a_saved_token_are_undone(oauth, server):
    server.will(answer(200, b'garbage {"access_token" : "a\\u002b\\/\\"b", "refresh_token":"r\\\\", oops'))
    grant = oauth.redeem_refresh_token(OLD)
    assert (grant.access_token, grant.refresh_token) == ('a+/"b', "r\\")


def test_a_token_with_broken_bytes_is_not_saved(oauth, server):
    server.will(answer(200, b'{"access_token":"a\xff\xfeb","refresh_token":"a\\qb"'))
    with pytest.raises(ExchangeUnknown):
        oauth.redeem_refresh_token(OLD)


def test_the_token_that_was_sent_is_not_taken_for_a_new_one(oauth, server):
    server.will(answer(200, b'{"error":"lost","refresh_token":"%s"' % OLD.encode()))
    with pytest.raises(ExchangeUnknown):
        oauth.redeem_refresh_token(OLD)
    server.steps.clear()
    server.will(answer(200, b'{"access_token":"A","refresh_token":"%s"' % OLD.encode()))
    grant = oauth.redeem_refresh_token(OLD)
    assert (grant.access_token, grant.refresh_token) == ("A", None)


def test_tokens_in_a_reply_with_a_definite_refusal_are_not_believed(oauth, server):
    server.will(envelope(36004005, data={"access_token": "A", "refresh_token": "R"}))
    with pytest.raises(ExchangeRefused):
        oauth.redeem_refresh_token(OLD)


def test_a_server_error_is_not_a_source_of_tokens(oauth, server):
    server.will(raw(message(500, BODY[:-1], length=len(BODY))))
    with pytest.raises(ExchangeUnknown):
        oauth.redeem_refresh_token(OLD)
