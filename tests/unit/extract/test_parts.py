"""Parts: bounded, resumable, each row once, in its latest version."""

from __future__ import annotations

import io
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract.duplicates import repeated, resolve
from airflow_provider_tiktokshop.extract.errors import ExtractionError, OptionError
from airflow_provider_tiktokshop.extract.filesystem import LocalDirectory
from airflow_provider_tiktokshop.extract.parts import WindowParts, span_of
from airflow_provider_tiktokshop.extract.rows import Identity
from airflow_provider_tiktokshop.extract.writers import JsonLinesGzip, format_of

IDENTITY = Identity(("id",), "update_time")
BOUNDS = (0, 100)


def row(key, at, **more):
    return {"id": str(key), "update_time": at, **more}


@pytest.fixture(params=["jsonl.gz", "parquet"])
def layout(request):
    return format_of(request.param, streams.get("orders"))


def window(directory, label="w0", rows_per_part=4, layout=None):
    return WindowParts(directory, label, layout or JsonLinesGzip(), IDENTITY, BOUNDS, rows_per_part)


def write(parts, *rows):
    parts.write(list(rows), [IDENTITY.key(r) for r in rows], span_of(rows, IDENTITY, BOUNDS))


def content(*windows):
    return [
        found
        for parts in windows
        for number in range(len(parts.parts))
        for _, found in parts.rows_at(number, set(range(1000)))
    ]


def test_a_part_is_closed_at_the_page_that_fills_it(directory, layout):
    parts = window(directory, layout=layout)
    for start in range(0, 12, 3):
        write(parts, *(row(n, n) for n in range(start, start + 3)))
    parts.close()
    assert [part.rows for part in parts.parts] == [6, 6]
    assert [(part.low, part.high) for part in parts.parts] == [(0, 5), (6, 11)]
    assert all(part.bytes == directory.size(part.name) for part in parts.parts)
    assert [r["id"] for r in content(parts)] == [str(n) for n in range(12)]


def test_cursors_outside_the_interval_are_counted_apart(directory):
    parts = window(directory)
    write(parts, row(1, 5), row(2, 100), row(3, 7), {"id": "4"})
    parts.close()
    (part,) = parts.parts
    assert (part.low, part.high, part.outside, part.rows) == (5, 7, 1, 4)


def test_only_what_would_survive_a_kill_counts_as_durable(directory, layout):
    parts = window(directory, layout=layout)
    assert parts.durable
    write(parts, row(1, 1))
    assert parts.durable == (isinstance(directory, LocalDirectory) and layout.grows)
    parts.close()
    assert parts.durable


def test_an_open_part_is_cut_back_to_what_was_recorded_and_continued(tmp_path):
    directory = LocalDirectory(tmp_path)
    first = window(directory, "first", rows_per_part=50)
    write(first, row(1, 1), row(2, 2))
    from dataclasses import replace

    recorded = [replace(part) for part in first.parts]
    write(first, row(3, 3))
    first.abandon()

    second = window(directory, "second", rows_per_part=50)
    assert second.resume(recorded, 2) == {"2": 2}
    write(second, row(4, 4))
    second.close()
    assert [r["id"] for r in content(second)] == ["1", "2", "4"]
    assert len(second.index) == 3


@pytest.mark.parametrize("damage", ["gone", "shorter", "flipped"])
def test_a_damaged_part_is_not_taken_over(directory, layout, damage):
    first = window(directory, "first", layout=layout)
    write(first, *(row(n, n) for n in range(4)))
    first.close()
    name = first.parts[0].name
    original = directory.read(name)
    directory.remove(name)
    if damage == "shorter":
        directory.upload(name, io.BytesIO(original[:-5]))
    elif damage == "flipped":
        directory.upload(name, io.BytesIO(original[:30] + bytes([original[30] ^ 1]) + original[31:]))
    second = window(directory, "second", layout=layout)
    assert second.resume(first.parts, 3) is None
    assert (second.parts, len(second.index)) == ([], 0)


