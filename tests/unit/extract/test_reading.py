"""Windows are read in parallel; one that fails stops the others, and long waits are not sat out."""

from __future__ import annotations

import signal
import threading

import pytest

from airflow_provider_tiktokshop.api.client import Shop
from airflow_provider_tiktokshop.api.errors import QuotaExhausted, RateLimited, ServiceUnavailable
from airflow_provider_tiktokshop.extract.errors import ExtractionPaused
from airflow_provider_tiktokshop.extract.plan import make_plan
from airflow_provider_tiktokshop.extract.reading import Reader, Stopped, in_parallel
from airflow_provider_tiktokshop.extract.threads import Stop
from tests.support.extraction import SteppingClock

PLAN = make_plan("orders", Shop("7", "c", "GB", "LOCAL", "X"), 0, 1000)


class Service:
    """Answers with what it was given, one after the other."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def page(self, *args, **kwargs):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_every_number_is_worked_on_once_by_at_most_eight_threads():
    done, together, most = [], set(), []
    gate = threading.Barrier(8, timeout=30)
    lock = threading.Lock()

    def work(number):
        with lock:
            together.add(threading.get_ident())
        if number < 8:
            gate.wait()
        with lock:
            done.append(number)
            most.append(len(together))

    in_parallel(work, range(30), Stop())
    assert sorted(done) == list(range(30))
    assert max(most) == 8


def test_the_first_failure_stops_the_others_and_is_the_one_that_is_raised():
    stop = Stop()
    both = threading.Barrier(2, timeout=30)

    def work(number):
        both.wait()
        if number == 0:
            raise ServiceUnavailable("down")
        assert stop.wait(30)
        raise Stopped

    with pytest.raises(ServiceUnavailable):
        in_parallel(work, range(2), stop)


def test_a_failure_matters_more_than_a_pause():
    both = threading.Barrier(2, timeout=30)

    def work(number):
        both.wait()
        raise ExtractionPaused("quota", resume_after=600) if number == 0 else ServiceUnavailable("down")

    with pytest.raises(ServiceUnavailable):
        in_parallel(work, range(2), Stop())


def test_an_interruption_of_the_task_reaches_the_threads():
    class Cancelled(BaseException):
        pass

    def cancel(*_):
        raise Cancelled

    stop = Stop()
    seen = []
    started = threading.Barrier(2, timeout=30)
    before = signal.signal(signal.SIGUSR1, cancel)

    def work(number):
        started.wait()
        if number == 0:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        seen.append(stop.wait(30))

    try:
        with pytest.raises(Cancelled):
            in_parallel(work, range(2), stop)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert stop.is_set()
    assert all(seen)


@pytest.mark.parametrize(
    "refusal", [QuotaExhausted("quota", resume_after=30), QuotaExhausted("quota", resume_after=119)]
)
def test_a_short_wait_is_sat_out(refusal):
    clock = SteppingClock(0)
    assert Reader(PLAN, Service(refusal, refusal, "page"), clock).page(0, 10, None) == "page"
    assert clock.slept == [refusal.resume_after] * 2


@pytest.mark.parametrize("refusal", [QuotaExhausted("quota", resume_after=120), RateLimited("busy", retry_after=600)])
def test_a_long_wait_pauses_the_extraction(refusal):
    clock = SteppingClock(0)
    with pytest.raises(ExtractionPaused, match="Everything read so far is kept") as pause:
        Reader(PLAN, Service(refusal), clock).page(0, 10, None)
    assert pause.value.resume_after in {120, 600}
    assert clock.slept == []


def test_a_limit_that_the_client_could_not_get_under_is_an_error():
    with pytest.raises(RateLimited):
        Reader(PLAN, Service(RateLimited("busy", retry_after=None)), SteppingClock(0)).page(0, 10, None)


def test_nothing_is_asked_for_once_another_window_has_failed():
    reader = Reader(PLAN, Service("page"), SteppingClock(0))
    reader.stop.set()
    with pytest.raises(Stopped):
        reader.page(0, 10, None)
