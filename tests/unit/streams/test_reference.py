"""The reference of all streams is what the declarations say."""

from __future__ import annotations

from pathlib import Path

from tests.support.stream_reference import render

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "streams.md"


def test_the_reference_of_streams_is_current():
    # If not: python -m tests.support.stream_reference > docs/reference/streams.md
    assert PAGE.read_text(encoding="utf-8") == render()
