"""A connection of any origin becomes the same app, and a wrong one says what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk.definitions.connection import Connection
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.get_provider_info import connection_type
from airflow_provider_tiktokshop.hooks.connection import FIELDS, read_connection

SEED = "ROW_seed+/=&%?"


def connection(extra: Any = None, *, login: str | None = "key", password: str | None = "s3cret") -> Connection:
    text = extra if isinstance(extra, str) or extra is None else json.dumps(extra)
    return Connection(conn_id="shop", conn_type="tiktokshop", login=login, password=password, extra=text)


def test_the_form_with_its_nulls_and_defaults() -> None:
    extra = {
        "refresh_token": None,
        "market": "global",
        "app_type": "custom",
        "service_id": "7206214778137348822",
        "requests_per_second": 2.5,
        "api_url": None,
        "auth_url": "",
        "authorize_url": None,
    }

    read = read_connection(connection(extra))

    assert (read.app.app_key, read.app.app_secret) == ("key", "s3cret")
    assert read.app.service_id == "7206214778137348822"
    assert read.app.requests_per_second == 2.5
    assert read.app.auth_url == "https://auth.tiktok-shops.com"
    assert read.seed is None


def test_an_app_needs_no_more_than_key_and_secret() -> None:
    read = read_connection(connection())

    assert (read.app.market, read.app.app_type, read.app.requests_per_second) == ("global", "custom", 10.0)


def test_json_with_numbers_where_people_write_numbers() -> None:
    read = read_connection(connection({"service_id": 7206214778137348822, "market": " US ", "refresh_token": SEED}))

    assert read.app.service_id == "7206214778137348822"
    assert read.app.market == "us"
    assert read.seed == SEED


def test_a_uri_in_which_everything_is_text() -> None:
    uri = (
        "tiktokshop://key:s3cret%2F%40@/?refresh_token=ROW_seed%2B%2F%3D&service_id=7206214778137348822&market=us"
        "&requests_per_second=2&api_url=http%3A%2F%2F127.0.0.1%3A8787"
    )

    read = read_connection(Connection.from_uri(uri, conn_id="shop"))

    assert read.app.app_secret == "s3cret/@"
    assert read.seed == "ROW_seed+/="
    assert read.app.requests_per_second == 2.0
    assert read.app.api_url == "http://127.0.0.1:8787"


@given(
    extra=st.fixed_dictionaries(
        {},
        optional={
            "refresh_token": st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1),
            "service_id": st.integers(1, 10**19).map(str),
            "market": st.sampled_from(["us", "global"]),
            "requests_per_second": st.sampled_from([0.5, 1, 7.25, "3"]),
            "app_type": st.none(),
        },
    )
)
def test_what_the_test_button_hands_over_as_a_uri_reads_like_the_connection_itself(extra: dict[str, Any]) -> None:
    # Airflow's Test button writes the connection into the environment as a URI, whatever is in its extra.
    original = connection(extra)

    assert read_connection(Connection.from_uri(original.get_uri(), conn_id="shop")) == read_connection(original)


def test_fields_exported_from_airflow_2_keep_their_prefix() -> None:
    assert read_connection(connection({"extra__tiktokshop__market": "us"})).app.market == "us"


def test_a_pasted_credential_may_end_in_a_newline() -> None:
    read = read_connection(connection(login=" key\n", password="s3cret\n"))

    assert (read.app.app_key, read.app.app_secret) == ("key", "s3cret")


def test_the_callers_limit_replaces_the_connections() -> None:
    extra = {"requests_per_second": 5}

    assert read_connection(connection(extra), requests_per_second=0.5).app.requests_per_second == 0.5


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"login": None}, ["'shop'", "app key", "login"]),
        ({"login": "  "}, ["'shop'", "app key", "login"]),
        ({"password": None}, ["'shop'", "app secret", "password"]),
        ({"extra": {"market": "uk"}}, ["'shop'", "market", "us, global"]),
        ({"extra": {"app_type": "private"}}, ["'shop'", "app_type", "custom, public"]),
        ({"extra": {"requests_per_second": "many"}}, ["'shop'", "requests_per_second", "'many'"]),
        ({"extra": {"requests_per_second": 0}}, ["'shop'", "requests_per_second"]),
        ({"extra": {"requests_per_second": "nan"}}, ["'shop'", "requests_per_second"]),
        ({"extra": "{market: us}"}, ["'shop'", "extra", "JSON"]),
        ({"extra": "[1]"}, ["'shop'", "extra", "JSON object"]),
        ({"extra": {"api_url": "https://evil.example"}}, ["'shop'", "evil.example", "allowed_hosts"]),
        ({"extra": {"auth_url": "http://auth.tiktok-shops.com"}}, ["'shop'", "auth_url", "http"]),
    ],
)
def test_a_wrong_field_is_named_with_its_connection_and_the_remedy(wrong: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_connection(connection(**{"extra": None, **wrong}))

    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_host_that_the_deployment_allows_may_be_named() -> None:
    extra = {"api_url": "https://proxy.example"}

    assert read_connection(connection(extra), allowed_hosts=("proxy.example",)).app.api_url == "https://proxy.example"


def test_a_host_cannot_be_allowed_by_the_connection_itself() -> None:
    with pytest.raises(ConfigurationError):
        read_connection(connection({"api_url": "https://evil.example", "allowed_hosts": "evil.example"}))


def test_secrets_stay_out_of_its_repr() -> None:
    shown = repr(read_connection(connection({"refresh_token": SEED})))

    assert "s3cret" not in shown
    assert SEED not in shown


def test_a_field_that_means_nothing_is_told_of_because_it_may_be_mistyped() -> None:
    read = read_connection(connection({"markt": "us", "api-url": "http://127.0.0.1:1", "market": "global"}))

    assert read.app.api_url == "https://open-api.tiktokglobalshop.com"
    (warning,) = read.warnings
    assert "api-url, markt" in warning
    assert "api_url" in warning


def test_every_field_of_the_form_is_known() -> None:
    assert list(FIELDS) == list(connection_type()["conn-fields"])
    assert read_connection(connection(dict.fromkeys(FIELDS))).warnings == ()
