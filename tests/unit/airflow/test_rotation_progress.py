"""What the log of a rotation says while it runs."""

from __future__ import annotations

import logging

import pytest

from airflow_provider_tiktokshop.auth.rotation import Outcome, RotationResult
from airflow_provider_tiktokshop.operators.rotation_progress import Progress

log = logging.getLogger("test-progress")


class Hand:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if " done (" in message]


def play(total: int, seconds_each: float, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level(logging.INFO)
    hand = Hand()
    progress = Progress(log, hand)
    progress.start(total)
    for number in range(total):
        hand.at += seconds_each
        progress.note(RotationResult(f"{number:016x}", Outcome.TRANSIENT if number % 10 == 9 else Outcome.ROTATED))
    return lines(caplog)


def test_a_slow_run_says_every_ten_seconds_how_far_it_is_and_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    told = play(1000, 1.0, caplog)

    assert told[0] == "10 of 1000 done (9 rotated, 1 transient); about 16 min 30 s left"
    assert len(told) == 99


def test_a_quick_run_says_it_at_every_twentieth(caplog: pytest.LogCaptureFixture) -> None:
    told = play(1000, 0.05, caplog)

    assert [line.split()[0] for line in told] == [str(done) for done in range(50, 1000, 50)]


def test_a_run_of_a_second_needs_no_progress(caplog: pytest.LogCaptureFixture) -> None:
    assert play(50, 0.02, caplog) == []


def test_each_authorization_has_its_own_line(caplog: pytest.LogCaptureFixture) -> None:
    play(10, 0.02, caplog)

    assert sum("rotated, epoch" in message for message in caplog.messages) == 9
    assert sum("transient" in message for message in caplog.messages) == 1
