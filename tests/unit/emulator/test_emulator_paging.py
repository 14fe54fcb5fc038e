from __future__ import annotations

import pytest


def shop_id(caller):
    return caller.emulator.sellers[0]["shops"][0]["id"]


def ids(rows):
    return [row["id"] for row in rows]


def middle(caller, cursor):
    truth = caller.emulator.truth(shop_id(caller), cursor=cursor)
    return truth[40][cursor], truth[-40][cursor]


@pytest.mark.parametrize("mode", ["keyset", "offset", "snapshot"])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("cursor", ["create_time", "update_time"])
@pytest.mark.parametrize("size", [7, 50, 100])
def test_paging_returns_every_row_of_the_window_once_and_in_order(caller, mode, order, cursor, size):
    caller.emulator.settings(page_tokens=mode)
    start, end = middle(caller, cursor)
    query = {"page_size": size, "sort_field": cursor, "sort_order": order}
    rows = caller.all_rows(query, {f"{cursor}_ge": start, f"{cursor}_lt": end})
    truth = ids(caller.emulator.truth(shop_id(caller), cursor=cursor, ge=start, lt=end))
    assert 100 < len(truth) < 200
    assert ids(rows) == (truth if order == "ASC" else truth[::-1])


@pytest.mark.parametrize("cursor", ["create_time", "update_time"])
def test_the_rows_of_several_windows_are_those_of_one(caller, cursor):
    truth = caller.emulator.truth(shop_id(caller), cursor=cursor)
    first, last = truth[0][cursor], truth[-1][cursor] + 1
    edges = [first + (last - first) * place // 7 for place in range(7)] + [last]
    rows = []
    for start, end in zip(edges, edges[1:], strict=False):
        query = {"page_size": 13, "sort_field": cursor, "sort_order": "ASC"}
        rows += caller.all_rows(query, {f"{cursor}_ge": start, f"{cursor}_lt": end})
    assert ids(rows) == ids(truth)


def test_a_window_includes_its_start_and_excludes_its_end(caller):
    truth = caller.emulator.truth(shop_id(caller), cursor="create_time")
    moment = truth[100]["create_time"]
    at_start = ids(caller.all_rows(body={"create_time_ge": moment, "create_time_lt": moment + 1}))
    assert truth[100]["id"] in at_start
    assert caller.all_rows(body={"create_time_ge": moment - 1, "create_time_lt": moment}) == []


def test_with_only_a_start_the_window_ends_now_and_with_only_an_end_it_starts_with_the_shop(caller):
    assert len(caller.all_rows(body={"update_time_ge": 0})) == 230
    assert len(caller.all_rows(body={"create_time_lt": 2_000_000_000})) == 230
    # Rows of this very second are not before now.
    caller.emulator.orders(shop_id(caller), add=2)
    caller.emulator.settings(check_timestamp=False)
    caller.emulator.clock(advance=-100)
    assert len(caller.all_rows(body={"create_time_ge": 0})) == 230
    assert len(caller.all_rows()) == 232


def test_the_default_is_by_create_time_newest_first(caller):
    truth = caller.emulator.truth(shop_id(caller), cursor="create_time")
    assert ids(caller.all_rows()) == ids(truth)[::-1]


def test_total_count_and_the_last_page(caller):
    first = caller.search({"page_size": 100}).data
    assert first["total_count"] == 230
    second = caller.search({"page_size": 100, "page_token": first["next_page_token"]}).data
    third = caller.search({"page_size": 100, "page_token": second["next_page_token"]}).data
    assert [len(page["orders"]) for page in (first, second, third)] == [100, 100, 30]
    assert third["next_page_token"] == ""
    caller.emulator.settings(last_page="no_token")
    assert "next_page_token" not in caller.search({"page_size": 100, "page_token": second["next_page_token"]}).data


def test_an_empty_result_has_no_list_unless_so_switched(caller):
    body = {"create_time_lt": 10}
    assert caller.search(body=body).data == {"next_page_token": "", "total_count": 0}
    caller.emulator.settings(empty_list="array")
    assert caller.search(body=body).data["orders"] == []


@pytest.mark.parametrize(
    ("query", "body", "shop"),
    [
        ({"page_size": 11}, {"create_time_ge": 5}, 0),
        ({"sort_order": "ASC"}, {"create_time_ge": 5}, 0),
        ({"sort_field": "update_time"}, {"create_time_ge": 5}, 0),
        ({}, {"create_time_ge": 6}, 0),
        ({}, None, 0),
        ({}, {"create_time_ge": 5, "order_status": "COMPLETED"}, 0),
        ({}, {"create_time_ge": 5}, 1),
    ],
)
def test_a_page_token_is_refused_with_other_parameters_than_its_own(caller, query, body, shop):
    token = caller.search({"page_size": 10}, {"create_time_ge": 5}).data["next_page_token"]
    assert caller.search({"page_size": 10, "page_token": token}, {"create_time_ge": 5}).code == 0
    answer = caller.search({"page_size": 10, **query, "page_token": token}, body, shop=shop)
    assert (answer.code, answer.status) == (36009004, 400)
    assert "'page_token'" in answer.json["message"]


def test_page_tokens_need_percent_encoding_and_cannot_be_forged(caller):
    token = caller.search().data["next_page_token"]
    assert {"+", "/", "="} <= set(token)
    forged = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    assert caller.search({"page_token": forged}).code == 36009004


def test_page_tokens_can_expire(caller):
    caller.emulator.settings(page_token_ttl=60, check_timestamp=False)
    token = caller.search().data["next_page_token"]
    assert caller.search({"page_token": token}).code == 0
    caller.emulator.clock(advance=61)
    answer = caller.search({"page_token": token})
    assert answer.code == 36009004
    assert "expired" in answer.json["message"]


def read_while_touched(caller, mode, order="ASC"):
    """Return the ids read, and what the window held before, while every page touches rows behind the reader's back."""
    truth = caller.emulator.truth(shop_id(caller))
    window = {"update_time_ge": truth[0]["update_time"], "update_time_lt": truth[-1]["update_time"] + 1}
    caller.emulator.settings(page_tokens=mode, touch_every_pages=1, touch_rows=5)
    rows = caller.all_rows({"page_size": 20, "sort_field": "update_time", "sort_order": order}, window)
    caller.emulator.settings(touch_every_pages=0)
    touched = {row["id"] for row in caller.emulator.truth(shop_id(caller), ge=window["update_time_lt"])}
    assert touched
    return rows, set(ids(truth)), touched, window


def test_keyset_pages_lose_only_rows_that_left_the_window(caller):
    rows, before, touched, _window = read_while_touched(caller, "keyset")
    assert len(set(ids(rows))) == len(rows)
    assert before - set(ids(rows)) <= touched
    assert before - set(ids(rows))


def test_offset_pages_lose_rows_that_never_moved(caller):
    rows, before, touched, _window = read_while_touched(caller, "offset")
    assert before - set(ids(rows)) - touched


def test_snapshot_pages_return_rows_with_times_outside_of_the_window(caller):
    rows, before, touched, window = read_while_touched(caller, "snapshot")
    assert set(ids(rows)) == before
    outside = {row["id"] for row in rows if row["update_time"] >= window["update_time_lt"]}
    assert outside
    assert outside <= touched


def test_reading_a_window_again_finds_the_rows_that_moved_on(caller):
    rows, before, touched, window = read_while_touched(caller, "keyset")
    later = caller.all_rows(body={"update_time_ge": window["update_time_lt"], "update_time_lt": 2**33})
    assert set(ids(later)) == touched
    assert set(ids(rows)) | set(ids(later)) == before