def test_a_closed_part_is_taken_over_with_the_rows_that_may_come_again(directory, layout):
    first = window(directory, "first", layout=layout)
    write(first, row(1, 1), row(2, 7), row(3, 7), {"id": 4, "update_time": "7"})
    second = window(directory, "second", layout=layout)
    assert second.resume(first.parts, 7) == {"2": 7, "3": 7, "4": 7}
    write(second, row(5, 8), row(4, 9))
    second.close()
    assert resolve([second], IDENTITY) == 1
    assert [r["id"] for r in content(second)] == ["1", "2", "3", "5", "4"]


def test_taking_back_removes_the_files(directory, layout):
    parts = window(directory, layout=layout)
    write(parts, *(row(n, n) for n in range(4)))
    write(parts, row(5, 5))
    parts.restart()
    assert directory.names("_work") == []
    write(parts, row(6, 6))
    parts.close()
    assert [r["id"] for r in content(parts)] == ["6"]


def test_the_latest_version_of_a_row_wins_across_parts_and_windows(directory, layout):
    one, two = window(directory, "w0", layout=layout), window(directory, "w1", layout=layout)
    write(one, row("a", 1), row("b", 2), row("c", 3), row("d", 4))
    write(one, row("e", 5), row("b", 6, again=True))
    write(two, row("f", 7), row("a", 8), row("e", 5, same=True))
    one.close()
    two.close()
    assert resolve([one, two], IDENTITY) == 3
    found = {r["id"]: r for r in content(one, two)}
    assert len(content(one, two)) == 6
    assert found["a"]["update_time"] == 8
    assert found["b"]["again"]
    assert found["e"]["same"]  # of equal versions the one read later
    assert [part.rows for part in one.parts + two.parts] == [2, 1, 3]
    assert (one.parts[0].low, one.parts[0].high) == (3, 4)


def test_an_older_version_that_was_read_later_loses(directory):
    parts = window(directory)
    write(parts, row("a", 9), row("a", 3))
    parts.close()
    assert resolve([parts], IDENTITY) == 1
    assert [r["update_time"] for r in content(parts)] == [9]


def test_two_keys_with_the_same_64_bits_are_two_rows(directory):
    parts = window(directory)
    write(parts, row("a", 1), row("b", 2))
    parts.close()
    parts.index[1] = parts.index[0]
    assert resolve([parts], IDENTITY) == 0
    assert len(content(parts)) == 2


def test_files_without_duplicates_are_not_touched(directory):
    parts = window(directory)
    write(parts, row("a", 1), row("b", 2))
    parts.close()
    before = (parts.parts[0].name, directory.read(parts.parts[0].name))
    assert resolve([parts], IDENTITY) == 0
    assert (parts.parts[0].name, directory.read(parts.parts[0].name)) == before


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 20), max_size=60), max_size=4))
def test_values_that_occur_more_than_once_are_found(lists):
    everything = [value for values in lists for value in values]
    expected = {value for value in everything if everything.count(value) > 1}
    assert repeated([array("q", values) for values in lists]) == expected


def test_values_are_found_over_many_buckets():
    values = array("q", range(-300_000, 300_000))
    values.append(-300_000)
    values.append(299_999)
    assert repeated([values]) == {-300_000, 299_999}


def test_a_row_without_its_primary_key_stops_the_extraction():
    with pytest.raises(ExtractionError, match=r"without its primary key \(id\)"):
        IDENTITY.key({"order_id": "1"})
    with pytest.raises(ExtractionError, match="goods.id, warehouse"):
        Identity(("goods.id", "warehouse")).key({"goods": {"id": "1"}})
    assert Identity(("goods.id", "warehouse")).key({"goods": {"id": "1"}, "warehouse": 2}) == ("1", "2")


def test_an_id_is_the_same_as_number_and_as_text():
    assert IDENTITY.key({"id": 17}) == IDENTITY.key({"id": "17"})


def test_times_that_come_as_text_are_numbers():
    assert IDENTITY.cursor({"update_time": "17"}) == 17
    assert IDENTITY.cursor({"update_time": None}) is None
    assert IDENTITY.cursor({"update_time": "soon"}) is None
    assert IDENTITY.version({}) is None


def test_an_unknown_format_is_refused():
    with pytest.raises(OptionError, match=r"jsonl\.gz"):
        format_of("csv")
