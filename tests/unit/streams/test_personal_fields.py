"""What identifies a person is declared, for every stream."""

from __future__ import annotations

import re

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.streams.schema import schema_of

ALL = [streams.get(name) for name in streams.names()]
PERSONAL = re.compile(
    r"(phone|phone_number|e?mail|buyer_email|(first|last|full)_name(_local_script)?|nick_?name|buyer_nickname"
    r"|(creator_)?(user|nick)_?name|creator_(nick_)?name|avatar(_url)?|(full_)?address(_detail|_line_?\d)?|street_address.*|postal_code|contact_(person|info)"
    r"|(im_)?user_id|buyer_user_id|buyer_message|seller_note|plaintext|cpf(_name)?|bank_account|whatsapp)"
)
# Warehouses of TikTok, and what comes with no person in it.
NOBODYS = {("fbt_warehouses", "addresses.postal_code")} | {
    ("fbt_warehouses", f"addresses.address_line_{n}") for n in (1, 2, 3)
}


def paths(schema, above=""):
    for name, kind in schema.items():
        path = f"{above}{name}"
        yield path
        inner = kind[0] if isinstance(kind, list) else kind
        if isinstance(inner, dict):
            yield from paths(inner, f"{path}.")


@pytest.mark.parametrize("stream", ALL, ids=lambda stream: stream.name)
def test_a_field_whose_name_tells_of_a_person_is_declared(stream):
    found = {path for path in paths(schema_of(stream)) if PERSONAL.fullmatch(path.rpartition(".")[2])}
    covered = {
        path
        for path in found
        for declared in stream.personal_fields
        if path == declared or path.startswith(f"{declared}.") or declared.startswith(f"{path}.")
    }
    assert {path for path in found - covered if (stream.name, path) not in NOBODYS} == set()


def test_what_a_buyer_writes_is_declared():
    written = {
        "orders": "buyer_message",
        "return_records": "note",
        "conversations": "latest_message.content",
        "conversation_messages": "content",
        "affiliate_seller_conversation_messages": "message_body.content",
        "affiliate_seller_unread_messages": "content",
    }
    assert {name: field for name, field in written.items() if field not in streams.get(name).personal_fields} == {}
