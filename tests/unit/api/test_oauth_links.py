"""The links that users authorize with."""

from __future__ import annotations

import logging
from urllib.parse import parse_qsl, urlsplit

import pytest

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.api.http import Http
from airflow_provider_tiktokshop.api.oauth import OAuthClient
from tests.support.fault_server import APP_KEY, APP_SECRET
from tests.support.open_api import app


@pytest.mark.parametrize(
    ("values", "user_type", "url"),
    [
        ({}, "seller", "https://services.tiktokshop.com/open/authorize?service_id=701&state=s"),
        ({"market": "us"}, "seller", "https://services.us.tiktokshop.com/open/authorize?service_id=701&state=s"),
        ({}, "partner", "https://partner.tiktokshop.com/open/authorize?service_id=701&state=s"),
        ({"market": "us"}, "partner", "https://partner.us.tiktokshop.com/open/authorize?service_id=701&state=s"),
        ({}, "creator", f"https://shop.tiktok.com/alliance/creator/auth?app_key={APP_KEY}&state=s"),
        ({"market": "us"}, "creator", f"https://shop.tiktok.com/alliance/creator/auth?app_key={APP_KEY}&state=s"),
        (
            {"market": "us", "authorize_url": "https://services.tiktokshops.us/open/authorize"},
            "seller",
            "https://services.tiktokshops.us/open/authorize?service_id=701&state=s",
        ),
        (
            {"authorize_url": "http://127.0.0.1:8787/authorize/"},
            "creator",
            f"http://127.0.0.1:8787/authorize?app_key={APP_KEY}&state=s",
        ),
    ],
)
def test_the_link_fits_market_and_user_type(values, user_type, url):
    assert OAuthClient(app(service_id="701", **values), Http()).authorization_url("s", user_type) == url


def test_a_link_holds_the_state_encoded_and_no_secret():
    url = OAuthClient(app(service_id="701"), Http()).authorization_url("a b&c=d/+")
    assert dict(parse_qsl(urlsplit(url).query)) == {"service_id": "701", "state": "a b&c=d/+"}
    assert APP_SECRET not in url


@pytest.mark.parametrize("user_type", ["seller", "partner"])
@pytest.mark.parametrize("service_id", [None, ""])
def test_a_link_without_service_id_says_where_to_find_it(user_type, service_id):
    with pytest.raises(ConfigurationError) as caught:
        OAuthClient(app(service_id=service_id), Http()).authorization_url("s", user_type)
    assert "under the app's name in the Partner Center" in str(caught.value)


def test_a_creators_link_needs_no_service_id():
    assert "app_key=" in OAuthClient(app(), Http()).authorization_url("s", "creator")


def test_a_link_needs_a_state_and_a_known_user_type():
    oauth = OAuthClient(app(service_id="701"), Http())
    with pytest.raises(ConfigurationError):
        oauth.authorization_url("")
    with pytest.raises(ConfigurationError):
        oauth.authorization_url("s", "influencer")


def test_a_service_id_that_is_the_app_key_is_warned_about(caplog):
    with caplog.at_level(logging.WARNING):
        OAuthClient(app(service_id=APP_KEY), Http()).authorization_url("s")
    assert "same as the app key" in caplog.text
