"""Streams: found by name, consistent in themselves, cheap to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.streams.base import Cursor, Paging, Parent, Stream


def minimal(**changes):
    facts = {
        "name": "things",
        "family": "things",
        "doc": "Get Things",
        "method": "GET",
        "path": "/thing/{version}/things",
        "version": "202309",
        "list_key": "things",
        "primary_key": ("id",),
    }
    return Stream(**facts | changes)


def test_a_stream_is_found_by_its_name():
    assert streams.get("orders").path_of() == "/order/202309/orders/search"
    assert streams.get("orders").path_of("202401") == "/order/202401/orders/search"


@pytest.mark.parametrize(
    ("typed", "hint"), [("order", "did you mean orders"), ("Orders", "orders"), ("zzz", "there are:")]
)
def test_an_unknown_name_is_answered_with_the_names_that_sound_like_it(typed, hint):
    with pytest.raises(streams.UnknownStreamError, match=hint):
        streams.get(typed)


def test_importing_streams_costs_a_dag_file_no_heavy_import():
    code = (
        "import sys, airflow_provider_tiktokshop.streams as s; s.names();"
        "print(sorted({'requests', 'orjson', 'pyarrow', 'airflow', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_extraction_loads_neither_requests_nor_airflow():
    code = (
        "import sys, airflow_provider_tiktokshop.extract;"
        "print(sorted({'requests', 'pyarrow', 'airflow', 'fsspec', 'upath'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_stream_must_be_able_to_tell_its_rows_apart_after_personal_fields_are_gone():
    cursor = Cursor(field="at", ge="at_ge", lt="at_lt", where="query")
    for fields in (("id",), ("at",), ("changed",)):
        with pytest.raises(ValueError, match="cannot be personal"):
            minimal(cursors=(cursor,), default_cursor="at", version_field="changed", personal_fields=fields)


def test_a_stream_with_cursors_names_the_one_to_use():
    cursor = Cursor(field="at", ge="at_ge", lt="at_lt", where="query")
    with pytest.raises(ValueError, match="default_cursor"):
        minimal(cursors=(cursor,))
    assert minimal(cursors=(cursor,), default_cursor="at").cursor() is cursor
    assert minimal(paging=Paging(token_in=None)).cursor() is None


def test_a_path_takes_one_parent_at_a_time():
    with pytest.raises(ValueError, match="takes one id"):
        Parent(stream="orders", field="id", param="order_id", where="path", batch=2)


def test_an_unknown_cursor_is_answered_with_those_that_there_are():
    with pytest.raises(ValueError, match="update_time, create_time"):
        streams.get("orders").cursor("paid_time")
