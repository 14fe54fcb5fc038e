"""A long period is dealt out to tasks without gap or overlap, and nonsense is refused before the first one starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tiktokshop.extract import IntervalError, OptionError, read_rows
from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.streams import UnknownStreamError
from tests.support.deployment import Deployment, context

NOW = datetime.now(UTC).replace(microsecond=0)
START, END = NOW - timedelta(days=50), NOW - timedelta(days=20)
WEEK = timedelta(days=7)


@pytest.fixture
def airflow(deployment: Callable[..., Deployment]) -> Deployment:
    """Two sellers with two shops each."""
    made = deployment()
    made.adopt_seeds()
    return made


def backfill(stream: str = "orders", start: Any = START, end: Any = END, **options: Any) -> list[dict[str, Any]]:
    return TikTokShopHook().backfill(stream, start, end, **{"chunk": WEEK} | options)


def test_each_shop_gets_the_whole_period_in_chunks_that_meet(airflow: Deployment) -> None:
    chunks = backfill()

    shops = TikTokShopHook().shops()
    assert len(chunks) == 5 * len(shops)
    for shop in shops:
        mine = [chunk for chunk in chunks if chunk["shop_id"] == shop["shop_id"]]
        edges = [(datetime.fromisoformat(chunk["start"]), datetime.fromisoformat(chunk["end"])) for chunk in mine]
        assert (edges[0][0], edges[-1][1]) == (START, END)
        assert [end for _, end in edges[:-1]] == [start for start, _ in edges[1:]]
        assert {end - start for start, end in edges[:-1]} == {WEEK}
        assert {chunk["open_id"] for chunk in mine} == {shop["open_id"]}
    # Those that are likely to run at the same time are of different shops.
    assert {chunk["shop_id"] for chunk in chunks[:4]} == {shop["shop_id"] for shop in shops}
    assert chunks == backfill()


def test_the_operator_extracts_its_chunks_and_all_of_them_are_the_period(airflow: Deployment, tmp_path: Path) -> None:
    shop_id = airflow.seller()["shops"][0]["id"]
    status = "COMPLETED"

    found: Counter[str] = Counter()
    for chunk in backfill(only=[shop_id], filters={"order_status": status}):
        task = TikTokShopExtractOperator(task_id="t", stream="orders", output_path=str(tmp_path), lookback=0, **chunk)
        rows = list(read_rows(task.execute(context())))
        assert {row["status"] for row in rows} <= {status}
        found.update(row["id"] for row in rows)

    truth = airflow.emulator.truth(shop_id, cursor="create_time", ge=int(START.timestamp()), lt=int(END.timestamp()))
    assert 0 < len(found) < len(truth)
    assert found.keys() <= {row["id"] for row in truth}
    assert set(found.values()) == {1}


@pytest.mark.parametrize(
    ("stream", "asked", "used"),
    [
        ("orders", None, "create_time"),
        ("orders", "update_time", "update_time"),
        ("order_price_detail", None, "create_time"),  # its parent's
        ("statements", None, "statement_time"),
        ("shop_performance", "", "start_date"),
    ],
)
def test_what_was_made_in_the_period_is_meant_where_the_stream_can_tell(
    airflow: Deployment, stream: str, asked: str | None, used: str
) -> None:
    assert {chunk["cursor_field"] for chunk in backfill(stream, cursor_field=asked)} == {used}


@pytest.mark.parametrize(
    ("error", "words", "options"),
    [
        (UnknownStreamError, "did you mean orders", {"stream": "order"}),
        (OptionError, "coupons only tells its present state", {"stream": "coupons"}),
        (OptionError, "inventory only tells its present state", {"stream": "inventory"}),
        (OptionError, "no cursor 'paid_time'; it has: update_time, create_time", {"cursor_field": "paid_time"}),
        (IntervalError, "is not before end", {"start": END, "end": START}),
        (IntervalError, "without a time zone", {"start": "2026-01-01"}),
        (IntervalError, "no ISO 8601 time", {"start": "yesterday"}),
        (IntervalError, "end is missing", {"end": None}),
        (IntervalError, "End it now at the latest", {"end": NOW + timedelta(hours=1)}),
        (
            IntervalError,
            "looks back 90 days",
            {"stream": "customer_service_sessions", "start": NOW - timedelta(days=91)},
        ),
        (OptionError, "chunk is empty", {"chunk": timedelta()}),
        (OptionError, "no filter 'state'", {"filters": {"state": "X"}}),
        (OptionError, "needs the filter platform", {"stream": "external_orders"}),
        (OptionError, "is called 12, 13. There are: ", {"only": ["12", "13"]}),
        (OptionError, "Nobody has authorized the app", {"stream": "affiliate_creator_orders"}),
        # 30 days by the minute for four shops; 30 days for 1024 / 4 chunks at most.
        (OptionError, "172800 tasks.*at most 1024.*at least 1 day long", {"chunk": timedelta(minutes=1)}),
        (
            OptionError,
            "at least 15 days long",
            {"start": NOW - timedelta(days=3660), "end": NOW, "chunk": timedelta(days=14)},
        ),
    ],
)
def test_nonsense_is_refused_with_what_would_work(
    airflow: Deployment, error: type[Exception], words: str, options: dict[str, Any]
) -> None:
    before = airflow.emulator.stats()["requests_total"]

    with pytest.raises(error, match=words):
        backfill(**options)

    assert airflow.emulator.stats()["requests_total"] == before


def test_a_chunk_as_long_as_the_advice_says_is_accepted(airflow: Deployment) -> None:
    chunks = backfill(start=NOW - timedelta(days=3660), end=NOW, chunk=timedelta(days=15))

    assert 4 * 3660 / 16 < len(chunks) <= 1024
