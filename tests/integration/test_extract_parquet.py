"""Orders as Parquet: the same rows as lines of JSON, in one schema, for whatever reads Parquet."""

from __future__ import annotations

import re

import duckdb
import pyarrow.parquet as pq
import pytest

from airflow_provider_tiktokshop.extract import read_rows
from airflow_provider_tiktokshop.extract.parquet import arrow_schema
from tests.support.extraction import ROOT, ShopOnEmulator, data_files, ids

DAY = 86_400


@pytest.fixture
def shop(emulators):
    return ShopOnEmulator(emulators.get({"orders": 1500, "rate_limit": 1_000_000}))


def without_nulls(value):
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def paths(manifest) -> list[str]:
    return [file["path"] for file in manifest.to_dict()["files"]]


def test_the_rows_are_those_of_the_lines_of_json(shop, tmp_path):
    lines = shop.extract(tmp_path / "lines", windows=3)
    columns = shop.extract(tmp_path / "columns", windows=3, format="parquet")
    assert columns.rows == lines.rows == 1500
    assert list(read_rows(columns)) == [without_nulls(row) for row in read_rows(lines)]
    for fact in ("min_cursor", "max_cursor", "rows_outside", "requests"):
        assert getattr(columns, fact) == getattr(lines, fact)


def test_the_same_interval_is_the_same_bytes_again(shop, tmp_path):
    options = {"windows": 4, "rows_per_part": 300, "format": "parquet"}
    first = shop.extract(tmp_path / "first", **options)
    second = shop.extract(tmp_path / "second", **options)
    assert first.files == second.files
    assert data_files(tmp_path / "first") == data_files(tmp_path / "second")


def test_every_file_has_the_same_schema_also_when_a_window_was_empty(shop, tmp_path):
    # Of five windows the first four end before there were orders.
    start = shop.start - 4 * (shop.end - shop.start)
    manifest = shop.extract(tmp_path, start, windows=5, rows_per_part=200, format="parquet")
    assert manifest.rows == 1500
    assert len(manifest.files) > 5
    assert all(pq.read_schema(path).equals(arrow_schema("orders"), check_metadata=True) for path in paths(manifest))


def test_an_interval_without_rows_has_no_file_and_its_schema_is_known_all_the_same(shop, tmp_path):
    manifest = shop.extract(tmp_path, shop.start - 2 * DAY, shop.start, format="parquet")
    assert (manifest.rows, manifest.files) == (0, ())
    assert list(read_rows(manifest)) == []
    assert arrow_schema("orders").empty_table().num_rows == 0


def test_rows_that_are_asked_for_by_ids_are_written_alike(shop, tmp_path):
    lines = shop.extract(tmp_path / "lines", stream="order_price_detail", windows=2)
    columns = shop.extract(tmp_path / "columns", stream="order_price_detail", windows=2, format="parquet")
    assert list(read_rows(columns)) == [without_nulls(row) for row in read_rows(lines)]
    assert all(pq.read_schema(path).equals(arrow_schema("order_price_detail")) for path in paths(columns))


def test_what_another_version_of_an_endpoint_sends_besides_is_kept_in_the_rest(shop, tmp_path):
    # The older version has a field that the newer one, which the schema is of, has no more.
    older = {"stream": "payments", "version": "202309"}
    lines = list(read_rows(shop.extract(tmp_path / "lines", **older)))
    columns = shop.extract(tmp_path / "columns", format="parquet", **older)
    assert list(read_rows(columns)) == [without_nulls(row) for row in lines]
    found = duckdb.execute(
        "select id, _rest->>'$.reserve_amount.value' from read_parquet($files)", {"files": paths(columns)}
    ).fetchall()
    assert dict(found) == {row["id"]: row["reserve_amount"]["value"] for row in lines}
    assert len(found) > 10


def test_duckdb_reads_them(shop, tmp_path):
    manifest = shop.extract(tmp_path, windows=3, rows_per_part=300, format="parquet")
    found = duckdb.execute(
        "select id, total, epoch(update_time_utc) from ("
        "  select id, payment.total_amount as total, update_time_utc from read_parquet($files))",
        {"files": paths(manifest)},
    ).fetchall()
    expected = {row["id"]: (row["payment"]["total_amount"], row["update_time"]) for row in read_rows(manifest)}
    assert {key: (total, int(at)) for key, total, at in found} == expected


def test_the_queries_of_the_documentation_do_what_it_says(shop, tmp_path, monkeypatch):
    day = (shop.end - shop.start) // 4
    for number in range(5):
        start = shop.start + number * day
        shop.extract(tmp_path / "lake", start, start + day, lookback=day // 2, format="parquet")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "reference" / "parquet.md").read_text()
    rest, newest = re.findall("```sql\n(.*?)```", text, re.DOTALL)
    database = duckdb.connect()
    database.execute(f"create view orders as {newest}")
    assert sorted(row[0] for row in database.execute("select id from orders").fetchall()) == ids(shop.before)
    assert database.execute(rest).fetchall() == []
    (total,) = database.execute("select sum(cast(payment.total_amount as decimal(18, 2))) from orders").fetchone()
    assert total > 0
    assert database.execute(
        "select count(*) from orders where to_timestamp(create_time) <> create_time_utc"
    ).fetchone() == (0,)


@pytest.mark.parametrize("pii", ["hash", "drop"])
def test_personal_data_is_nowhere_in_the_files(shop, tmp_path, pii):
    kept = shop.extract(tmp_path / "kept", format="parquet")
    protected = shop.extract(tmp_path / pii, format="parquet", pii=pii, pii_key="k" * 16)
    people = {row["recipient_address"]["name"] for row in read_rows(kept)} | {row["user_id"] for row in read_rows(kept)}
    assert len(people) > 20
    content = "".join(str(pq.read_table(path).to_pylist()) for path in paths(protected))
    assert not [value for value in people if value in content]
    assert ids(protected) == ids(kept)
