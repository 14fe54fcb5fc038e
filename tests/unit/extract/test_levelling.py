"""Crowded windows are cut where their rows are, if that pays; whatever is counted, the interval stays covered."""

from __future__ import annotations

import itertools
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tiktokshop.extract.levelling import Load, level, useful_threads
from airflow_provider_tiktokshop.extract.windows import Window, split

DAY = 86_400


class Rows:
    """Rows at some times, which can be counted; keeps what was asked."""

    def __init__(self, times):
        self.times, self.rounds = sorted(times), []

    def count(self, windows):
        self.rounds.append(windows)
        return [bisect_left(self.times, one.end) - bisect_left(self.times, one.start) for one in windows]

    def levelled(self, windows=8, threads=8, page_size=100):
        edges = split(0, DAY, windows)
        loads = [Load(*pair) for pair in zip(edges, self.count(edges), strict=True)]
        self.rounds.clear()
        return level(loads, self.count, page_size=page_size, threads=threads)


def sale(rows, part, start=50_000, length=3600):
    inside = int(rows * part)
    spread = [DAY * n // (rows - inside) for n in range(rows - inside)]
    return Rows([*spread, *(start + length * n // inside for n in range(inside))])


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
def test_a_sale_is_spread_over_windows_of_about_half_a_threads_part(part):
    rows = sale(20_000, part)
    loads = rows.levelled()
    # An hour's rows are seldom cut in equal parts: a cell of the halving is what is left over.
    assert max(load.rows for load in loads) <= 20_000 / 16
    assert len(loads) <= 40
    assert len(rows.rounds) <= 9
    assert [load.rows for load in loads] == rows.count([load.window for load in loads])


@pytest.mark.parametrize("rows", [0, 100, 5_000, 100_000])
def test_windows_that_are_about_even_are_left_alone_and_nothing_is_asked(rows):
    even = Rows([DAY * n // max(1, rows) for n in range(rows)])
    assert [load.window for load in even.levelled()] == list(split(0, DAY, 8))
    assert even.rounds == []


def test_a_few_pages_are_not_worth_a_question():
    rows = sale(2_000, 0.9)
    assert len(rows.levelled()) == 8
    assert rows.rounds == []


def test_a_single_window_of_many_pages_is_cut_for_the_threads_that_have_nothing_to_do():
    loads = sale(20_000, 0.1).levelled(windows=1)
    assert 16 <= len(loads) <= 32


def test_where_the_rate_limit_keeps_a_thread_or_two_busy_cutting_gains_nothing():
    rows = sale(10_000, 0.6)
    assert len(rows.levelled(threads=useful_threads(10))) == 8
    assert rows.rounds == []
    assert len(rows.levelled(threads=useful_threads(50))) > 8
    assert (useful_threads(1), useful_threads(10), useful_threads(50), useful_threads(1e6)) == (1, 2, 8, 8)


def test_rows_of_one_second_stay_together_and_are_not_asked_for_without_end():
    rows = Rows([50_000] * 20_000)
    loads = rows.levelled()
    (crowded,) = [load for load in loads if load.rows]
    assert crowded.rows == 20_000
    assert len(rows.rounds) <= 14


@given(
    totals=st.lists(st.integers(0, 50_000), min_size=8, max_size=8),
    answers=st.lists(st.none() | st.integers(0, 60_000), min_size=1, max_size=30),
)
def test_whatever_is_answered_the_interval_is_covered_without_gap_or_overlap(totals, answers):
    given_back = itertools.cycle(answers)
    loads = [Load(window, total) for window, total in zip(split(0, DAY, 8), totals, strict=True)]
    levelled = level(loads, lambda windows: [next(given_back) for _ in windows], page_size=100, threads=8)
    edges = [load.window for load in levelled]
    assert (edges[0].start, edges[-1].end) == (0, DAY)
    assert all(one.end == other.start and one.start < one.end for one, other in itertools.pairwise(edges))
    assert Window(0, DAY) not in edges
