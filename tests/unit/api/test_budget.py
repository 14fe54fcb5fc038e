"""Requests leave evenly spaced, and the rate finds the service's limit."""

from __future__ import annotations

import random
import threading

import pytest

from airflow_provider_tiktokshop.api.budget import HeldBack, RateBudget, RateBudgets
from tests.support.fault_server import FakeClock


class OneSecondBucket:
    """A limiter as the service's: a token bucket that holds one second's worth."""

    def __init__(self, rate: float, clock: FakeClock) -> None:
        self.rate, self.clock = rate, clock
        self.tokens, self.filled = rate, clock.time

    def take(self) -> bool:
        now = self.clock.time
        self.tokens = min(self.rate, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1 - 1e-9:
            return False
        self.tokens -= 1
        return True


def test_the_first_request_does_not_wait_and_the_next_ones_are_evenly_spaced(clock):
    budget = RateBudget(10, clock)
    for _ in range(4):
        budget.acquire()
    assert clock.sleeps == pytest.approx([0.1] * 3)


def test_idle_time_is_not_saved_up_for_a_burst(clock):
    budget = RateBudget(10, clock)
    budget.acquire()
    clock.time += 60
    budget.acquire()
    budget.acquire()
    assert clock.sleeps == pytest.approx([0.1])


def test_oversleeping_does_not_slow_the_pace(clock):
    budget = RateBudget(10, clock)
    start = clock.time
    for _ in range(101):
        budget.acquire()
        clock.time += 0.03  # a thread that wakes up late, and a request that takes a while
    assert clock.time - start == pytest.approx(10.03)


def test_many_threads_share_one_even_pace(clock):
    budget = RateBudget(50, clock)
    threads = [threading.Thread(target=lambda: [budget.acquire() for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One of the 200 went first, without waiting.
    wakeups = sorted(clock.wakeups)
    gaps = [later - earlier for earlier, later in zip(wakeups, wakeups[1:], strict=False)]
    assert len(wakeups) == 199
    assert min(gaps) == pytest.approx(0.02)
    assert max(gaps) == pytest.approx(0.02)


def test_a_budget_at_the_limit_is_never_refused(clock):
    budget, bucket = RateBudget(10, clock), OneSecondBucket(10, clock)
    for _ in range(2000):
        budget.acquire()
        assert bucket.take()


@pytest.mark.parametrize("limit", [1.0, 3.0, 6.0, 9.5])
def test_a_budget_above_the_limit_converges_below_it(clock, limit):
    budget, bucket = RateBudget(10, clock), OneSecondBucket(limit, clock)
    served = refused = 0
    start = clock.time
    while clock.time - start < 600:
        budget.acquire()
        if bucket.take():
            served += 1
            budget.succeeded()
        else:
            refused += 1
            budget.throttled(None)
    assert served / 600 > 0.7 * limit
    assert refused / 10 < 4  # a minute


@pytest.mark.parametrize(("before", "after"), [(50, 10), (50, 2), (10, 9)])
def test_a_limit_that_drops_in_mid_run_costs_one_request_in_a_hundred_at_most(clock, before, after):
    budget, bucket = RateBudget(before, clock), OneSecondBucket(before, clock)
    refused = served = 0
    while served < 500:
        if served == 250:
            bucket.rate, dropped = after, clock.time
        budget.acquire()
        if bucket.take():
            served += 1
            budget.succeeded()
        else:
            refused += 1
            budget.throttled(None)
    assert refused <= 5
    assert 250 / (clock.time - dropped) > 0.9 * after


def test_a_refusal_now_and_then_that_has_nothing_to_do_with_the_rate_does_not_bring_it_to_a_crawl(clock):
    budget, chance = RateBudget(50, clock), random.Random(1)
    start, refused = clock.time, 0
    for _ in range(2000):
        budget.acquire()
        if chance.random() < 0.01:
            refused += 1
            budget.throttled(None)
        else:
            budget.succeeded()
    assert refused > 10
    assert 2000 / (clock.time - start) > 0.25 * 50


def test_a_limit_that_two_refusals_agree_on_is_not_tried_again_for_a_while(clock):
    budget, bucket = RateBudget(50, clock), OneSecondBucket(20, clock)
    served_at_refusals, served = [], 0
    while served < 2000:
        budget.acquire()
        if bucket.take():
            served += 1
            budget.succeeded()
        else:
            served_at_refusals.append(served)
            budget.throttled(None)
    first, second, *later = served_at_refusals
    assert second - first < 100
    assert later[0] - second > 200
    assert len(later) < 6


def test_a_slot_that_nobody_was_free_to_use_is_made_up_for(clock):
    budget = RateBudget(50, clock)
    start = clock.time
    for number in range(501):
        budget.acquire()
        clock.time += 0.1 if number % 50 == 0 else 0.001  # now and then all threads are late
    assert clock.time - start == pytest.approx(10, abs=0.15)


def test_a_refusal_holds_back_those_who_were_waiting_for_their_turn(clock):
    budget = RateBudget(10, clock)
    budget.acquire()
    before = clock.sleep

    def sleep(seconds):
        clock.sleep = before
        budget.throttled(3)
        before(seconds)

    clock.sleep = sleep
    start = clock.time
    budget.acquire()
    assert clock.time - start == pytest.approx(3)


def test_a_limit_that_rises_again_is_used_again(clock):
    budget = RateBudget(10, clock)
    for _ in range(5):
        budget.throttled(None)
        clock.time += 2
    assert budget.rate < 0.5
    start = clock.time
    while budget.rate < 10:
        budget.acquire()
        budget.succeeded()
    assert clock.time - start < 300


def test_refusals_of_requests_in_flight_together_count_once(clock):
    budget = RateBudget(10, clock)
    for _ in range(8):
        budget.throttled(None)
    assert budget.rate == 5


def test_the_rate_has_a_floor(clock):
    budget = RateBudget(10, clock)
    for _ in range(50):
        clock.time += 10
        budget.throttled(None)
    assert budget.rate == pytest.approx(0.1)
    slow = RateBudget(0.02, clock)
    slow.throttled(None)
    assert slow.rate == 0.02


def test_everybody_waits_as_long_as_the_service_asked_but_at_most_a_minute(clock):
    budget = RateBudget(10, clock)
    budget.acquire()
    budget.throttled(7)
    budget.acquire()
    assert clock.sleeps == [pytest.approx(7)]
    budget.throttled(10_000)
    budget.acquire()
    assert clock.sleeps[-1] == pytest.approx(60)


def test_who_would_not_wait_as_long_as_the_service_asked_is_told_at_once(clock):
    budget = RateBudget(10, clock)
    budget.throttled(600)
    clock.time += 1
    with pytest.raises(HeldBack) as held:
        budget.acquire(600)
    assert held.value.seconds == pytest.approx(599)
    assert clock.sleeps == []
    budget.acquire(601)  # more patient than that
    assert clock.sleeps == [pytest.approx(59)]
    clock.time += 600
    budget.acquire(120)


def test_who_was_waiting_for_a_turn_is_told_too(clock):
    budget = RateBudget(10, clock)
    budget.acquire()
    before = clock.sleep

    def sleep(seconds):
        clock.sleep = before
        budget.throttled(600)
        before(seconds)

    clock.sleep = sleep
    with pytest.raises(HeldBack):
        budget.acquire(120)
    assert clock.sleeps == [pytest.approx(0.1)]


def test_each_shop_and_endpoint_has_its_own_budget(clock):
    budgets = RateBudgets(10, clock)
    one = budgets.for_key(("k", "shop1", "GET /x"))
    assert budgets.for_key(("k", "shop1", "GET /x")) is one
    assert budgets.for_key(("k", "shop2", "GET /x")) is not one
    assert budgets.for_key(("k", "shop1", "GET /y")) is not one
