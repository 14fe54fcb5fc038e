"""Signatures: the published vectors, and an implementation written anew from the prose."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tiktokshop.api.signing import sign_request, string_to_sign, verify_webhook, wire_value

VECTORS = json.loads((Path(__file__).parent / "data" / "sign_vectors.json").read_text())


def by_name(vectors):
    return pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["name"]) for vector in vectors])


@by_name(VECTORS["request_vectors"])
def test_a_published_request_vector_is_reproduced(vector):
    args = (vector["app_secret"], vector["path"], vector["query"], vector["body"], vector["content_type"])
    assert string_to_sign(*args).decode() == vector["string_to_sign"]
    assert sign_request(*args) == vector["sign"]


@by_name(VECTORS["request_vectors"])
def test_what_is_not_covered_does_not_change_the_signature(vector):
    query = {
        **vector["query"],
        "sign": "0" * 64,
        "access_token": "TTP_x",
        "x-tts-access-token": "TTP_y",
        "absent": None,
    }
    body = vector["body"].encode() if vector["body"] else vector["body"]
    assert sign_request(vector["app_secret"], vector["path"], query, body, vector["content_type"]) == vector["sign"]


@by_name(VECTORS["webhook_vectors"])
def test_a_published_webhook_vector_is_verified(vector):
    args = (vector["app_key"], vector["app_secret"], vector["raw_body"].encode())
    assert verify_webhook(*args, vector["authorization"])
    assert verify_webhook(vector["app_key"], vector["app_secret"], vector["raw_body"], vector["authorization"])


@by_name(VECTORS["webhook_vectors"])
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda s: s.upper(), id="upper case"),
        pytest.param(lambda s: s[:-1], id="shorter"),
        pytest.param(lambda s: s + "0", id="longer"),
        pytest.param(lambda s: s[:-1] + ("0" if s[-1] != "0" else "1"), id="one digit"),
        pytest.param(lambda s: f"Bearer {s}", id="scheme"),
        pytest.param(lambda s: s + "é\udcff", id="not ascii"),
        pytest.param(lambda s: "", id="empty"),
        pytest.param(lambda s: None, id="missing"),
    ],
)
def test_a_webhook_with_another_signature_is_refused(vector, spoil):
    signature = spoil(vector["authorization"])
    assert not verify_webhook(vector["app_key"], vector["app_secret"], vector["raw_body"].encode(), signature)


@by_name(VECTORS["webhook_vectors"])
def test_a_webhook_is_verified_on_its_raw_bytes(vector):
    respaced = json.dumps(json.loads(vector["raw_body"])).encode()
    assert respaced != vector["raw_body"].encode()
    assert not verify_webhook(vector["app_key"], vector["app_secret"], respaced, vector["authorization"])


def from_the_prose(secret: str, path: str, query: dict[str, str], body: bytes | None, content_type: str | None) -> str:
    """Steps 1 to 6 of "Sign your API request", one statement each."""
    kept = {k: v for k, v in query.items() if k not in ("sign", "access_token")}
    pairs = sorted((k.encode(), v.encode()) for k, v in kept.items())
    message = b""
    for key, value in pairs:
        message = message + key + value
    message = path.encode() + message
    media_type = (content_type or "").split(";")[0].strip().lower()
    if media_type != "multipart/form-data" and body is not None:
        message = message + body
    message = secret.encode() + message + secret.encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
page_tokens = st.text("ABCxyz019+/= &?%#,", max_size=40)
bodies = st.one_of(
    st.none(), st.just(b"{}"), st.binary(max_size=60), text.map(lambda t: json.dumps({"name": t}).encode())
)
content_types = st.sampled_from(
    [
        None,
        "application/json",
        "application/json; charset=utf-8",
        "multipart/form-data",
        "multipart/form-data; boundary=b0undary",
        "Multipart/Form-Data;boundary=x",
        "application/x-multipart/form-data",
    ]
)


@given(
    secret=text.filter(bool),
    path=text.map(lambda t: "/" + t),
    query=st.dictionaries(st.one_of(text, st.sampled_from(["sign", "access_token", "app_key"])), text | page_tokens),
    body=bodies,
    content_type=content_types,
)
def test_any_request_is_signed_as_the_prose_says(secret, path, query, body, content_type):
    assert sign_request(secret, path, query, body, content_type) == from_the_prose(
        secret, path, query, body, content_type
    )


@given(body=text.filter(bool))
def test_a_body_given_as_text_is_signed_as_its_utf8_bytes(body):
    assert sign_request("s", "/p", {}, body) == sign_request("s", "/p", {}, body.encode())


def test_an_empty_object_is_a_body_and_no_body_is_none():
    assert sign_request("s", "/p", {}, b"{}") != sign_request("s", "/p", {})
    assert sign_request("s", "/p", {}, b"") == sign_request("s", "/p", {})


def test_an_empty_value_is_covered_and_none_is_absent():
    assert sign_request("s", "/p", {"a": "", "b": "1"}) == from_the_prose("s", "/p", {"a": "", "b": "1"}, None, None)
    assert sign_request("s", "/p", {"a": None, "b": "1"}) == from_the_prose("s", "/p", {"b": "1"}, None, None)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (["1", "2"], "1,2"),
        ((1, 2), "1,2"),
        (["WITHDRAW"], "WITHDRAW"),
        ([], ""),
        (576461413038785752, "576461413038785752"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        (None, ""),
        ("a,b", "a,b"),
    ],
)
def test_a_value_is_written_as_the_service_reads_it(value, written):
    assert wire_value(value) == written


def test_a_list_is_signed_as_its_comma_joined_text():
    assert sign_request("s", "/p", {"ids": [1, 2]}) == sign_request("s", "/p", {"ids": "1,2"})
