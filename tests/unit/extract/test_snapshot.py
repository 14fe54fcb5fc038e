"""A stream without cursor is read whole, and again if it changes meanwhile, within reason."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider_tiktokshop.api.errors import InvalidRequest
from airflow_provider_tiktokshop.extract.position import Position
from airflow_provider_tiktokshop.extract.rows import Identity
from airflow_provider_tiktokshop.extract.snapshot import Snapshot
from tests.support.search_model import SearchModel, make_rows

ID = Identity(("id",))


def model(count=30, **more):
    return SearchModel(make_rows(list(range(count))), **more)


def ids(batches):
    return [row["id"] for batch in batches for row in batch.rows]


@pytest.mark.parametrize("total", ["true", "none"])
def test_one_reading_is_enough_when_nothing_changes(total):
    service = model(total=total)
    assert sorted(ids(Snapshot(service, ID))) == sorted(row["id"] for row in service.rows)
    assert len(service.requests) == 6


def test_a_row_that_was_skipped_because_another_vanished_comes_with_the_second_reading():
    service = model()

    def vanish():
        if len(service.requests) == 2:
            service.rows.pop(0)

    service.between = vanish
    found = ids(Snapshot(service, ID))
    assert {row["id"] for row in service.rows} <= set(found)
    assert max(Counter(found).values()) == 1


def test_a_total_that_is_no_total_costs_one_more_reading():
    service = model(total="wrong")
    assert len(ids(Snapshot(service, ID))) == 30
    assert len(service.requests) == 12


def test_a_stream_that_never_holds_still_is_read_three_times_and_no_more():
    service = model()
    fresh = iter(range(1000, 2000))
    names = {row["id"] for row in service.rows}

    def grow():
        service.rows.append({"id": f"x{next(fresh)}", "update_time": next(fresh), "version": 1})

    service.between = grow
    found = ids(Snapshot(service, ID))
    assert names <= set(found)
    assert sum(token is None for _, _, token in service.requests) == 3


def test_a_reading_goes_on_at_the_page_where_an_earlier_run_stopped():
    service = model()
    batches = iter(Snapshot(service, ID))
    first = [next(batches) for _ in range(4)]
    position = Position(**first[-1].position.to_dict())
    rest = ids(Snapshot(service, ID, position))
    assert sorted(ids(first) + rest) == sorted(row["id"] for row in service.rows)
    assert len(service.requests) == 6


def test_a_page_token_that_has_expired_begins_anew():
    service = model()
    refused = []

    def fetch(start, end, token):
        if token == "old":
            refused.append(token)
            raise InvalidRequest("invalid page token")
        return service(start, end, token)

    found = ids(Snapshot(fetch, ID, Position(0, "old", 30, 10)))
    assert refused
    assert sorted(found) == sorted(row["id"] for row in service.rows)


def test_a_request_that_is_refused_without_a_token_is_the_callers_error():
    def fetch(start, end, token):
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        ids(Snapshot(fetch, ID))


def test_what_is_done_is_not_read_again():
    service = model()
    assert list(Snapshot(service, ID, Position(0, done=True))) == []
    assert service.requests == []
