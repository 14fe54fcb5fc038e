"""Every stream's requests pass the checks of the strict emulator, and its rows hold what its declaration relies on."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.api.tokens import CategoryAsset
from airflow_provider_tiktokshop.extract import records
from airflow_provider_tiktokshop.extract.parquet import REST, Parquet
from airflow_provider_tiktokshop.extract.rows import Identity, dig

DAY = 86_400
# What only a user can know.
FILTERS = {
    "external_orders": {"platform": "SHOPIFY"},
    "trade_in_account_balances": {"currency": "GBP"},
    "engagement_task_performances": {"task_ids": ["1"]},
    "affiliate_seller_target_collaborations": {"collaboration_status": "ONGOING"},
    "affiliate_seller_target_collaboration_detail": {"collaboration_status": "ONGOING"},
    "affiliate_seller_compass_tasks": {"doc_type": "1"},
    "affiliate_creator_target_collaborations": {"shop_id": "1"},
    "shop_lives_performance": {"account_type": "OFFICIAL_ACCOUNTS"},
    "shop_live_minutes": {"account_type": "OFFICIAL_ACCOUNTS"},
    "shop_live_products": {"account_type": "OFFICIAL_ACCOUNTS"},
}


@pytest.fixture(scope="module")
def world(emulators):
    emulator = emulators.get({"orders": 40, "creators": 1, "partners": 1, "rate_limit": 1_000_000})
    clients = {}
    for user_type, user in ((0, emulator.sellers[0]), (1, emulator.creators[0]), (3, emulator.partners[0])):
        token = emulator.account(user["open_id"])["tokens"][-1]["access_token"]
        app = App(
            app_key=emulator.app_key,
            app_secret=emulator.app_secret,
            api_url=emulator.url,
            auth_url=emulator.url,
            requests_per_second=1_000_000,
        )
        clients[user_type] = TikTokShopClient(app, StaticToken(token))
    facts = emulator.sellers[0]["shops"][0]
    orders = emulator.truth(facts["id"], cursor="update_time")
    shop = Shop(facts["id"], facts["cipher"], facts["region"], "LOCAL", "X")
    return clients, shop, orders[0]["update_time"], orders[-1]["update_time"] + 1


@pytest.mark.parametrize("name", streams.names())
def test_the_emulator_accepts_what_a_stream_asks_for(world, name):
    clients, shop, start, end = world
    stream = streams.get(name)
    if stream.family == "analytics":
        start = end - 2 * DAY
    owner = shop if stream.user_type == 0 else None

    asset = None
    if stream.needs_asset_cipher:
        (first, *_) = clients[3].call("GET", "/authorization/202405/category_assets")["category_assets"]
        asset = CategoryAsset("first", first["cipher"])

    def read(stream, **filters):
        return list(records(stream, clients[stream.user_type], owner, start, end, category_asset=asset, **filters))

    filters = FILTERS.get(name, {})
    if name == "fbt_inbound_orders":
        orders = [row["order"] for row in read(streams.get("fbt_inventory_records"))]
        filters = {"order_ids": [order["id"] for order in orders if "INBOUND" in order["type"].upper()][:1]}
    rows = read(stream, **filters)
    for row in rows:
        assert all(dig(row, field) is not None for field in (*stream.primary_key, *stream.added_fields))
    fits_its_parquet_schema(stream, rows)


def fits_its_parquet_schema(stream, rows):
    """What is documented has a column, of a type that holds it: nothing is left for the column of the unknown."""
    layout, file = Parquet(stream), io.BytesIO()
    writer = layout.writer(file)
    writer.write(rows)
    writer.finish()
    assert set(pq.read_table(file, columns=[REST])[REST].to_pylist()) <= {None}
    identity = Identity(stream.primary_key, None, stream.version_field)
    for found, row in zip(layout.decode(file), rows, strict=True):
        assert identity.key(found) == identity.key(row)
        assert identity.version(found) == identity.version(row)
