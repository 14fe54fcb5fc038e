from __future__ import annotations

import time

from airflow_provider_tiktokshop.emulator.limits import Limits, TokenBucket

SHOPS = "/authorization/202309/shops"


def test_a_bucket_holds_one_second_and_fills_at_its_rate():
    bucket = TokenBucket(10.0, 10.0, 0.0)
    assert [bucket.take(0.0) for _ in range(10)] == [0.0] * 10
    assert bucket.take(0.0) == 0.1
    assert bucket.take(0.1) == 0.0
    assert bucket.take(0.1) > 0
    assert [bucket.take(100.0) for _ in range(10)] == [0.0] * 10
    assert bucket.take(100.0) > 0


def test_a_rate_below_one_still_lets_single_requests_pass():
    bucket = TokenBucket(0.5, 1.0, 0.0)
    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) == 2.0
    assert bucket.take(2.0) == 0.0


def test_a_rate_of_zero_is_no_limit():
    limits = Limits()
    assert not any(limits.wait(("a",), 0.0) for _ in range(1000))


def test_too_many_requests_are_refused_and_counted(caller):
    caller.emulator.settings(rate_limit=0.1)
    answers = [caller.call("GET", SHOPS) for _ in range(8)]
    refused = [answer for answer in answers if answer.code]
    assert len(refused) == 7
    assert {(answer.status, answer.code) for answer in refused} == {(429, 36009002)}
    assert "retry-after" not in refused[0].headers
    assert caller.emulator.stats()["throttled"] == len(refused)


def test_a_refusal_can_say_when_to_come_back(caller):
    caller.emulator.settings(rate_limit=0.2, retry_after=True)
    assert caller.call("GET", SHOPS).code == 0
    assert 1 <= int(caller.call("GET", SHOPS).headers["retry-after"]) <= 6


def test_shops_and_endpoints_have_buckets_of_their_own(caller):
    caller.emulator.settings(rate_limit=0.1)
    assert caller.search().code == 0
    assert caller.search().code == 36009002
    assert caller.search(shop=1).code == 0
    assert caller.call("GET", SHOPS).code == 0


def test_the_rate_can_be_changed_at_run_time(caller):
    caller.emulator.settings(rate_limit=0.1)
    assert [caller.search().code for _ in range(2)] == [0, 36009002]
    caller.emulator.settings(rate_limit=0.0)
    assert [caller.search().code for _ in range(5)] == [0] * 5


def test_a_bad_signature_uses_up_nothing(caller):
    caller.emulator.settings(rate_limit=0.1)
    for _ in range(3):
        assert caller.search(override={"sign": "0" * 64}).code == 106001
    assert caller.search().code == 0


def test_the_sandbox_quota_ends_with_the_hour(caller):
    caller.emulator.settings(sandbox_hourly=2, check_timestamp=False)
    caller.emulator.clock(set=(time.time() // 3600 + 1) * 3600)
    answers = [caller.search() for _ in range(3)]
    assert [answer.code for answer in answers] == [0, 0, 36009037]
    assert answers[-1].status == 429
    caller.emulator.clock(advance=3600)
    assert caller.search().code == 0


def test_the_daily_quota_ends_with_the_day(caller):
    caller.emulator.settings(daily_quota=1, daily_quota_path="/order/", check_timestamp=False)
    caller.emulator.clock(set=(time.time() // 86400 + 1) * 86400)
    assert [caller.search().code for _ in range(2)] == [0, 45101004]
    assert caller.call("GET", SHOPS).code == 0
    caller.emulator.clock(advance=86400)
    assert caller.search().code == 0
