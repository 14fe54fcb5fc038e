"""A refusal that was to be expected skips the one task, and says why; any other fails it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tiktokshop.api.errors import ApiError, SignatureRefused
from airflow_provider_tiktokshop.compat import AirflowFailException, AirflowSkipException
from airflow_provider_tiktokshop.operators.extract import TikTokShopExtractOperator
from tests.support.deployment import Deployment, context

END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
PAYMENTS, COUPONS = "/finance/202605/payments", "/promotion/202406/coupons"
REFUSED = {"kind": "code:22005007", "times": None}


@pytest.fixture
def airflow(deployment: Callable[..., Deployment]) -> Deployment:
    """One seller with shops in seven markets, Indonesia the last."""
    made = deployment(sellers=1, shops_per_seller=7, orders=20)
    made.adopt_seeds()
    return made


def shop_in(airflow: Deployment, region: str) -> str:
    return str(next(shop["id"] for shop in airflow.seller()["shops"] if shop["region"] == region))


def extract(stream: str, shop_id: str, output: Path, **options: Any) -> dict[str, Any]:
    task = TikTokShopExtractOperator(
        task_id="t",
        stream=stream,
        shop_id=shop_id,
        start=(END - timedelta(days=1)).isoformat(),
        end=END.isoformat(),
        output_path=str(output),
        **options,
    )
    return task.execute(context())


def test_what_a_market_does_not_have_is_skipped_once_the_service_has_refused_it(
    airflow: Deployment, tmp_path: Path
) -> None:
    airflow.emulator.faults({"match": PAYMENTS, **REFUSED})

    with pytest.raises(AirflowSkipException, match=r"is in ID, where .* have payments\. .*code 22005007"):
        extract("payments", shop_in(airflow, "ID"), tmp_path)
    with pytest.raises(ApiError):
        extract("payments", shop_in(airflow, "GB"), tmp_path)
    assert list(tmp_path.rglob("manifest.json")) == []


def test_a_market_that_has_opened_since_the_declaration_was_written_is_extracted(
    airflow: Deployment, tmp_path: Path
) -> None:
    assert extract("payments", shop_in(airflow, "ID"), tmp_path)["rows"] > 0


@pytest.mark.parametrize(
    "refusal",
    [{"kind": "code:106001"}, {"kind": "code:36009004", "params": {"message": "Invalid 'app_key'"}}],
    ids=["wrong secret", "wrong key"],
)
def test_an_app_that_is_set_up_wrongly_is_no_reason_to_skip(
    airflow: Deployment, tmp_path: Path, refusal: dict[str, Any]
) -> None:
    airflow.emulator.faults({"match": PAYMENTS, "times": None, **refusal})

    with pytest.raises((SignatureRefused, AirflowFailException)):
        extract("payments", shop_in(airflow, "ID"), tmp_path)


def test_a_scope_that_was_not_granted_fails_unless_that_is_expected(airflow: Deployment, tmp_path: Path) -> None:
    shop_id = shop_in(airflow, "GB")
    granted = airflow.emulator.account(airflow.seller()["open_id"])["tokens"][-1]["granted_scopes"]
    without = [scope for scope in granted if scope != "seller.promotion.info"]
    assert len(without) < len(granted)
    airflow.emulator.account(airflow.seller()["open_id"], granted_scopes=without)

    with pytest.raises(AirflowFailException, match="Ask for the scope"):
        extract("coupons", shop_id, tmp_path)
    with pytest.raises(AirflowSkipException, match=r"coupons needs the scope seller\.promotion\.info\. .*code 105005"):
        extract("coupons", shop_id, tmp_path, missing_scope="skip")
    # A stream that gets its ids from one that was not granted is no better off.
    with pytest.raises(AirflowSkipException, match=r"coupon_detail needs the scope"):
        extract("coupon_detail", shop_id, tmp_path, missing_scope="skip")


def test_one_live_room_of_somebody_else_does_not_make_a_stream_expected_to_be_missing(
    airflow: Deployment, tmp_path: Path
) -> None:
    airflow.emulator.faults({"match": COUPONS, "kind": "code:66009315", "times": None})

    with pytest.raises(AirflowFailException, match="No permission for this live room"):
        extract("coupons", shop_in(airflow, "GB"), tmp_path, missing_scope="skip")


def test_what_to_do_about_a_missing_scope_is_fail_or_skip(airflow: Deployment, tmp_path: Path) -> None:
    with pytest.raises(AirflowFailException, match="missing_scope is 'ignore'"):
        extract("coupons", shop_in(airflow, "GB"), tmp_path, missing_scope="ignore")
