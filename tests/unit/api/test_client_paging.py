"""Lists, page by page, wherever an endpoint puts size, token and rows."""

from __future__ import annotations

import json

import pytest

from airflow_provider_tiktokshop.api import errors as e
from tests.support.fault_server import envelope
from tests.support.open_api import SEARCH, SHOP, assert_signed


def pages_of(*tokens, rows=2):
    return [
        envelope(data={"orders": [{"id": f"{n}{i}"} for i in range(rows)], "next_page_token": token, "total_count": 9})
        for n, token in enumerate(tokens)
    ]


def test_pages_are_read_until_no_next_one_is_named(client, server):
    server.will(*pages_of("t+1/=", "t2", ""))
    pages = list(
        client.pages(
            "POST", SEARCH, list_key="orders", params={"sort_order": "ASC"}, body={"a": 1}, page_size=2, shop=SHOP
        )
    )
    assert [[row["id"] for row in page.rows] for page in pages] == [["00", "01"], ["10", "11"], ["20", "21"]]
    assert [page.next_page_token for page in pages] == ["t+1/=", "t2", None]
    assert (pages[0].total_count, pages[0].request_id) == (9, "REQ1")
    assert [seen.query.get("page_token") for seen in server.seen] == [None, "t+1/=", "t2"]
    for seen in server.seen:
        query = assert_signed(seen)
        assert (query["page_size"], query["sort_order"], query["shop_cipher"]) == ("2", "ASC", SHOP.cipher)
        assert seen.body == b'{"a":1}'


def test_paging_goes_on_where_it_was_left(client, server):
    server.will(*pages_of(None))
    assert len(list(client.pages("POST", SEARCH, list_key="orders", page_token="t7"))) == 1
    assert server.seen[0].query["page_token"] == "t7"


@pytest.mark.parametrize("tokens", [("a", "a"), ("a", "b", "a"), ("start",)])
def test_a_page_token_that_comes_again_ends_in_an_error(client, server, tokens):
    server.will(*pages_of(*tokens))
    rows = []
    with pytest.raises(e.PagingError) as caught:
        for page in client.pages("POST", SEARCH, list_key="orders", page_token="start"):
            rows += page.rows
    assert len(server.seen) == len(tokens)
    assert len(rows) == 2 * len(tokens)
    assert caught.value.endpoint == f"POST {SEARCH}"


@pytest.mark.parametrize(
    ("token_in", "first", "second"),
    [
        ("body", {"page_size": 2, "a": 1}, {"page_size": 2, "page_token": "t", "a": 1}),
        ("body.pagination", {"a": 1, "pagination": {"page_size": 2}}, {"a": 1, "pagination": {"page_size": 2, "page_token": "t"}}),
    ],
)  # fmt: skip
def test_size_and_token_go_where_the_endpoint_takes_them(client, server, token_in, first, second):
    server.will(*pages_of("t", ""))
    assert (
        len(list(client.pages("POST", SEARCH, list_key="orders", body={"a": 1}, page_size=2, token_in=token_in))) == 2
    )
    assert [json.loads(seen.body) for seen in server.seen] == [first, second]
    assert "page_size" not in server.seen[0].query


def test_numbered_pages_end_with_the_first_that_is_not_full(client, server):
    server.will(*pages_of(None, None), *pages_of(None, rows=1))
    pages = list(
        client.pages("POST", "/product/202606/skpps/search", list_key="orders", page_size=2, token_in="page_no")
    )
    assert [json.loads(seen.body)["page_no"] for seen in server.seen] == [1, 2, 3]
    assert pages[-1].next_page_token is None


def test_an_endpoint_that_does_not_page_is_asked_once(client, server):
    server.will(envelope(data={"warehouses": [{"id": "1"}], "next_page_token": "x"}))
    pages = list(client.pages("GET", "/logistics/202309/warehouses", list_key="warehouses", token_in=None, page_size=9))
    assert len(pages) == 1
    assert "page_size" not in server.seen[0].query


@pytest.mark.parametrize(
    ("data", "list_key", "rows", "token"),
    [
        (None, "orders", [], None),
        ({}, "orders", [], None),
        ({"orders": None}, "orders", [], None),
        ({"performance": {"intervals": [{"a": 1}]}}, "performance.intervals", [{"a": 1}], None),
        ({"performance": None}, "performance.intervals", [], None),
        ({"data": {"data": [{"a": 1}], "next_page_token": "n"}}, "data.data", [{"a": 1}], "n"),
        ({"performance": {"a": 1}}, "performance", [{"a": 1}], None),
        ({"a": 1}, None, [{"a": 1}], None),
        ({}, None, [], None),
    ],
)
def test_rows_are_found_where_the_endpoint_puts_them(client, server, data, list_key, rows, token):
    server.will(envelope(data=data))
    page = client.page("GET", "/x/202309/y", list_key=list_key)
    assert (page.rows, page.next_page_token) == (rows, token)
    assert page.data == (data or {})
