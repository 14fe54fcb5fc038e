from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_tiktokshop.emulator.signature import expected_sign, sign_is_valid, webhook_signature

VECTORS = json.loads((Path(__file__).parent / "data" / "sign-vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["request_vectors"], ids=lambda vector: vector["name"])
def test_the_signature_check_accepts_the_published_and_cross_checked_vectors(vector):
    body = (vector["body"] or "").encode()
    expected = expected_sign(
        vector["app_secret"], vector["path"], list(vector["query"].items()), body, vector["content_type"]
    )
    assert sign_is_valid(vector["sign"], expected)


@pytest.mark.parametrize("vector", VECTORS["webhook_vectors"], ids=lambda vector: vector["name"])
def test_webhooks_are_signed_as_the_published_and_cross_checked_vectors_are(vector):
    signature = webhook_signature(vector["app_key"], vector["app_secret"], vector["raw_body"].encode())
    assert signature == vector["authorization"]


def test_sign_and_access_token_are_not_part_of_what_is_signed():
    vector = VECTORS["request_vectors"][0]
    pairs = [*vector["query"].items(), ("sign", "anything"), ("access_token", "anything")]
    assert expected_sign(vector["app_secret"], vector["path"], pairs, b"", None) == vector["sign"]


def test_upper_case_hex_is_refused():
    sign = VECTORS["request_vectors"][0]["sign"]
    assert not sign_is_valid(sign.upper(), sign)
