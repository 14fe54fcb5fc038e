"""Children come in the order of their parents, in bounded pages, however many requests are under way."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.api.errors import ApiError, PagingError
from airflow_provider_tiktokshop.api.paging import Page
from airflow_provider_tiktokshop.extract.children import Children
from airflow_provider_tiktokshop.extract.threads import Stop, Stopped

STREAM = streams.get("statement_transactions")


def parents(count):
    return [{"id": str(n)} for n in range(count)]


def page(rows, token=None):
    return Page(rows, token, None, "R", {})


@pytest.mark.parametrize("threads", [1, 8])
def test_rows_come_in_the_order_of_their_parents(threads):
    late = threading.Event()

    def fetch(ask, token):
        if threads > 1 and ask.ids == ("0",):
            assert late.wait(30)
        if ask.ids == ("5",):
            late.set()
        return page([{"id": f"{ask.ids[0]}-{token or 1}"}], "2" if token is None else None)

    given = [row["id"] for rows in Children(STREAM, fetch, Stop()).of([parents(40)], None, threads) for row in rows]
    assert given == [f"{n}-{part}" for n in range(40) for part in (1, 2)]


def test_a_parent_with_many_children_is_handed_on_page_by_page():
    read = []

    def fetch(ask, token):
        read.append(token)
        number = int(token or 0)
        return page([{"id": f"{number}-{n}"} for n in range(100)], str(number + 1) if number < 99 else None)

    batches = Children(STREAM, fetch, Stop()).of([parents(1)], None, 1)
    assert len(next(batches)) == 100
    assert len(read) == 1
    assert sum(map(len, batches)) == 9900


def test_nothing_is_given_for_parents_that_could_not_be_asked_because_another_window_failed():
    stop = Stop()

    def fetch(ask, token):
        stop.set()
        return page([{"id": ask.ids[0]}])

    with pytest.raises(Stopped):
        list(Children(STREAM, fetch, stop).of([parents(100)], None, 4))


def test_a_page_token_that_comes_again_is_an_error():
    with pytest.raises(PagingError):
        list(Children(STREAM, lambda _ask, _token: page([{"id": "1"}], "same"), Stop()).of([parents(1)], None, 1))


def test_parents_are_asked_for_as_many_at_a_time_as_the_endpoint_takes_each_once():
    asked = []

    def fetch(ask, token):
        asked.append(ask.ids)
        return page([])

    stream = streams.get("order_detail")
    stream = replace(stream, parent=replace(stream.parent, batch=3))
    twice = [*parents(5), *parents(5), {"id": ""}, {}]
    assert list(Children(stream, fetch, Stop()).of([twice], None, 1)) == []
    assert asked == [("0", "1", "2"), ("3", "4")]


@pytest.mark.parametrize("batch", [1, 3, 50])
def test_a_parent_that_has_gone_has_no_children_and_keeps_nobody_from_theirs(batch):
    asked = []

    def fetch(ask, token):
        asked.append(ask.ids)
        if "7" in ask.ids:
            raise ApiError("gone", code=21001001)
        return page([{"id": one} for one in ask.ids])

    stream = streams.get("order_detail")
    children = Children(replace(stream, parent=replace(stream.parent, batch=batch)), fetch, Stop())
    given = [row["id"] for rows in children.of([parents(20)], None, 1) for row in rows]
    assert given == [str(n) for n in range(20) if n != 7]
    assert children.gone == {"7"}
    assert len(asked) <= -(-20 // batch) + 2 * batch.bit_length()


def test_a_parent_that_is_refused_for_another_reason_fails_the_run_with_what_came_before_it_kept():
    def fetch(ask, token):
        if ask.ids == ("7",):
            raise ApiError("of another shop", code=21008111)
        return page([{"id": ask.ids[0]}])

    finished: set[str] = set()
    given = []
    with pytest.raises(ApiError, match="another shop"):
        for rows in Children(STREAM, fetch, Stop()).of([parents(20)], None, 1, finished):
            given += rows
    assert [row["id"] for row in given] == [str(n) for n in range(7)]
    assert finished == {str(n) for n in range(7)}
    # The next attempt asks for the others only.
    again = Children(STREAM, lambda ask, _token: page([{"id": ask.ids[0]}]), Stop()).of(
        [parents(20)], None, 1, finished
    )
    assert [row["id"] for rows in again for row in rows] == [str(n) for n in range(7, 20)]
