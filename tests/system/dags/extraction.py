"""Extractions of two apps, and what follows them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, task

from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

# The app of an emulator with seed 41, and the first of its shops.
APP_KEY = "EMU_vwt29aadxift"
SHOP_ID = "7449251236447063043"
START = pendulum.datetime(2024, 1, 1, tz="UTC")
ALL_SHOPS = Asset("extraction_all_shops")
PARAMS = {"stream": "orders", "start": "", "end": "", "output": "/nowhere", "shop_id": ""}
TEMPLATED = {
    "stream": "{{ params.stream }}",
    "output_path": "{{ params.output }}",
    "start": "{{ params.start }}",
    "end": "{{ params.end }}",
    "lookback": 0,
}


def _end_together(context: Any, _manifest: Any = None) -> None:
    """Let the mapped tasks report their ends at the same moment, as those of shops of one size do by chance."""
    ended = Path(context["params"]["output"]) / "ended"
    ended.mkdir(parents=True, exist_ok=True)
    (ended / str(context["ti"].map_index)).touch()
    others = len(context["ti"].xcom_pull("shops"))
    deadline = time.monotonic() + 60
    while len(list(ended.iterdir())) < others:
        assert time.monotonic() < deadline, "the other shops' tasks did not end"
        time.sleep(0.01)


with DAG("extraction_mapped", schedule=None, start_date=START, params=PARAMS):

    @task
    def shops() -> list[dict[str, str]]:
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

        return TikTokShopHook("extraction").shops()

    found = shops()
    TikTokShopRotateTokenOperator(task_id="rotate", tiktokshop_conn_id="extraction") >> found
    extracted = TikTokShopExtractOperator.partial(
        task_id="extract", tiktokshop_conn_id="extraction", post_execute=_end_together, **TEMPLATED
    ).expand_kwargs(found)

    @task(outlets=[ALL_SHOPS], multiple_outputs=False)
    def all_shops(manifests: Any, *, outlet_events: Any = None) -> None:
        outlet_events[ALL_SHOPS].extra = {"manifest_paths": [manifest["manifest_path"] for manifest in manifests]}

    all_shops(extracted.output)


def _read(triggering_asset_events: Any) -> dict[str, int]:
    from airflow_provider_tiktokshop.extract import read_rows

    events = [event for events in triggering_asset_events.values() for event in events]
    return {event.extra["shop_id"]: len(list(read_rows(event.extra["manifest_path"]))) for event in events}


with DAG("extraction_follow_stream", schedule=Asset(f"tiktokshop://{APP_KEY}/orders"), start_date=START):

    @task(multiple_outputs=False)
    def load(*, triggering_asset_events: Any = None) -> dict[str, int]:
        return _read(triggering_asset_events)

    load()

with DAG(
    "extraction_follow_shop", schedule=Asset(f"tiktokshop://{APP_KEY}/orders/shop_id={SHOP_ID}"), start_date=START
):

    @task(task_id="load", multiple_outputs=False)
    def load_shop(*, triggering_asset_events: Any = None) -> dict[str, int]:
        return _read(triggering_asset_events)

    load_shop()

with DAG("extraction_follow_all", schedule=ALL_SHOPS, start_date=START):

    @task(task_id="load", multiple_outputs=False)
    def load_all(*, triggering_asset_events: Any = None) -> dict[str, int]:
        from airflow_provider_tiktokshop.extract import read_manifest, read_rows

        (event,) = triggering_asset_events[ALL_SHOPS]
        manifests = [read_manifest(path) for path in event.extra["manifest_paths"]]
        return {str(manifest.shop_id): len(list(read_rows(manifest))) for manifest in manifests}

    load_all()

with DAG("extraction_pausing", schedule=None, start_date=START, params=PARAMS):
    (
        TikTokShopRotateTokenOperator(task_id="rotate", tiktokshop_conn_id="pausing")
        >> TikTokShopExtractOperator(
            task_id="extract",
            tiktokshop_conn_id="pausing",
            shop_id="{{ params.shop_id }}",
            windows=2,
            requests_per_second=1000,
            **TEMPLATED,
        )
    )
