"""Hook, operators and commands against a running emulator, with a token store that outlives each of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetAlias
from airflow.sdk.exceptions import AirflowException, TaskDeferred

from airflow_provider_tiktokshop.api.errors import ConfigurationError, SignatureRefused
from airflow_provider_tiktokshop.auth.reader import AmbiguousAuthorization, AuthorizationNotFound, AuthorizationUnusable
from airflow_provider_tiktokshop.auth.records import authorization_id
from airflow_provider_tiktokshop.cli.main import main
from airflow_provider_tiktokshop.compat import AirflowFailException
from airflow_provider_tiktokshop.extract import read_rows
from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
from airflow_provider_tiktokshop.operators.api import TikTokShopApiOperator
from airflow_provider_tiktokshop.operators.extract import ASSET_ALIAS as EXTRACTED
from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from airflow_provider_tiktokshop.operators.rotate_token import ASSET_ALIAS, TikTokShopRotateTokenOperator
from tests.support.deployment import CONN, Deployment, context, events_of
from tests.support.shared_store import BROKEN, STORE
from tests.support.waiting import wait_until

DAY = 86_400


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {one["open_id"]: one["outcome"] for one in report["results"]}


# -- hook ------------------------------------------------------------------------------------------------------------------


def test_every_shop_is_listed_once_ready_for_expand_kwargs(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment()
    airflow.adopt_seeds()

    shops = TikTokShopHook().shops()

    expected = {(seller["open_id"], shop["id"]) for seller in airflow.emulator.sellers for shop in seller["shops"]}
    assert {(shop["open_id"], shop["shop_id"]) for shop in shops} == expected
    assert len(shops) == 4
    assert [shop["shop_id"] for shop in shops] == sorted(shop["shop_id"] for shop in shops)


def test_shops_of_sellers_who_must_authorize_again_are_left_out_unless_asked_for(
    deployment: Callable[..., Deployment],
) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    airflow.emulator.account(airflow.seller(0)["open_id"], deauthorize=True)
    with pytest.raises(AirflowException):
        airflow.rotate(force=True)

    assert {shop["open_id"] for shop in TikTokShopHook().shops()} == {airflow.seller(1)["open_id"]}
    assert len(TikTokShopHook().shops(include_dead=True)) == 4


def test_one_whose_shops_are_not_known_yet_and_who_is_already_refused_leaves_the_others_shops_listed(
    deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    gone, stayed = airflow.seller(0), airflow.seller(1)
    # When the consent cannot look up the shops, the next rotation does; until then they must be asked for.
    airflow.connect(authorize_url=f"{airflow.emulator.url}/open/authorize")
    airflow.emulator.faults({"match": "/authorization/202309/shops", "kind": "code:105001", "times": None})
    airflow.consent(gone["open_id"])
    airflow.emulator.faults()
    airflow.emulator.account(gone["open_id"], deauthorize=True)

    assert {shop["open_id"] for shop in TikTokShopHook().shops()} == {stayed["open_id"]}
    assert f"Leaving out open_id {gone['open_id']}: TikTok Shop refuses the access token" in capsys.readouterr().out

    airflow.emulator.faults({"match": "/authorization/202309/shops", "kind": "code:106001", "times": None})
    with pytest.raises(SignatureRefused):
        TikTokShopHook().shops()


def test_a_shop_whose_token_has_merely_expired_is_not_left_out(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(access_ttl=1, sellers=1)
    airflow.connect(refresh_token=airflow.seller()["refresh_token"])
    with pytest.raises(AirflowException):
        airflow.rotate()
    (held,) = TikTokShopHook().authorizations()
    wait_for(lambda: TikTokShopHook().authorizations()[0]["status"] == "expired")

    assert {shop["open_id"] for shop in TikTokShopHook().shops()} == {held["open_id"]}


def test_the_metadata_of_authorizations_holds_no_secret(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment()
    airflow.adopt_seeds()

    told = json.dumps(TikTokShopHook().authorizations())

    assert airflow.seller(0)["open_id"] in told
    assert not [secret for secret in airflow.secrets() if secret in told]
    assert not [s for seller in airflow.emulator.sellers for s in seller["shops"] if s["cipher"] in told]


def test_with_one_shop_named_the_hook_finds_its_seller_and_sends_its_cipher(
    deployment: Callable[..., Deployment],
) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    shop = airflow.seller(1)["shops"][1]

    data = TikTokShopHook(shop_id=shop["id"]).call("POST", "/order/202309/orders/search", {"page_size": 1})

    assert data["total_count"] == 50
    told = TikTokShopHook(shop_id=shop["id"]).call("GET", "/authorization/202309/shops")
    assert shop["id"] in {one["id"] for one in told["shops"]}


def test_without_a_name_among_several_the_hook_asks_for_one(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment()
    airflow.adopt_seeds()

    with pytest.raises(AmbiguousAuthorization):
        TikTokShopHook().get_conn()
    with pytest.raises(AmbiguousAuthorization, match=airflow.seller()["shops"][0]["id"]):
        TikTokShopHook(open_id=airflow.seller()["open_id"]).shop()
    with pytest.raises(AuthorizationNotFound):
        TikTokShopHook(shop_id="1").get_conn()


def test_a_shop_that_the_seller_added_since_the_last_rotation_is_found(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    first, second = airflow.seller()["shops"]
    airflow.connect(refresh_token=airflow.seller()["refresh_token"])
    airflow.emulator.account(airflow.seller()["open_id"], shop_ids=[first["id"]])
    airflow.rotate()
    airflow.emulator.account(airflow.seller()["open_id"], shop_ids=[first["id"], second["id"]])

    hook = TikTokShopHook(open_id=airflow.seller()["open_id"], shop_id=second["id"])

    # find() knows what the record knows: the seller is named, so it is the service that decides about the shop.
    with pytest.raises(AuthorizationNotFound):
        hook.shop()
    airflow.rotate(force=True)
    assert TikTokShopHook(open_id=airflow.seller()["open_id"], shop_id=second["id"]).shop().id == second["id"]


def test_the_access_token_is_the_one_that_the_service_takes(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    token = TikTokShopHook().get_access_token()

    assert token in airflow.secrets()
    airflow.rotate(force=True)
    assert TikTokShopHook().get_access_token() != token


def test_records_come_one_by_one(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    shop_id = airflow.seller()["shops"][0]["id"]
    truth = airflow.emulator.truth(shop_id)
    start, end = truth[0]["update_time"], truth[-1]["update_time"]

    rows = TikTokShopHook(shop_id=shop_id).records("orders", at(start), at(end))

    assert [row["id"] for row in rows] == [row["id"] for row in truth if row["update_time"] < end]


# -- the Test button -------------------------------------------------------------------------------------------------------


def test_the_test_button_tells_status_shops_and_time_left_and_no_secret(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = deployment(access_ttl=3 * DAY + 3600)
    airflow.adopt_seeds()
    # The button hands the connection over under a name that nobody has seen before.
    monkeypatch.setenv("AIRFLOW_CONN_X7F3QZ", os.environ[CONN])
    monkeypatch.delenv(CONN)

    works, text = TikTokShopHook("x7f3qz").test_connection()

    assert works, text
    for seller in airflow.emulator.sellers:
        assert seller["open_id"] in text
        assert all(shop["id"] in text for shop in seller["shops"])
    assert "access token 3 d 0 h left" in text
    assert "refresh token 364 d 23 h left" in text
    assert "Clock offset: +0 s" in text
    assert not [secret for secret in airflow.secrets() if secret in text]


def test_the_test_button_changes_nothing_and_spends_nothing(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.connect(refresh_token=airflow.seller()["refresh_token"])

    works, text = TikTokShopHook().test_connection()

    assert works, text
    assert "has not been redeemed yet" in text
    assert airflow.emulator.stats()["redemptions_total"] == 0
    assert STORE.records == {}


def test_the_test_button_measures_a_wrong_clock(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.emulator.clock(skew=120)

    _, text = TikTokShopHook().test_connection()

    assert "Clock offset: +120 s" in text or "Clock offset: +119 s" in text or "Clock offset: +121 s" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret": "wrong-secret"}, ["signature", "106001"]),
        ({"market": "mars"}, ["market"]),
        ({"api_url": "http://127.0.0.1:1", "auth_url": "http://127.0.0.1:1"}, ["127.0.0.1:1", "network"]),
    ],
)
def test_the_test_button_says_what_is_wrong(
    deployment: Callable[..., Deployment], change: dict[str, Any], words: list[str]
) -> None:
    airflow = deployment(sellers=1)
    airflow.connect(**change)

    works, text = TikTokShopHook().test_connection()

    assert not works
    assert all(word.lower() in text.lower() for word in words), text
    assert "wrong-secret" not in text


def test_the_test_button_tells_of_a_token_that_has_expired(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1, access_ttl=1)
    airflow.consent(airflow.seller()["open_id"])
    wait_until(lambda: TikTokShopHook().authorizations()[0]["status"] == "expired", timeout=10, what="the expiry")

    works, text = TikTokShopHook().test_connection()

    assert not works
    assert "1 expired" in text
    assert "access token expired 0 h 0 min ago" in text


def test_the_test_button_tells_of_a_field_that_may_be_mistyped(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.connect(markt="us")

    works, text = TikTokShopHook().test_connection()

    assert works
    assert "Note: The extra holds markt" in text


def test_the_test_button_repeats_no_foreign_text(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment(sellers=1)
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", BROKEN)

    works, text = TikTokShopHook().test_connection()

    assert not works
    assert "RuntimeError" in text
    assert "hunter2" not in text


def test_the_test_button_fails_when_no_seller_can_be_served(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    airflow.emulator.account(airflow.seller()["open_id"], revoke_access=True)

    works, text = TikTokShopHook().test_connection()

    assert not works
    assert "105001" in text


# -- rotation --------------------------------------------------------------------------------------------------------------


def test_one_run_redeems_the_seed_and_the_next_rotates_what_is_due(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1, access_ttl=2 * DAY)
    airflow.connect(refresh_token=airflow.seller()["refresh_token"])

    first = airflow.rotate()
    airflow.emulator.settings(access_ttl=7 * DAY)
    second = airflow.rotate()

    assert first["seed"]["outcome"] == "redeemed"
    assert second["seed"]["outcome"] == "done_before"
    assert outcomes(second) == {airflow.seller()["open_id"]: "rotated"}
    assert airflow.emulator.stats()["reused_refresh_tokens_total"] == 0


def test_it_returns_metadata_only(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment()
    airflow.adopt_seeds()

    told = json.dumps(airflow.rotate(force=True))

    assert not [secret for secret in airflow.secrets() if secret in told]


def test_it_emits_the_asset_when_tokens_changed_and_only_then(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    airflow.rotate(force=True)
    (event,) = airflow.context["outlet_events"][AssetAlias(ASSET_ALIAS)].asset_alias_events
    assert event.dest_asset_key.uri == f"tiktokshop://{airflow.emulator.app_key}/tokens"
    assert event.extra["counts"] == {"rotated": 1}

    airflow.rotate()
    assert airflow.context["outlet_events"][AssetAlias(ASSET_ALIAS)].asset_alias_events == []


def test_it_goes_on_past_a_seller_who_left_and_names_them_once(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    gone, stayed = (seller["open_id"] for seller in airflow.emulator.sellers)
    airflow.emulator.account(gone, deauthorize=True)

    with pytest.raises(AirflowFailException) as failed:
        airflow.rotate(force=True)

    text = str(failed.value)
    assert gone in text
    assert stayed not in text
    assert "36004005" in text
    assert "request_id" in text
    assert f"authorize --open-id {gone}" in text
    assert outcomes(airflow.context["ti"].pushed["return_value"]) == {gone: "refused", stayed: "rotated"}
    assert outcomes(airflow.rotate(force=True)) == {gone: "known_dead", stayed: "rotated"}


def test_only_the_named_sellers_are_rotated_and_the_seed_is_left_alone(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    one, other = (seller["open_id"] for seller in airflow.emulator.sellers)
    airflow.connect(refresh_token="never-to-be-sent")

    report = airflow.rotate(open_ids=[one], force=True)

    assert outcomes(report) == {one: "rotated"}
    assert report["seed"] is None
    assert airflow.rotate(open_ids=[], force=True)["results"] == []


def test_force_names_the_generation_so_that_asking_twice_rotates_once(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    one, other = (seller["open_id"] for seller in airflow.emulator.sellers)

    assert outcomes(airflow.rotate(force={one: 1})) == {one: "rotated", other: "not_due"}
    assert outcomes(airflow.rotate(force={one: 1})) == {one: "not_due", other: "not_due"}
    assert outcomes(airflow.rotate(force=1)) == {one: "not_due", other: "rotated"}


def test_a_wrong_app_secret_stops_the_run_and_marks_nobody(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=20, shops_per_seller=1)
    airflow.adopt_seeds()
    before = airflow.emulator.stats()["redemptions_total"]
    airflow.connect(secret="wrong-secret")

    with pytest.raises(AirflowFailException) as failed:
        airflow.rotate(force=True)

    assert "stopped" in str(failed.value)
    assert "wrong-secret" not in str(failed.value)
    airflow.connect()
    statuses = {one["status"] for one in TikTokShopHook().authorizations()}
    assert statuses == {"fresh"}
    assert airflow.emulator.stats()["redemptions_total"] == before
    assert set(outcomes(airflow.rotate(force=True)).values()) == {"rotated"}


def test_a_service_that_is_down_fails_nobody_who_has_time_left(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    airflow.emulator.faults({"match": "/api/v2/token/refresh", "kind": "429", "times": 10})

    assert set(outcomes(airflow.rotate(force=True)).values()) == {"transient"}


def test_a_store_that_does_not_answer_fails_the_task_and_sends_nothing(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = deployment(sellers=1)
    airflow.connect(refresh_token=airflow.seller()["refresh_token"])
    monkeypatch.setenv("AIRFLOW__TIKTOKSHOP__TOKEN_STORE", "no.such.Store")

    with pytest.raises(ConfigurationError, match=r"no\.such\.Store"):
        airflow.rotate()

    assert airflow.emulator.stats()["redemptions_total"] == 0


# -- extraction ------------------------------------------------------------------------------------------------------------


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def wait_for(condition: Callable[[], bool]) -> None:
    from tests.support.waiting import wait_until

    wait_until(condition, timeout=20, what="the condition", interval=0.1)


def extraction(airflow: Deployment, output: Path, **options: Any) -> TikTokShopExtractOperator:
    shop_id = airflow.seller()["shops"][0]["id"]
    truth = airflow.emulator.truth(shop_id)
    values = {
        "stream": "orders",
        "output_path": str(output),
        "shop_id": shop_id,
        "start": at(truth[0]["update_time"]).isoformat(),
        "end": at(truth[-1]["update_time"]).isoformat(),
        "lookback": 0,
    } | options
    return TikTokShopExtractOperator(task_id="extract", **values)


def test_the_files_hold_the_interval_and_the_manifest_describes_them(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    shop_id = airflow.seller()["shops"][0]["id"]
    truth = airflow.emulator.truth(shop_id)

    manifest = extraction(airflow, tmp_path / "out").execute(context())

    rows = list(read_rows(manifest))
    assert {row["id"] for row in rows} == {one["id"] for one in truth if one["update_time"] < truth[-1]["update_time"]}
    assert manifest["rows"] == len(rows)
    assert manifest["manifest_path"].startswith(str(tmp_path / "out" / "orders" / f"shop_id={shop_id}"))
    assert not [secret for secret in airflow.secrets() if secret in json.dumps(manifest)]


def test_an_extraction_tells_which_assets_it_updated_and_with_what(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    task, run = extraction(airflow, tmp_path), context()

    manifest = task.execute(run)

    told = events_of(run)
    stream = f"tiktokshop://{airflow.emulator.app_key}/orders"
    assert [(alias, uri) for alias, uri, _ in told] == [
        (None, stream),
        (EXTRACTED, f"{stream}/shop_id={manifest['shop_id']}"),
    ]
    for _, _, extra in told:
        assert extra == {
            **{name: manifest[name] for name in ("stream", "shop_id", "start", "end", "complete_until", "rows")},
            **{name: manifest[name] for name in ("cursor_field", "min_cursor", "max_cursor", "manifest_path")},
            "files": len(manifest["files"]),
            "open_id": None,
            "category_asset": None,
        }
        assert not [secret for secret in airflow.secrets() if secret in json.dumps(extra)]


def test_a_second_run_at_the_same_time_does_not_make_the_shops_asset(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    # Airflow fails one of two tasks that end together and make the same asset, although its work is done.
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    task, beside = extraction(airflow, tmp_path), context(running=2)

    task.execute(beside)

    told = events_of(beside)
    assert [alias for alias, _, _ in told] == [None, None]
    # Airflow passes on events of a task's outlets only.
    assert {uri for _, uri, _ in told} == {outlet.uri for outlet in task.outlets if isinstance(outlet, Asset)}


def test_trouble_with_the_news_does_not_fail_an_extraction(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    run = context()
    run["ti"].get_dr_count = None

    manifest = extraction(airflow, tmp_path).execute(run)

    assert manifest["rows"] > 0
    assert [alias for alias, _, _ in events_of(run)] == [None, None]


def test_an_asset_that_the_author_lists_as_outlet_gets_one_event(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    shop_id = airflow.seller()["shops"][0]["id"]
    listed = Asset(f"tiktokshop://{airflow.emulator.app_key}/orders/shop_id={shop_id}")
    task, run = extraction(airflow, tmp_path, outlets=[listed]), context()

    task.execute(run)

    assert [(alias, uri) for alias, uri, _ in events_of(run) if uri == listed.uri] == [(None, listed.uri)]
    assert task.outlets.count(listed) == 1


def test_airflow_knows_the_aliases_of_mapped_tasks(tmp_path: Path) -> None:
    with DAG("mapped", schedule=None):
        extract = TikTokShopExtractOperator.partial(
            task_id="extract", stream="orders", output_path=str(tmp_path), outlets=[Asset("mine")]
        ).expand(shop_id=["1", "2"])
        rotate = TikTokShopRotateTokenOperator.partial(task_id="rotate").expand(open_ids=[["a"], ["b"]])

    assert extract.outlets == [Asset("mine"), AssetAlias(EXTRACTED)]
    assert rotate.outlets == [AssetAlias(ASSET_ALIAS)]
    assert extract.unmap({"shop_id": "1"}).outlets == extract.outlets


def test_an_interval_without_rows_is_told_of_and_a_failed_extraction_is_not(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    empty, failed = context(), context()

    extraction(airflow, tmp_path, start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z").execute(empty)
    airflow.emulator.faults({"match": "/order/", "kind": "code:36009037", "times": None})
    with pytest.raises(TaskDeferred):
        extraction(airflow, tmp_path).execute(failed)

    assert [extra["rows"] for _, _, extra in events_of(empty)] == [0, 0]
    assert events_of(failed) == []


def test_numbers_may_come_as_text_from_templates(deployment: Callable[..., Deployment], tmp_path: Path) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    plain = extraction(airflow, tmp_path / "a", windows=3, lookback=60, requests_per_second=400).execute(context())
    text = extraction(airflow, tmp_path / "b", windows="3", lookback="60", requests_per_second="400").execute(context())

    assert {file["sha256"] for file in plain["files"]} == {file["sha256"] for file in text["files"]}


def test_an_object_store_is_written_like_a_directory(deployment: Callable[..., Deployment], tmp_path: Path) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    local = extraction(airflow, tmp_path / "a").execute(context())
    remote = extraction(airflow, Path("x"), output_path=f"file://{tmp_path}/b").execute(context())

    assert remote["rows"] == local["rows"] > 0
    assert [file["sha256"] for file in remote["files"]] == [file["sha256"] for file in local["files"]]
    assert (tmp_path / "b" / "orders").is_dir()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "", "end": ""}, ["start is missing", "CronDataIntervalTimetable"]),
        ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-02T00:00:00Z"}, ["CronDataIntervalTimetable"]),
        ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, ["before"]),
        ({"stream": "odrers"}, ["orders"]),
        ({"shop_id": "1"}, ["shop 1"]),
        ({"pii": "burn"}, ["pii"]),
        ({"format": "xls"}, ["format"]),
    ],
)
def test_what_no_retry_can_mend_fails_for_good_and_says_what_to_do(
    deployment: Callable[..., Deployment], tmp_path: Path, options: dict[str, Any], words: list[str]
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    with pytest.raises(AirflowFailException) as failed:
        extraction(airflow, tmp_path, **options).execute(context())

    assert all(word in str(failed.value) for word in words), str(failed.value)


def test_a_seller_who_must_authorize_again_fails_only_their_own_shops(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment()
    airflow.adopt_seeds()
    gone = airflow.seller(0)
    airflow.emulator.account(gone["open_id"], deauthorize=True)
    with pytest.raises(AirflowException):
        airflow.rotate(force=True)

    with pytest.raises(AirflowFailException, match=f"authorize --open-id {gone['open_id']}"):
        extraction(airflow, tmp_path).execute(context())
    other = airflow.seller(1)["shops"][0]["id"]
    assert extraction(airflow, tmp_path, shop_id=other).execute(context())["shop_id"] == other


def test_an_expired_token_may_be_rotated_yet_and_so_the_task_may_retry(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    airflow.emulator.account(airflow.seller()["open_id"], expire_access=True)

    with pytest.raises(AuthorizationUnusable) as failed:
        extraction(airflow, tmp_path).execute(context())

    assert not isinstance(failed.value, AirflowFailException)
    assert "rotation" in str(failed.value)


def test_a_used_up_quota_frees_the_worker_and_the_extraction_goes_on_later(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    airflow.emulator.settings(sandbox_hourly=1)
    task = extraction(airflow, tmp_path, windows=4)

    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())

    assert deferred.value.method_name == "resume"
    path, arguments = deferred.value.trigger.serialize()
    assert path.endswith("DateTimeTrigger")
    assert not [secret for secret in airflow.secrets() if secret in repr(arguments)]
    airflow.emulator.settings(sandbox_hourly=0)
    manifest = task.resume(context(), None)
    end = int(datetime.fromisoformat(manifest["end"]).timestamp())
    truth = airflow.emulator.truth(manifest["shop_id"], lt=end)
    assert {row["id"] for row in read_rows(manifest)} == {row["id"] for row in truth}


def test_personal_fields_are_hashed_the_same_way_in_every_run(
    deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()

    runs = [extraction(airflow, tmp_path / name, pii="hash").execute(context()) for name in ("a", "b")]
    kept = extraction(airflow, tmp_path / "c").execute(context())

    first, second = (list(read_rows(run)) for run in runs)
    assert first == second
    assert first != list(read_rows(kept))


# -- api operator ----------------------------------------------------------------------------------------------------------


def test_the_api_operator_returns_the_data_of_one_answer(deployment: Callable[..., Deployment]) -> None:
    airflow = deployment(sellers=1)
    airflow.adopt_seeds()
    shop_id = airflow.seller()["shops"][0]["id"]
    task = TikTokShopApiOperator(
        task_id="t", method="post", path="/order/202309/orders/search", query={"page_size": 2}, body={}, shop_id=shop_id
    )

    data = task.execute(context())

    assert len(data["orders"]) == 2
    assert data["total_count"] == 50


# -- commands --------------------------------------------------------------------------------------------------------------


def authorize(
    airflow: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *options: str,
    answer: Callable[[str], str],
) -> tuple[str, str]:
    """Run the command, give ``answer`` the link, paste what it returns."""

    class Paste(StringIO):
        def readline(self, *_: Any) -> str:
            self.prompt = capsys.readouterr()
            link = next(word for word in self.prompt.err.split() if word.startswith("http"))
            return answer(link) + "\n"

    monkeypatch.setattr(sys, "stdin", paste := Paste())
    main(["authorize", *options])
    after = capsys.readouterr()
    return paste.prompt.out + after.out, paste.prompt.err + after.err


def test_a_seller_authorizes_from_the_command_line(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = deployment()
    seller = airflow.seller(1)

    out, err = authorize(
        airflow,
        monkeypatch,
        capsys,
        "-o",
        "json",
        answer=lambda link: airflow.emulator.consent(link, seller["open_id"]),
    )

    (told,) = json.loads(out)
    assert told["id"] == authorization_id(seller["open_id"])
    assert told["status"] == "fresh"
    assert {shop["id"] for shop in told["shops"]} == {shop["id"] for shop in seller["shops"]}
    assert not [secret for secret in airflow.secrets() if secret in out + err]
    assert outcomes(airflow.rotate()) == {seller["open_id"]: "adopted"}


def test_one_who_declines_is_a_text_and_leaves_nothing_behind(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = deployment(sellers=1)
    open_id = airflow.seller()["open_id"]

    with pytest.raises(SystemExit, match="declined"):
        authorize(
            airflow, monkeypatch, capsys, answer=lambda link: airflow.emulator.consent(link, open_id, accept=False)
        )

    assert TikTokShopHook().authorizations() == []


def test_asking_for_one_seller_refuses_the_consent_of_another(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = deployment()
    wanted, other = (seller["open_id"] for seller in airflow.emulator.sellers)

    with pytest.raises(SystemExit, match=wanted):
        authorize(
            airflow,
            monkeypatch,
            capsys,
            "--open-id",
            wanted,
            answer=lambda link: airflow.emulator.consent(link, other),
        )

    assert [one["status"] for one in TikTokShopHook().authorizations()] == ["pending"]


def test_a_redirect_of_another_link_is_refused_before_its_code_is_spent(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = deployment(sellers=1)

    def forged(link: str) -> str:
        return airflow.emulator.consent(link.replace("state=", "state=X"), airflow.seller()["open_id"])

    with pytest.raises(SystemExit, match="not handed out for this app"):
        authorize(airflow, monkeypatch, capsys, answer=forged)

    assert airflow.emulator.stats()["codes_redeemed"] == {}


def test_a_custom_app_is_warned_before_its_review_is_due(
    deployment: Callable[..., Deployment], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = deployment(sellers=25, shops_per_seller=1)
    for seller in airflow.emulator.sellers[:24]:
        authorize(
            airflow,
            monkeypatch,
            capsys,
            answer=lambda link, open_id=seller["open_id"]: airflow.emulator.consent(link, open_id),
        )

    last = airflow.emulator.sellers[24]["open_id"]
    _, err = authorize(airflow, monkeypatch, capsys, answer=lambda link: airflow.emulator.consent(link, last))

    assert "review" in err


def test_status_lists_what_there_is(deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]) -> None:
    airflow = deployment()
    main(["status"])
    assert "No seller has authorized this app yet" in capsys.readouterr().out
    airflow.adopt_seeds()

    main(["status"])

    table = capsys.readouterr().out
    for seller in airflow.emulator.sellers:
        assert seller["open_id"] in table
    assert "6 d 23 h left" in table


def test_status_of_one_seller_tells_what_became_of_the_last_rotations(
    deployment: Callable[..., Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = deployment(sellers=2)
    airflow.adopt_seeds()
    open_id, other = (seller["open_id"] for seller in airflow.emulator.sellers)
    airflow.rotate(force=True)
    airflow.emulator.account(open_id, deauthorize=True)
    with pytest.raises(AirflowException):
        airflow.rotate(force=True)
    capsys.readouterr()

    main(["status", "--open-id", open_id])
    table = capsys.readouterr().out
    main(["status", "--open-id", open_id, "-o", "json"])
    (told,) = json.loads(capsys.readouterr().out)

    assert other not in table
    lines = table.partition("the newest first:")[2].split("\n  ")[1:]
    assert ["reauthorization required (code 36004005" in lines[0], "rotated (epoch 1, generation 2" in lines[1]] == [
        True
    ] * 2
    assert "consent (epoch 1, generation 1, source seed)" in lines[2]
    assert [entry["what"] for entry in told["history"]] == ["consent", "rotated", "reauthorization_required"]
    assert not [secret for secret in airflow.secrets() if secret in table + json.dumps(told)]
    with pytest.raises(SystemExit, match="holds no authorization"):
        main(["status", "--open-id", "nobody"])
