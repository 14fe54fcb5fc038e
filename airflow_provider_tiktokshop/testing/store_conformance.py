"""What every token store must do. Subclass it to hold a store of your own against it::

class TestMyStore(TokenStoreConformance):
    @pytest.fixture
    def store(self):
        return MyStore()
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tiktokshop.auth.records import RecordKey
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreConflict

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.stores.base import TokenStore

__all__ = ["TokenStoreConformance"]

APP = "EMU_conformance"
KEY = RecordKey("rotated", APP, "0123456789abcdef")
# Longer than a database's default text column, and with everything that a careless encoding trips over.
VALUE = {"schema": 1, "access_token": "EMU_" + "x" * 5000, "text": 'ünïcödé \N{PILE OF POO} "quotes" \\ \n', "n": 2**40}


class TokenStoreConformance:
    """The suite; needs a fixture ``store`` that returns an empty store."""

    def test_a_record_that_was_never_written_is_absent(self, store: TokenStore) -> None:
        """Nothing is there before it was written."""
        assert store.read(KEY).value is None

    def test_what_is_written_is_read_back_whole(self, store: TokenStore) -> None:
        """A record survives the way there and back, byte for byte."""
        assert store.write(KEY, VALUE).value == VALUE
        assert store.read(KEY).value == VALUE

    def test_a_write_replaces_the_whole_record(self, store: TokenStore) -> None:
        """Fields of the old record do not shine through."""
        store.write(KEY, VALUE)
        store.write(KEY, {"schema": 1, "a": 1})
        assert store.read(KEY).value == {"schema": 1, "a": 1}

    def test_records_of_other_kinds_apps_and_ids_are_other_records(self, store: TokenStore) -> None:
        """A key is all of its three parts."""
        keys = [KEY, KEY._replace(kind="consent"), KEY._replace(app_key=APP + "2"), KEY._replace(id="f" * 16)]
        for number, key in enumerate(keys):
            store.write(key, {"schema": 1, "n": number})
        assert [(store.read(key).value or {}).get("n") for key in keys] == [0, 1, 2, 3]

    def test_ids_lists_one_kind_of_one_app_or_says_that_it_cannot(self, store: TokenStore) -> None:
        """An app whose key is the beginning of another's is not mixed up with it."""
        store.write(KEY, VALUE)
        store.write(KEY._replace(id="f" * 16), VALUE)
        store.write(KEY._replace(app_key=APP + "2"), VALUE)
        store.write(KEY._replace(kind="consent", id="e" * 16), VALUE)
        assert store.ids("rotated", APP) in {None, ("0123456789abcdef", "f" * 16)}

    def test_writing_over_what_was_read_succeeds(self, store: TokenStore) -> None:
        """The snapshot of a write is good for the next one."""
        snapshot = store.write(KEY, {"schema": 1, "n": 1}, store.read(KEY))
        snapshot = store.write(KEY, {"schema": 1, "n": 2}, snapshot)
        store.write(KEY, {"schema": 1, "n": 3}, snapshot)
        assert store.read(KEY).value == {"schema": 1, "n": 3}

    def test_a_strict_store_refuses_to_write_over_what_has_moved(self, store: TokenStore) -> None:
        """And leaves what is there as it is."""
        if not store.strict:
            pytest.skip("this store makes no such promise")
        absent = store.read(KEY)
        first = store.write(KEY, {"schema": 1, "n": 1}, absent)
        for outdated in (absent, Snapshot(None), first):
            if outdated is first:
                store.write(KEY, {"schema": 1, "n": 2}, first)
            with pytest.raises(StoreConflict):
                store.write(KEY, {"schema": 1, "n": 99}, outdated)
        assert store.read(KEY).value == {"schema": 1, "n": 2}

    def test_of_many_threads_that_expect_the_same_record_one_wins(self, store: TokenStore) -> None:
        """The compare and the swap are one step."""
        if not store.strict:
            pytest.skip("this store makes no such promise")
        base = store.write(KEY, {"schema": 1, "n": -1})
        won: list[int] = []
        start = threading.Barrier(8)

        def contend(number: int) -> None:
            start.wait()
            try:
                store.write(KEY, {"schema": 1, "n": number}, base)
            except StoreConflict:
                return
            won.append(number)

        threads = [threading.Thread(target=contend, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert store.read(KEY).value == {"schema": 1, "n": won[0]}
