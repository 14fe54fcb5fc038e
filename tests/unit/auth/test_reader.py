"""What a reader makes of records that do not come: missing is not unreachable."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tiktokshop.auth.reader import AuthorizationNotFound, Authorizations
from airflow_provider_tiktokshop.auth.records import RecordKey, RotatedRecord, authorization_id
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreUnavailable
from airflow_provider_tiktokshop.auth.stores.memory import MemoryStore
from tests.support.open_api import app

APP = app()
SOMEBODY = "somebody"


class Vouching(MemoryStore):
    """Knows what it does not hold, as the SQL store does, and Variables from Airflow 3.3 on."""


class NotVouching(MemoryStore):
    """Variables in tasks before Airflow 3.3: no list, and what does not come may be there all the same."""

    def read(self, key: RecordKey) -> Snapshot:
        found = super().read(key)
        return Snapshot(None, proven=False) if found.value is None else found

    def ids(self, kind: Any, app_key: str) -> None:  # type: ignore[override]
        return None


def reader(store: MemoryStore) -> Authorizations:
    return Authorizations(APP, store)


def hold(store: MemoryStore, open_id: str = SOMEBODY) -> RecordKey:
    """Put an authorization into the store."""
    record = RotatedRecord(
        app_key=APP.app_key,
        issuer=APP.issuer,
        id=authorization_id(open_id),
        open_id=open_id,
        access_token="access",
        access_expires_at=4_000_000_000,
        refresh_token="refresh",
        verified=True,
    )
    key = RecordKey("rotated", APP.app_key, record.id)
    store.write(key, record.to_json())
    held = reader(store).get(record.id)
    assert held is not None
    reader(store).enroll(held)
    return key


def test_whom_the_store_vouches_not_to_know_is_not_found():
    with pytest.raises(AuthorizationNotFound, match="holds no authorization of open_id"):
        reader(Vouching()).find(open_id=SOMEBODY)
    with pytest.raises(AuthorizationNotFound, match="0 held in all"):
        reader(Vouching()).find()
    assert reader(Vouching()).all() == []


@pytest.mark.parametrize("find", [lambda r: r.find(open_id=SOMEBODY), lambda r: r.find(shop_id="7"), lambda r: r.all()])
def test_where_nobody_vouches_it_may_be_the_api_server_and_another_try_helps(find):
    with pytest.raises(StoreUnavailable, match=r"cannot tell whether they are missing"):
        find(reader(NotVouching()))


def test_a_listed_authorization_whose_records_do_not_come_is_not_left_out():
    store = NotVouching()
    key = hold(store)
    hold(store, "somebody else")
    assert len(reader(store).all()) == 2

    del store.records[key.name]

    with pytest.raises(StoreUnavailable, match=key.id):
        reader(store).all()
    # Who looks after many goes on with the others.
    assert [
        found is not None for found in reader(store).look([key.id, authorization_id("somebody else")]).values()
    ] == [
        False,
        True,
    ]


def test_with_others_about_a_stranger_is_not_found_where_the_store_vouches():
    store = Vouching()
    hold(store)

    assert reader(store).find().open_id == SOMEBODY
    with pytest.raises(AuthorizationNotFound):
        reader(store).find(open_id="a stranger")
