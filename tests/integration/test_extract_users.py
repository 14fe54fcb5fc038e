"""Hook and operator read what belongs to a shop, a seller, a creator or a partner, whichever the stream takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tiktokshop.compat import AirflowFailException
from airflow_provider_tiktokshop.extract import read_rows
from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
from airflow_provider_tiktokshop.hooks.wiring import wire
from airflow_provider_tiktokshop.operators.extract import ASSET_ALIAS, TikTokShopExtractOperator
from tests.support.deployment import Deployment, context, events_of

NOW = datetime.now(UTC)


@pytest.fixture
def airflow(deployment: Callable[..., Deployment]) -> Deployment:
    """One seller with two shops, one creator and one partner, all authorized."""
    made = deployment(sellers=1, creators=1, partners=1)
    made.adopt_seeds()
    pages = {"creator": "alliance/creator/auth", "partner": "open/authorize"}
    for kind, users in (("creator", made.emulator.creators), ("partner", made.emulator.partners)):
        made.connect(authorize_url=f"{made.emulator.url}/{pages[kind]}")
        flow = wire("tiktokshop_default").flow()
        link = flow.begin(kind)
        flow.finish(made.emulator.consent(link.url, users[0]["open_id"]), source="cli", state=link.state)
    made.connect()
    made.rotate()
    return made


def extraction(stream: str, output: Path, **options: Any) -> TikTokShopExtractOperator:
    values = {
        "start": (NOW - timedelta(days=30)).isoformat(),
        "end": (NOW - timedelta(minutes=10)).isoformat(),
    } | options
    return TikTokShopExtractOperator(task_id="extract", stream=stream, output_path=str(output), **values)


def test_the_operator_is_mapped_over_whoever_a_stream_belongs_to(airflow: Deployment, tmp_path: Path) -> None:
    hook = TikTokShopHook()
    seller, creator, partner = (
        users[0] for users in (airflow.emulator.sellers, airflow.emulator.creators, airflow.emulator.partners)
    )
    assert hook.targets("orders") == hook.shops()
    assert hook.targets("order_detail") == hook.shops()
    assert hook.targets("global_warehouses") == [{"open_id": seller["open_id"]}]
    assert hook.targets("affiliate_creator_orders") == [{"open_id": creator["open_id"]}]
    assets = hook.targets("affiliate_partner_campaigns")
    assert {target["open_id"] for target in assets} == {partner["open_id"]}
    assert len(assets) == 2

    for stream in ("global_warehouses", "affiliate_creator_orders", "affiliate_partner_campaigns"):
        for target in hook.targets(stream):
            run = context()
            manifest = extraction(stream, tmp_path, **target).execute(run)
            (uri,) = (uri for alias, uri, _ in events_of(run) if alias == ASSET_ALIAS)
            steps = uri.removeprefix(f"tiktokshop://{airflow.emulator.app_key}/")
            assert steps.startswith(f"{stream}/open_id=")
            assert f"/{steps}/start=" in manifest["manifest_path"]
            assert manifest["rows"] == len(list(read_rows(manifest))) > 0
            assert (manifest["shop_id"], manifest["open_id"]) == (None, target["open_id"])
            assert manifest["category_asset"] == target.get("category_asset")
    assert len(list(tmp_path.rglob("manifest.json"))) == 4


def test_a_partner_who_left_unnoticed_is_left_out_of_the_targets(airflow: Deployment) -> None:
    airflow.emulator.account(airflow.emulator.partners[0]["open_id"], deauthorize=True)

    assert TikTokShopHook().targets("affiliate_partner_campaigns") == []
    assert TikTokShopHook().targets("affiliate_creator_orders") != []


def test_an_authorization_of_the_wrong_kind_fails_for_good_and_says_which_is_wanted(
    airflow: Deployment, tmp_path: Path
) -> None:
    open_id = airflow.emulator.creators[0]["open_id"]
    with pytest.raises(AirflowFailException, match=f"of a seller; open_id {open_id} is a creator"):
        extraction("orders", tmp_path, open_id=open_id).execute(context())


def test_a_partner_with_several_markets_is_asked_which(airflow: Deployment, tmp_path: Path) -> None:
    open_id = airflow.emulator.partners[0]["open_id"]
    with pytest.raises(AirflowFailException, match=r"covers 2 category assets.*one of: GB-\d+, US-\d+"):
        extraction("affiliate_partner_campaigns", tmp_path, open_id=open_id).execute(context())


def test_records_of_a_creator_need_no_shop(airflow: Deployment) -> None:
    hook = TikTokShopHook(open_id=airflow.emulator.creators[0]["open_id"])
    assert len(list(hook.records("affiliate_creator_profile", NOW - timedelta(days=1), NOW - timedelta(hours=1)))) == 1


def test_the_version_of_an_endpoint_can_be_named_for_a_run(airflow: Deployment, tmp_path: Path) -> None:
    shop_id = airflow.seller()["shops"][0]["id"]
    manifest = extraction("returns", tmp_path, shop_id=shop_id, version="202309").execute(context())
    assert manifest["endpoint"] == "POST /return_refund/202309/returns/search"
    assert manifest["options"]["version"] == "202309"
