"""What several threads read comes out of one iterator: all of it, not far ahead, and no further than the first failure."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_tiktokshop.api.errors import ServiceUnavailable
from airflow_provider_tiktokshop.extract.errors import ExtractionPaused
from airflow_provider_tiktokshop.extract.threads import Stop, Stopped, gathered
from tests.support.waiting import wait_until


@pytest.mark.parametrize("most", [1, 3, 8])
@pytest.mark.parametrize("numbers", [0, 1, 20])
def test_every_item_of_every_number_comes_once(most, numbers):
    def read(number):
        yield from ((number, item) for item in range(5))

    found = list(gathered(read, range(numbers), Stop(), most))
    assert sorted(found) == [(number, item) for number in range(numbers) for item in range(5)]


def test_the_items_of_a_number_keep_their_order():
    def read(number):
        yield from ((number, item) for item in range(200))

    found = list(gathered(read, range(3), Stop()))
    for number in range(3):
        assert [item for which, item in found if which == number] == list(range(200))


def test_the_threads_stay_a_few_items_ahead_of_whoever_takes_them():
    made = []

    def read(number):
        for item in range(1000):
            made.append(item)
            yield item

    stop = Stop()
    taken = gathered(read, range(4), stop)
    for count in range(1, 500):
        next(taken)
        # Two in the queue for each thread, and one in each thread's hand.
        assert len(made) <= count + 3 * 4
    wait_until(lambda: len(made) == count + 3 * 4, timeout=30, what="the threads to read ahead")
    taken.close()
    assert stop.is_set()


def test_whoever_takes_no_more_stops_the_threads():
    ended = []

    def read(number):
        try:
            while not stop.is_set():
                yield number
        finally:
            ended.append(number)

    stop = Stop()
    taken = gathered(read, range(4), stop)
    assert next(taken) in range(4)
    taken.close()
    wait_until(lambda: sorted(ended) == list(range(4)), timeout=30, what="the end of the threads")
    assert stop.abandoned


def test_the_first_failure_stops_the_others_and_is_raised():
    started = threading.Barrier(2, timeout=30)

    def read(number):
        yield number
        started.wait()
        if number == 0:
            raise ServiceUnavailable("down")
        assert stop.wait(30)
        raise Stopped

    stop = Stop()
    with pytest.raises(ServiceUnavailable):
        list(gathered(read, range(2), stop))
    assert stop.is_set()


def test_a_pause_is_raised_only_if_nothing_worse_happened():
    started = threading.Barrier(2, timeout=30)

    def read(number):
        yield number
        started.wait()
        if number == 0:
            raise ExtractionPaused("quota", resume_after=3600)
        raise ServiceUnavailable("down")

    with pytest.raises(ServiceUnavailable):
        list(gathered(read, range(2), Stop()))
