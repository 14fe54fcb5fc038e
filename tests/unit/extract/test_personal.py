"""What identifies a buyer is kept, hashed or dropped before anything is written."""

from __future__ import annotations

import copy
import hashlib
import hmac

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract.errors import OptionError
from airflow_provider_tiktokshop.extract.personal import key_id, protector

KEY = b"sixteen bytes or more"
FIELDS = ("email", "address.name", "address.districts.name", "notes", "items.buyer.phone", "count")
ROW = {
    "id": "1",
    "email": "a@example.com",
    "address": {"name": "J. Doe", "region": "GB", "districts": [{"name": "London", "level": 2}, {"level": 3}]},
    "notes": ["call me", {"by": "J", "empty": ""}],
    "items": [{"buyer": {"phone": "+44"}, "price": "1.00"}, {"buyer": None}],
    "count": 7,
}


def protect(row, pii, key=None):
    change = protector(pii, FIELDS, key)
    if change:
        change(row)
    return row


def hashed(text):
    return hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest()


def test_keep_changes_nothing():
    assert protect(copy.deepcopy(ROW), "keep") == ROW


def test_drop_removes_the_fields_also_inside_lists():
    assert protect(copy.deepcopy(ROW), "drop") == {
        "id": "1",
        "address": {"region": "GB", "districts": [{"level": 2}, {"level": 3}]},
        "items": [{"buyer": {}, "price": "1.00"}, {"buyer": None}],
    }


def test_hash_replaces_every_personal_value_and_nothing_else():
    assert protect(copy.deepcopy(ROW), "hash", KEY) == {
        "id": "1",
        "email": hashed("a@example.com"),
        "address": {
            "name": hashed("J. Doe"),
            "region": "GB",
            "districts": [{"name": hashed("London"), "level": 2}, {"level": 3}],
        },
        "notes": [hashed("call me"), {"by": hashed("J"), "empty": ""}],
        "items": [{"buyer": {"phone": hashed("+44")}, "price": "1.00"}, {"buyer": None}],
        "count": hashed("7"),
    }


def test_equal_values_hash_equally_wherever_they_stand_so_that_joins_work():
    one = protector("hash", ("user_id",), KEY)
    other = protector("hash", ("buyer.id",), KEY)
    order, message = {"user_id": "12"}, {"buyer": {"id": 12}}
    one(order)
    other(message)
    assert order["user_id"] == message["buyer"]["id"]


def test_another_key_gives_other_hashes_and_another_key_id():
    one, other = ({"email": "a"} for _ in range(2))
    protector("hash", FIELDS, KEY)(one)
    protector("hash", FIELDS, KEY + b"2")(other)
    assert one != other
    assert key_id(KEY) != key_id(KEY + b"2")
    assert key_id(KEY) == key_id(KEY.decode())
    assert key_id(None) is None


@pytest.mark.parametrize("key", [None, b"", b"short", "short"])
def test_hashing_without_a_proper_key_is_refused(key):
    with pytest.raises(OptionError, match="at least 16 bytes"):
        protector("hash", FIELDS, key)


def test_an_unknown_way_of_protecting_is_refused():
    with pytest.raises(OptionError, match="'keep', 'hash' or 'drop'"):
        protector("mask", FIELDS)


@pytest.mark.parametrize("name", ["orders", "order_detail"])
def test_dropping_leaves_nothing_of_an_address_but_where_in_the_world_it_is(name):
    row = {
        "id": "1",
        "status": "COMPLETED",
        "buyer_email": "x",
        "user_id": "7",
        "cpf": "1",
        "recipient_address": {
            "name": "J",
            "full_address": "1 Street",
            "postal_code": "E1",
            "region_code": "GB",
            "district_info": [{"address_level": "L0", "address_name": "United Kingdom", "iso_code": "GB"}],
        },
    }
    protector("drop", streams.get(name).personal_fields)(row)
    assert row == {
        "id": "1",
        "status": "COMPLETED",
        "recipient_address": {"region_code": "GB", "district_info": [{"address_level": "L0", "iso_code": "GB"}]},
    }
