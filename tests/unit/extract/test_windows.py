"""Intervals, their ends and their windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tiktokshop.extract.errors import IntervalError, OptionError
from airflow_provider_tiktokshop.extract.windows import Window, default_count, moment, seconds, settled, split, stamp

AT = 1_762_128_000  # 2025-11-03T00:00:00Z


@pytest.mark.parametrize(
    "written",
    [
        "2025-11-03T00:00:00Z",
        "2025-11-03T00:00:00+00:00",
        "2025-11-03 00:00:00+00:00",
        "2025-11-03T07:00:00+07:00",
        datetime(2025, 11, 3, tzinfo=UTC),
        datetime(2025, 11, 2, 19, tzinfo=timezone(timedelta(hours=-5))),
        pendulum.datetime(2025, 11, 3, tz="UTC"),
        AT,
        float(AT),
    ],
)
def test_a_moment_may_be_written_in_several_ways(written):
    assert moment(written, "start") == AT


@pytest.mark.parametrize("naive", ["2025-11-03T00:00:00", "2025-11-03", "20251103", datetime(2025, 11, 3)])  # noqa: DTZ001
def test_a_moment_without_a_time_zone_is_refused_with_what_to_add(naive):
    with pytest.raises(IntervalError, match="without a time zone.*add Z for UTC"):
        moment(naive, "start")


@pytest.mark.parametrize("missing", [None, "", "None", "  "])
def test_a_missing_data_interval_is_named_as_the_likely_cause(missing):
    with pytest.raises(IntervalError, match="start is missing.*CronDataIntervalTimetable"):
        moment(missing, "start")


@pytest.mark.parametrize("nonsense", ["yesterday", [], True, float("nan")])
def test_what_is_no_time_is_refused(nonsense):
    with pytest.raises(IntervalError):
        moment(nonsense, "end")


def test_a_fraction_of_a_second_is_rounded_up_so_that_no_row_falls_between_two_intervals():
    # A row at whole second s is in [start, end) exactly if ceil(start) <= s < ceil(end).
    assert moment("2025-11-03T00:00:00.000001Z", "end") == AT + 1
    assert moment(AT + 0.5, "start") == AT + 1


@pytest.mark.parametrize(
    ("written", "length"), [(300, 300), ("300", 300), (timedelta(minutes=5), 300), (0, 0), (1.2, 2)]
)
def test_a_length_of_time_may_be_written_in_several_ways(written, length):
    assert seconds(written, "lookback") == length


@pytest.mark.parametrize("wrong", [-1, "five", timedelta(seconds=-1), None, float("inf")])
def test_what_is_no_length_of_time_is_refused(wrong):
    with pytest.raises(OptionError, match="lookback"):
        seconds(wrong, "lookback")


def test_paths_write_moments_in_utc():
    assert stamp(AT) == "20251103T000000Z"


@given(
    since=st.integers(0, 2**31),
    length=st.integers(1, 10**7),
    count=st.integers(1, 200),
    cap=st.none() | st.integers(10_000, 10**8),
)
def test_windows_cover_the_interval_without_gap_or_overlap(since, length, count, cap):
    windows = split(since, since + length, count, cap)
    assert windows[0].start == since
    assert windows[-1].end == since + length
    assert all(one.end == other.start for one, other in zip(windows, windows[1:], strict=False))
    sizes = [window.end - window.start for window in windows]
    assert min(sizes) > 0
    assert max(sizes) - min(sizes) <= 1
    assert cap is None or max(sizes) <= cap
    assert len(windows) == min(length, max(count, -(-length // cap) if cap else 1))


def test_an_interval_has_a_window_an_hour_and_at_most_eight():
    assert [default_count(0, hours * 3600) for hours in (0, 1, 2, 7, 24, 1000)] == [1, 1, 2, 7, 8, 8]
    assert split(10, 12, 8) == (Window(10, 11), Window(11, 12))


def test_an_interval_that_is_settled_is_read_at_once():
    assert settled(0, 1000, 60, now=1060) == (1000, 0)


def test_an_interval_that_has_just_ended_is_waited_for_so_that_it_comes_whole():
    assert settled(0, 1000, 60, now=1010) == (1000, 50)
    # A scheduler whose clock is ahead of ours.
    assert settled(0, 1000, 60, now=990) == (1000, 70)


def test_an_interval_that_ends_in_the_future_is_read_up_to_what_is_settled():
    assert settled(0, 10_000, 60, now=5000) == (4940, 0)


@pytest.mark.parametrize("now", [0, 60, 100])
def test_an_interval_of_which_nothing_is_settled_is_refused(now):
    with pytest.raises(IntervalError, match="nothing of it can be read yet"):
        settled(100, 10_000, 60, now=now)
