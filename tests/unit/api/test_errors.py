"""From a refusal to an exception that says what to do, and nothing that it must not."""

from __future__ import annotations

import pickle

import pytest

from airflow_provider_tiktokshop.api import errors as e

CASES = [
    # code, message, HTTP status, class
    (36004001, "rt has expired", 200, e.ExchangeRefused),
    (36004004, "invalid auth code", 200, e.ExchangeRefused),
    (36004005, "can not find related auth record", 200, e.ExchangeRefused),
    (98001004, "invalid parameter", 200, e.InvalidRequest),
    (36009002, "Too many requests", 429, e.RateLimited),
    (36009003, "Internal error", 200, e.ServiceUnavailable),
    (36009003, "Internal error", 500, e.ServiceUnavailable),
    (36009007, "Request timeout", 504, e.ServiceUnavailable),
    (36009037, "Sandbox hourly request limit reached", 429, e.QuotaExhausted),
    (45101004, "daily quota", 200, e.QuotaExhausted),
    (36009004, "Invalid 'timestamp'", 400, e.ClockSkewed),
    (36009004, 'the "timestamp" is negative', 400, e.ClockSkewed),
    (36009004, "Unexpected 'shop_cipher'", 400, e.ShopCipherError),
    (36009004, "Unexpected ‘category_asset_cipher’", 400, e.ShopCipherError),
    (36009004, "Invalid 'x-tts-access-token' header", 400, e.AccessTokenInvalid),
    (36009004, "Missing access token", 400, e.AccessTokenInvalid),
    (36009004, "Invalid 'app_key'", 400, e.AppKeyRefused),
    (36009004, "Missing 'sign'", 400, e.SignatureRefused),
    (36009004, "Invalid 'version'", 400, e.InvalidRequest),
    (36009004, "Invalid 'shop_id'", 400, e.InvalidRequest),
    (36009004, "Invalid 'page_token'", 400, e.InvalidRequest),
    (36009004, "Invalid 'design_id'", 400, e.InvalidRequest),
    (36009004, "", 400, e.InvalidRequest),
    (36009009, "Invalid path", 404, e.InvalidRequest),
    (36009010, "Invalid method", 405, e.InvalidRequest),
    (36009014, "Invalid version", 400, e.VersionRetired),
    (36009021, "file too large", 400, e.InvalidRequest),
    (36009022, "body", 400, e.InvalidRequest),
    (36009023, "multipart", 400, e.InvalidRequest),
    (36009033, "IP address is not in the allow list", 403, e.IpNotAllowed),
    (36009043, "Shop is inactive", 401, e.ShopInactive),
    (36009044, "Seller is inactive", 401, e.ShopInactive),
    (101000, "token does not belong to cipher", 200, e.ShopCipherError),
    (105000, "", 401, e.AccessTokenRefused),
    (105001, "access token is invalid", 401, e.AccessTokenInvalid),
    (105002, "Expired credentials", 401, e.AccessTokenExpired),
    (105002, "access token is expired, please refresh it", 200, e.AccessTokenExpired),
    (105003, "", 401, e.AccessTokenRefused),
    (105004, "", 401, e.AccessTokenRefused),
    (105005, "you should apply auth pkg for this api", 200, e.ScopeMissing),
    (105099, "", 401, e.AccessTokenRefused),
    (106001, "sign is invalid", 401, e.SignatureRefused),
    (106013, "shop_cipher is missing", 400, e.ShopCipherError),
    (66009315, "", 200, e.ScopeMissing),
    (12052180, "result > 10000", 200, e.ResultWindowTooLarge),
    (12019108, "", 200, e.InvalidRequest),
    (12019109, "", 200, e.InvalidRequest),
    (12019118, "", 200, e.InvalidRequest),
    (12019119, "", 200, e.InvalidRequest),
    (12019120, "", 200, e.InvalidRequest),
    (12019027, "", 200, e.InvalidRequest),
    (12019087, "", 200, e.InvalidRequest),
    (10002014, "", 200, e.TemporaryOrderError),
    (10002015, "", 200, e.TemporaryOrderError),
    (10006402, "", 200, e.TemporaryOrderError),
    (10037002, "", 200, e.TemporaryOrderError),
    (10037003, "", 200, e.TemporaryOrderError),
    (10037004, "", 200, e.TemporaryOrderError),
    (45101001, "", 200, e.ServiceUnavailable),
    (45101003, "", 200, e.InvalidRequest),
    (25001001, "", 200, e.InvalidRequest),
    (25020005, "", 200, e.ApiError),
    (22005007, "", 200, e.ApiError),
    (28001007, "", 200, e.InvalidRequest),
    (28001022, "", 200, e.InvalidRequest),
    (21001001, "", 200, e.ApiError),
    (21008111, "Order does not belong to the shop", 200, e.ApiError),
    (11001027, "", 200, e.ApiError),
    (11021009, "", 200, e.ApiError),
    (13017003, "", 200, e.ApiError),
    (424242, "never heard of", 200, e.ApiError),
    (424242, "never heard of", 502, e.ServiceUnavailable),
    (424242, "never heard of", 429, e.RateLimited),
    (None, "", 500, e.ServiceUnavailable),
    (None, "", 503, e.ServiceUnavailable),
    (None, "", 429, e.RateLimited),
]
RETRYABLE = {
    e.RequestNotSent, e.ReplyLost, e.ServiceUnavailable, e.RateLimited, e.TemporaryOrderError, e.ExchangeNotSpent,
}  # fmt: skip


