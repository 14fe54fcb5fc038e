"""Which hosts may receive the app secret, and what is said about a wrong value."""

from __future__ import annotations

import pytest

from airflow_provider_tiktokshop.api.app import App, is_loopback
from airflow_provider_tiktokshop.api.errors import ConfigurationError


def app(**values) -> App:
    return App(**{"app_key": "k1", "app_secret": "the-app-secret", **values})


def test_an_app_does_not_show_its_secret():
    assert "the-app-secret" not in repr(app()) + str(app())


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"api_url": "http://127.0.0.1:8787", "auth_url": "http://127.0.0.1:8787/"},
        {"api_url": "http://localhost:8787"},
        {"api_url": "http://[::1]:8787"},
        {"api_url": "https://127.9.9.9"},
        {"authorize_url": "https://services.tiktokshops.us/open/authorize"},
        {"auth_url": "https://gateway.example", "allowed_hosts": ("gateway.example",)},
        {"auth_url": "https://gateway.example:8443", "allowed_hosts": ("Gateway.Example:8443",)},
        {"auth_url": "https://gateway.example:8443", "allowed_hosts": ("gateway.example",)},
        {"market": "us", "app_type": "public", "requests_per_second": 0.2},
    ],
)
def test_an_app_of_tiktok_of_this_machine_or_of_a_listed_host_is_accepted(values):
    assert not app(**values).api_url.endswith("/")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"app_key": ""}, "app key is empty"),
        ({"app_key": "  "}, "app key is empty"),
        ({"app_key": "6abc/../def"}, "no app key has"),
        ({"app_key": "6abc def"}, "no app key has"),
        ({"app_key": "6" * 101}, "too long"),
        ({"app_secret": ""}, "app secret is empty"),
        ({"app_secret": "x "}, "space"),
        ({"market": "eu"}, "market"),
        ({"app_type": "private"}, "app_type"),
        ({"requests_per_second": 0}, "requests_per_second"),
        ({"requests_per_second": float("nan")}, "requests_per_second"),
        ({"api_url": "open-api.tiktokglobalshop.com"}, "not an http(s) URL"),
        ({"api_url": "ftp://open-api.tiktokglobalshop.com"}, "not an http(s) URL"),
        ({"api_url": ""}, "not an http(s) URL"),
        ({"api_url": "https://"}, "not an http(s) URL"),
        ({"api_url": "https://open-api.tiktokglobalshop.com:99999"}, "not a URL"),
        ({"api_url": "https://[::1"}, "not a URL"),
        ({"api_url": "http://open-api.tiktokglobalshop.com"}, "plain http"),
        ({"auth_url": "http://gateway.example", "allowed_hosts": ("gateway.example",)}, "plain http"),
        ({"auth_url": "http://127.0.0.1.evil.example"}, "plain http"),
        ({"auth_url": "https://evil.example"}, "allowed_hosts"),
        ({"auth_url": "https://eviltiktokshop.com"}, "allowed_hosts"),
        ({"auth_url": "https://tiktokshop.com.evil.example"}, "allowed_hosts"),
        ({"auth_url": "https://gateway.example:1", "allowed_hosts": ("gateway.example:2",)}, "allowed_hosts"),
        ({"auth_url": "https://auth.tiktok-shops.com@evil.example"}, "user name"),
        ({"auth_url": "https://evil.example\\@auth.tiktok-shops.com"}, "not an http(s) URL"),
        ({"auth_url": "https://auth.tiktok-shops.com /"}, "not an http(s) URL"),
        ({"auth_url": "https://evil.example\0.tiktok.com"}, "not an http(s) URL"),
        ({"auth_url": "https://evil.example%00.tiktok.com"}, "plain letters"),
        ({"auth_url": "https://evil.example%2f.tiktok.com"}, "plain letters"),
        ({"auth_url": "https://evil.example;.tiktok.com"}, "plain letters"),
        ({"auth_url": "https://evil\u3002example.tiktok.com"}, "plain letters"),
        ({"auth_url": "https://ti\u212atok.com"}, "plain letters"),
        ({"auth_url": "https://.tiktok.com"}, "plain letters"),
        ({"auth_url": "https://auth.tiktok-shops.com:"}, "plain letters"),
        ({"auth_url": "http://[::1%25eth0]"}, "plain letters"),
        ({"auth_url": "http://localhost@evil.example"}, "user name"),
        ({"auth_url": "http://localhost.evil.example"}, "plain http"),
        ({"auth_url": "http://2130706433"}, "plain http"),
        ({"api_url": "https://open-api.tiktokglobalshop.com?a=b"}, "query"),
        ({"api_url": "https://open-api.tiktokglobalshop.com#a"}, "fragment"),
        ({"authorize_url": "https://services.tiktokshop.com/open/authorize?service_id=1"}, "its own field"),
        ({"authorize_url": "https://evil.example/open/authorize"}, "allowed_hosts"),
    ],
)
def test_a_wrong_value_is_refused_with_its_reason_and_a_way_out(values, says):
    with pytest.raises(ConfigurationError) as caught:
        app(**values)
    assert says in str(caught.value)
    assert caught.value.advice
    assert "the-app-secret" not in str(caught.value)


def test_what_somebody_pasted_into_a_url_is_not_repeated():
    with pytest.raises(ConfigurationError) as caught:
        app(auth_url="https://user:hunter2@auth.tiktok-shops.com/?refresh_token=TTP_x")
    assert "hunter2" not in str(caught.value)
    assert "TTP_x" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "issuer"),
    [
        ("https://auth.tiktok-shops.com", "auth.tiktok-shops.com"),
        ("https://AUTH.tiktok-shops.com:443/", "auth.tiktok-shops.com"),
        ("http://127.0.0.1:8787", "127.0.0.1:8787"),
        ("http://localhost:80", "localhost"),
        ("http://[::1]:8787", "[::1]:8787"),
    ],
)
def test_the_issuer_is_the_canonical_auth_host(url, issuer):
    assert app(auth_url=url).issuer == issuer


@pytest.mark.parametrize(
    ("service_id", "says"),
    [(None, None), ("7010736057180325637", None), ("k1", "same as the app key"), ("6abcd12ef34gh", "not a number")],
)
def test_a_service_id_that_may_be_the_app_key_is_warned_about(service_id, says):
    warnings = app(service_id=service_id).warnings
    assert (says in warnings[0]) if says else warnings == ()


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("127.0.0.1.nip.io", False),
     ("0.0.0.0", False), ("10.0.0.1", False), ("localhost.example", False), (None, False), ("", False)],
)  # fmt: skip
def test_only_this_machine_is_loopback(host, answer):
    assert is_loopback(host) is answer
