"""How a large app's sellers are dealt out to mapped tasks."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tiktokshop.auth.records import Authorization, Status, TokenPair
from airflow_provider_tiktokshop.hooks.chunks import chunk_open_ids
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

NOW = 1_800_000_000


def authorization(number: int, status: Status = Status.FRESH, **changes: Any) -> Authorization:
    values: dict[str, Any] = {
        "app_key": "k",
        "issuer": "i",
        "id": f"{number:016x}",
        "open_id": f"open-{number}",
        "status": status,
        "verified": True,
        "pair": TokenPair("A", NOW + number * 60, "R"),
    }
    return Authorization(**(values | changes))


@given(st.integers(0, 300), st.integers(1, 60), st.integers(1, 40))
def test_everybody_alive_is_in_one_list_the_most_urgent_first(number: int, size: int, limit: int) -> None:
    held = [authorization(n, Status.REVOKED if n % 7 == 3 else Status.STALE) for n in range(number)]
    random.Random(number).shuffle(held)

    chunks = chunk_open_ids(held, size=size, limit=limit)

    alive = [f"open-{n}" for n in range(number) if n % 7 != 3]
    assert [open_id for chunk in chunks for open_id in chunk] == alive
    assert len(chunks) <= limit
    assert all(chunks)
    if len(alive) <= size * limit:
        assert all(len(chunk) <= size for chunk in chunks)


def test_ten_thousand_sellers_make_two_hundred_tasks() -> None:
    assert len(chunk_open_ids([authorization(n) for n in range(10_000)], size=50, limit=1024)) == 200


def test_the_one_whose_expiry_is_unknown_comes_first() -> None:
    held = [authorization(1), authorization(2, pair=None)]

    assert chunk_open_ids(held, size=50, limit=10) == [["open-2", "open-1"]]


def test_only_those_in_order_are_left_out_when_asked() -> None:
    held = [
        authorization(1),
        authorization(2, Status.STALE),
        authorization(3, Status.EXPIRED),
        authorization(4, verified=False),
        authorization(5, rotating=True),
        authorization(6, deauthorization_noticed=True),
        authorization(7, last_error={"code": 1}),
        authorization(8, expires_soon=True),
    ]

    (chunk,) = chunk_open_ids(held, size=50, limit=10, only_due=True)

    assert chunk == [f"open-{n}" for n in range(2, 9)]


def test_one_line_in_a_dag_makes_both_tasks() -> None:
    with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        TikTokShopRotateTokenOperator.in_chunks(task_id="rotate", tiktokshop_conn_id="my_app")

    rotate = dag.get_task("rotate")
    assert rotate.is_mapped
    assert rotate.upstream_task_ids == {"rotate_chunks"}
    assert (rotate.retries, rotate.max_active_tis_per_dag) == (0, 1)
    assert rotate.partial_kwargs["tiktokshop_conn_id"] == "my_app"