@pytest.mark.parametrize(("code", "message", "status", "expected"), CASES)
def test_a_code_becomes_its_exception(code, message, status, expected):
    error = e.error_for(code, message, status, "REQ1", "GET /x", {})
    assert type(error) is expected
    assert (error.code, error.http_status, error.request_id, error.endpoint) == (code, status, "REQ1", "GET /x")
    assert error.retryable is (expected in RETRYABLE)


def test_every_code_of_the_table_is_tested_and_explained():
    assert set(e.CODES) == {code for code, *_ in CASES if code not in (None, 424242, 105099)}
    for code, info in e.CODES.items():
        assert info.meaning.endswith("."), code
        assert info.advice.endswith("."), code


def test_the_text_of_an_error_tells_the_whole_story():
    error = e.error_for(105002, "Expired credentials", 401, "REQ1", "POST /order/202309/orders/search", {})
    text = str(error)
    for part in (
        "POST /order/202309/orders/search",
        "105002",
        "401",
        "REQ1",
        "Expired credentials",
        "has expired",
        "otate",
    ):
        assert part in text


def test_what_happened_and_what_to_do_are_told_apart_whether_or_not_they_are_sentences():
    assert str(e.TikTokShopError("the store is down", advice="start it")) == "the store is down; start it"
    assert str(e.TikTokShopError("The store is down.", advice="Start it.")) == "The store is down. Start it."
    assert str(e.TikTokShopError("", advice="start it")) == "start it"


def test_an_error_without_details_still_has_a_text():
    assert str(e.ApiError()) == "ApiError"
    assert str(e.ConfigurationError("It is wrong.", advice="Correct it.")) == "It is wrong. Correct it."


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Invalid path. For more details: https://partner.tiktokshop.com/docv2/page?id=1&x=2", "Invalid path"),
        ("Expired credentials For more details: https://x.y/z", "Expired credentials"),
        ("Bad. See https://x.y/z?token=abc", "Bad"),
        ("go to https://x.y/z?token=abc&b=1 now", "go to https://x.y/z?*** now"),
        ("expected sign " + "ab12" * 16, "expected sign ***"),
        ("token TTP_short is dead", "token *** is dead"),
        ("token 'ROW_a+b/c=' is dead", "token '***' is dead"),
        ("Is the id 576461413038785752 right?", "Is the id 576461413038785752 right?"),
        ("no path /affiliate_seller/202508/open_collaborations/creator_content_details", "no path /affiliate_seller/202508/open_collaborations/creator_content_details"),
        ("two\r\nlines\x00\x1b[31m", "two lines[31m"),
        ("x " * 400, ("x " * 150).strip()),
        (None, ""),
        ({"a": 1}, ""),
    ],
)  # fmt: skip
def test_a_message_is_scrubbed(message, left):
    assert e.scrub(message) == left


def test_known_secrets_are_scrubbed_wherever_they_occur():
    assert e.scrub("refused s3cret for 'k'", "s3cret", None, "") == "refused *** for 'k'"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
        (None, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:10 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:28:10 GMT"}, 0.0),
        ({"Retry-After": "Wed, 99 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers, seconds):
    assert e.retry_after(headers) == seconds
    error = e.error_for(36009002, "", 429, None, None, headers)
    assert error.retry_after == seconds


def test_an_overloaded_service_that_names_a_time_is_a_rate_limit():
    error = e.error_for(None, "", 503, None, None, {"Retry-After": "9"})
    assert isinstance(error, e.RateLimited)
    assert error.retry_after == 9.0


@pytest.mark.parametrize(
    ("code", "headers", "seconds"),
    [(36009037, {}, 3600.0), (45101004, {}, 86400.0), (36009037, {"Retry-After": "120"}, 120.0)],
)
def test_a_quota_says_when_it_is_certainly_fresh(code, headers, seconds):
    assert e.error_for(code, "", 429, None, None, headers).resume_after == seconds


EXCEPTIONS = [cls for cls in vars(e).values() if isinstance(cls, type) and issubclass(cls, e.TikTokShopError)]


@pytest.mark.parametrize("cls", EXCEPTIONS)
def test_every_exception_survives_pickling(cls):
    error = cls("It broke.", code=1, advice="Mend it.", endpoint="GET /x")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (cls, str(error), vars(error))


def test_what_a_lost_reply_brought_is_not_pickled_nor_shown():
    error = e.ReplyLost("Lost.")
    error._partial = b"TTP_half"
    assert b"TTP_half" not in pickle.dumps(error)
    assert "TTP_half" not in repr(vars(error)) + repr(error) + str(error)
