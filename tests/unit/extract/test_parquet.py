"""Parquet: one schema a stream, and nothing of a row lost, whatever the service sends."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract import parquet
from airflow_provider_tiktokshop.extract.errors import OptionError
from airflow_provider_tiktokshop.extract.parquet import REST, Parquet, arrow_schema
from airflow_provider_tiktokshop.extract.personal import protector
from airflow_provider_tiktokshop.extract.rows import Identity
from airflow_provider_tiktokshop.extract.writers import format_of
from airflow_provider_tiktokshop.streams.schema import schema_of

ORDERS = Parquet(streams.get("orders"))
TIME = 1_762_171_200  # 2025-11-03T12:00:00Z


def written(rows, layout=ORDERS, page=None) -> io.BytesIO:
    file = io.BytesIO()
    writer = layout.writer(file)
    for start in range(0, len(rows), page or len(rows) or 1):
        writer.write(rows[start : start + (page or len(rows))])
    writer.finish()
    file.seek(0)
    return file


def table(rows, layout=ORDERS) -> pa.Table:
    return pq.read_table(written(rows, layout))


def cells(row, layout=ORDERS) -> dict:
    """The columns of a single row that are not null."""
    (found,) = table([row], layout).to_pylist()
    return {name: value for name, value in found.items() if value is not None}


def order(number: int, **more) -> dict:
    return {"id": str(number), "update_time": TIME + number, "create_time": TIME, "status": "COMPLETED", **more}


# What is promised of a value, written independently of how it is done: see docs/reference/parquet.md.


def promised(value, kind):
    if isinstance(kind, dict) and isinstance(value, dict):
        return {
            name: promised(inner, kind[name]) if name in kind else inner
            for name, inner in value.items()
            if not (inner is None and name in kind)
        }
    if isinstance(kind, list) and isinstance(value, list):
        return [promised(inner, kind[0]) for inner in value]
    if kind == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if kind == "int" and isinstance(value, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,18}", value):
        return int(value) if -(2**63) <= int(value) < 2**63 else value
    return value


EDGES = [2**63, 2**63 - 1, -(2**63), 2**64 - 1]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers().map(str)
    | st.sampled_from(EDGES)
    | st.sampled_from(EDGES).map(str)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
STRAY = st.sampled_from([REST, "update_time_utc", "new_field", "0", ""]) | st.text(max_size=5)


def like(kind):
    """Values of a declared type, mostly; now and then anything."""
    if isinstance(kind, dict):
        known = st.sampled_from(sorted(kind)).flatmap(lambda name: st.tuples(st.just(name), like(kind[name])))
        fitting = st.lists(known | st.tuples(STRAY, JSON), max_size=5).map(dict)
    elif isinstance(kind, list):
        fitting = st.lists(like(kind[0]), max_size=3)
    else:
        fitting = {"string": st.text(max_size=5), "int": st.integers(-(2**63), 2**63 - 1), "bool": st.booleans()}[kind]
    return st.one_of(fitting, fitting, fitting, JSON)


def rows_like(fields):
    known = st.sampled_from(sorted(fields)).flatmap(lambda name: st.tuples(st.just(name), like(fields[name])))
    return st.lists(st.lists(known | st.tuples(STRAY, JSON), max_size=6).map(dict), max_size=4)


@pytest.mark.parametrize(
    "name", ["orders", "returns", "statement_transactions", "products", "trade_in_account_transactions"]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_value_is_lost_whatever_its_type_and_whoever_declared_it(name, data):
    layout, fields = Parquet(streams.get(name)), schema_of(streams.get(name))
    rows = data.draw(rows_like(fields))
    file = written(rows, layout)
    assert pq.read_schema(file).equals(arrow_schema(name), check_metadata=True)
    found = list(layout.decode(file))
    # As text: to Python 1, 1.0 and True are equal.
    assert [orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in found] == [
        orjson.dumps(promised(row, fields), option=orjson.OPT_SORT_KEYS) for row in rows
    ]
    assert written(found, layout).getvalue() == file.getvalue()


def test_a_time_with_a_fraction_is_the_same_time_as_text():
    layout = Parquet(streams.get("trade_in_account_transactions"))
    once = written([{"create_time": 0.0}, {"create_time": 1.7e9}, {"create_time": float("inf")}], layout)
    again = written(list(layout.decode(once)), layout)
    assert again.getvalue() == once.getvalue()
    assert pq.read_table(once)["create_time_utc"].to_pylist()[1].timestamp() == 1.7e9


ODD = [2**63, 2**64 - 1, -(2**63), 2**63 - 1, 0, -1, 1.0, 1e22, 0.1, True, False, [], {}, [None], {"": None}, "true"]
ODD += [
    "",
    "-",
    "--1",
    "-0",
    "007",
    "+1",
    "1_0",
    " 1",
    "١",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
]


@pytest.mark.parametrize("field", ["id", "update_time", "is_cod", "payment", "line_items"])
def test_odd_values_in_every_kind_of_column_are_kept(field):
    fields = schema_of(streams.get("orders"))
    rows = [{field: value} for value in ODD]
    found = [row.get(field) for row in ORDERS.decode(written(rows))]
    assert [repr(value) for value in found] == [repr(promised(value, fields[field])) for value in ODD]


@pytest.mark.parametrize("name", streams.names())
def test_every_stream_has_a_schema(name):
    stream = streams.get(name)
    schema = arrow_schema(name)
    times = {cursor.field for cursor in stream.cursors if cursor.kind != "date"} | {stream.version_field} - {None}
    stamps = {field.name for field in schema if pa.types.is_timestamp(field.type)}
    assert stamps == {f"{name}_utc" for name in times}
    assert set(schema_of(stream)) | times | stamps | {REST} == set(schema.names)
    assert len(set(schema.names)) == len(schema.names)


def test_columns_have_the_declared_types():
    schema = arrow_schema("orders")
    assert schema.field("id").type == pa.string()
    assert schema.field("update_time").type == pa.int64()
    assert schema.field("update_time_utc").type == pa.timestamp("ms", "UTC")
    assert schema.field("payment").type.field("total_amount").type == pa.string()
    assert schema.field("line_items").type.value_type.field("is_gift").type == pa.bool_()
    assert schema.field(REST).type == pa.string()
    assert schema.names[-3:] == ["update_time_utc", "create_time_utc", REST]


def test_the_schema_is_in_the_file_whatever_its_rows_hold():
    for rows in ([], [{"id": "1"}], [order(1, line_items=[], new=[{"a": 1}])], [{"id": 1, "payment": "free"}]):
        assert pq.read_schema(written(rows)).equals(arrow_schema("orders"), check_metadata=True)


def test_the_interval_is_told_in_utc_too():
    found = cells(order(5))
    assert found["update_time"] == TIME + 5
    assert found["update_time_utc"] == datetime(2025, 11, 3, 12, 0, 5, tzinfo=UTC)
    assert found["create_time_utc"] == datetime(2025, 11, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize("sent", [str(TIME), "2025-11-03T12:00:00Z", "2025-11-03T20:00:00+08:00"])
def test_times_that_come_as_text_are_told_in_utc_as_well(sent):
    layout = Parquet(streams.get("trade_in_account_transactions"))
    found = cells({"id": "1", "create_time": sent}, layout)
    assert found["create_time"] == sent
    assert found["create_time_utc"] == datetime(2025, 11, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize("sent", [None, "soon", 10**15, -(10**15), True, [TIME]])
def test_what_is_no_time_is_null_in_utc_and_kept_where_it_is(sent):
    found = cells({"id": "1", "update_time": sent})
    assert "update_time_utc" not in found
    (row,) = ORDERS.decode(written([{"id": "1", "update_time": sent}]))
    assert row.get("update_time") == sent


def test_days_are_not_moments():
    assert not [name for name in arrow_schema("shop_performance").names if name.endswith("_utc")]
    assert arrow_schema("shop_performance").field("start_date").type == pa.string()


def test_ids_and_amounts_stay_text_also_when_they_are_sent_as_numbers():
    found = cells(order(1, id=576_000_000_000_021_984, payment={"total_amount": 12.5, "tax": 3}))
    assert found["id"] == "576000000000021984"
    assert (found["payment"]["total_amount"], found["payment"]["tax"]) == ("12.5", "3")
    assert REST not in found


def test_what_no_column_holds_stands_in_the_rest_where_it_was():
    found = cells(
        order(
            1,
            status={"code": 3},
            payment={"currency": "GBP", "new_fee": "0.10"},
            line_items=[{"id": "a"}, {"id": "b", "wrap": True}, "gone"],
            new_field=[1, None],
        )
    )
    assert "status" not in found
    assert found["payment"]["currency"] == "GBP"
    assert [item and item["id"] for item in found["line_items"]] == ["a", "b", None]
    assert json.loads(found[REST]) == {
        "status": {"code": 3},
        "payment": {"new_fee": "0.10"},
        "line_items": {"1": {"wrap": True}, "2": "gone"},
        "new_field": [1, None],
    }


@pytest.mark.parametrize("sent", [{"id": 7, "update_time": str(TIME)}, {"id": True}, {"id": 0.5}, {"id": {"x": 1}}])
def test_a_row_read_back_has_the_key_and_version_it_had(sent):
    identity = Identity(("id",), "update_time")
    both = Identity(("id", "status"), "update_time")
    sent = order(1, **sent)
    (found,) = ORDERS.decode(written([sent]))
    assert identity.key(found) == identity.key(sent)
    assert both.key(found) == both.key(sent)
    assert identity.version(found) == identity.version(sent)
    assert identity.cursor(found) == identity.cursor(sent)


@pytest.mark.parametrize("page", [1, 7, 100, 450])
def test_the_same_rows_are_the_same_bytes_however_they_were_paged(page):
    rows = [order(n, buyer_message=f"{n} " * 40) for n in range(450)]
    assert written(rows, page=page).getvalue() == written(rows).getvalue()


def test_a_part_without_some_rows_is_the_part_that_never_had_them(monkeypatch):
    monkeypatch.setattr(parquet, "_ROW_GROUP", 200_000)
    rows = [order(n, extra=n, line_items=[{"id": str(n), "new": n}]) for n in range(1000)]
    dropped = {0, 199, 200, 640, 999}
    into = io.BytesIO()
    ORDERS.without(written(rows), dropped, into)
    assert into.getvalue() == written([row for n, row in enumerate(rows) if n not in dropped]).getvalue()


def test_a_row_group_ends_by_its_bytes_so_that_memory_is_bounded():
    rows = [order(n, buyer_message="x" * 4_000 + str(n)) for n in range(2000)]
    metadata = pq.read_metadata(written(rows, page=100))
    groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert groups == [400] * 5  # of 4 kB each: two steps of 200 rows pass 1 MiB
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_personal_data_is_hashed_or_gone_before_it_is_written():
    fields = streams.get("orders").personal_fields
    secret = "Anna Lind"
    for pii in ("hash", "drop"):
        row = order(1, buyer_nickname=secret, recipient_address={"name": secret, "region_code": "GB"})
        protector(pii, fields, "k" * 16)(row)
        content = written([row]).getvalue()
        (found,) = pq.read_table(io.BytesIO(content)).to_pylist()
        assert secret.encode() not in content
        assert found["recipient_address"]["region_code"] == "GB"
        assert bool(found["recipient_address"]["name"]) == bool(found["buyer_nickname"]) == (pii == "hash")


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_writer_that_is_let_go_of_leaves_its_file_alone():
    file = io.BytesIO()
    writer = ORDERS.writer(file)
    writer.write([order(n) for n in range(400)])
    writer._end_group()
    file.close()
    del writer
    gc.collect()


def test_the_file_stays_open():
    file = written([order(1)])
    assert list(ORDERS.decode(file)) == [order(1)]
    gc.collect()
    assert not file.closed


def test_without_pyarrow_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OptionError, match=re.escape("airflow-provider-tiktokshop[parquet]")):
        format_of("parquet", streams.get("orders"))


def test_a_stream_of_the_users_own_has_no_schema():
    from dataclasses import replace

    with pytest.raises(OptionError, match="Nothing is known about the rows of stream mine"):
        format_of("parquet", replace(streams.get("orders"), name="mine"))


def test_pyarrow_is_loaded_by_nobody_who_does_not_write_parquet():
    code = (
        "import sys, airflow_provider_tiktokshop.extract, airflow_provider_tiktokshop.extract.parquet\n"
        "from airflow_provider_tiktokshop.extract.writers import format_of\n"
        "format_of('jsonl.gz')\n"
        "sys.exit('pyarrow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pandas_is_not_loaded_where_there_is_one(tmp_path):
    # Its 45 MB are what pyarrow takes along when it turns Python's values into its own.
    (tmp_path / "pandas.py").write_text("raise SystemExit('somebody imports pandas')")
    code = (
        "import io\n"
        "from airflow_provider_tiktokshop import streams\n"
        "from airflow_provider_tiktokshop.extract.parquet import Parquet\n"
        "parquet, file = Parquet(streams.get('orders')), io.BytesIO()\n"
        "writer = parquet.writer(file)\n"
        "writer.write([{'id': str(number), 'update_time': number} for number in range(500)])\n"
        "writer.finish()\n"
        "file.seek(0)\n"
        "print(len(list(parquet.decode(file))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "500", done.stderr
