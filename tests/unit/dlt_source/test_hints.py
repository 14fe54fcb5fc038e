"""What dlt is told of each stream's table before the first row."""

from __future__ import annotations

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.dlt_source.hints import READ_AT, REMOVED, nothing_left, table_hints
from airflow_provider_tiktokshop.dlt_source.owners import shop_column


def hints(name, *, owner=("shop_id",), snapshot=False, pii="keep", max_table_nesting=None):
    return table_hints(streams.get(name), owner, snapshot=snapshot, pii=pii, max_table_nesting=max_table_nesting)


def all_columns(found):
    tables = {(): found["columns"]} | {path: table["columns"] for path, table in found["nested_hints"].items()}
    return {(*path, column) for path, columns in tables.items() for column in columns}


@pytest.mark.parametrize("name", streams.names())
def test_every_stream_has_its_key_and_what_tells_its_newest_version_among_its_columns(name):
    stream = streams.get(name)
    found = hints(name, owner=(shop_column(stream),))
    assert set(found["primary_key"]) <= found["columns"].keys()
    assert len(set(found["primary_key"])) == len(found["primary_key"])
    sorts = [column for column, hint in found["columns"].items() if "dedup_sort" in hint]
    assert sorts == [stream.version_field or READ_AT]
    assert found["columns"][sorts[0]]["data_type"] in {"bigint", "timestamp"}
    assert (READ_AT in found["columns"]) == (stream.version_field is None)


@pytest.mark.parametrize("name", streams.names())
def test_the_row_that_stands_for_none_has_a_whole_key(name):
    stream = streams.get(name)
    column = shop_column(stream)
    row = nothing_left(stream, {column: "7"})
    found = hints(name, owner=(column,), snapshot=True)
    assert row.keys() == {*found["primary_key"], REMOVED}
    assert row[column] == "7"
    assert None not in row.values()
    assert found["merge_key"] == [column]


@pytest.mark.parametrize("name", [name for name in streams.names() if streams.get(name).personal_fields])
def test_a_dropped_field_has_no_column_and_a_hashed_one_is_text(name):
    stream = streams.get(name)
    kept, hashed, dropped = (hints(name, pii=pii) for pii in ("keep", "hash", "drop"))
    assert all_columns(hashed) == all_columns(kept)
    assert all_columns(dropped) <= all_columns(kept)
    flat = {"__".join(path.split(".")) for path in stream.personal_fields}
    assert not flat & dropped["columns"].keys()
    assert {hashed["columns"][column]["data_type"] for column in flat & hashed["columns"].keys()} <= {"text"}


def test_what_is_personal_inside_a_list_is_dropped_there():
    path = ("recipient_address", "district_info")
    assert "address_name" in hints("orders")["nested_hints"][path]["columns"]
    assert "address_name" not in hints("orders", pii="drop")["nested_hints"][path]["columns"]


def test_a_shop_that_is_another_ones_keeps_its_column():
    assert shop_column(streams.get("bestselling_products")) == "seller_shop_id"
    assert shop_column(streams.get("replicated_products")) == "seller_shop_id"
    # That of the row is the shop's own.
    assert shop_column(streams.get("shop_score_overview")) == "shop_id"
    assert hints("shop_score_overview")["primary_key"] == ["shop_id"]


def test_keys_inside_objects_are_named_as_the_flattened_columns():
    assert hints("fbt_inventory")["primary_key"] == ["shop_id", "goods__id", "fbt_warehouse_id"]


def test_ids_and_money_are_text_and_times_are_whole_numbers():
    columns = hints("orders")["columns"]
    assert {columns[name]["data_type"] for name in ("shop_id", "id", "payment__total_amount")} == {"text"}
    assert columns["update_time"]["data_type"] == "bigint"
    assert columns["is_cod"]["data_type"] == "bool"


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_what_is_deeper_than_asked_for_is_json(levels):
    found = hints("orders", max_table_nesting=levels)
    columns = found["columns"]
    if levels == 0:
        assert columns["payment"]["data_type"] == columns["line_items"]["data_type"] == "json"
        assert found["nested_hints"] == {}
        return
    assert columns["payment__total_amount"]["data_type"] == "text"
    items = found["nested_hints"][("line_items",)]["columns"]
    assert ("item_tax" in items) == (levels == 1)
    assert (("line_items", "item_tax") in found["nested_hints"]) == (levels == 2)
    districts = ("recipient_address", "district_info")
    assert (districts in found["nested_hints"]) == (levels == 2)
    assert ("recipient_address__district_info" in columns) == (levels == 1)
