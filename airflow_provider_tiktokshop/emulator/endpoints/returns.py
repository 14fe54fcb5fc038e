"""Returns, cancellations, and what may be done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import aftersales
from airflow_provider_tiktokshop.emulator.data.aftersales_requests import eligibility, merchandise, requests
from airflow_provider_tiktokshop.emulator.data.sales import find_order
from airflow_provider_tiktokshop.emulator.data.tables import Table, table_of
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Between, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_RANGES = tuple(Between(f"{name}_time", f"{name}_time_ge", f"{name}_time_lt") for name in ("create", "update"))
_NESTED = tuple(
    Between(
        f"{name}_time",
        f"filters.time.{name}_time.min_unix_time_inclusive",
        f"filters.time.{name}_time.max_unix_time_exclusive",
    )
    for name in ("create", "update")
)
_REASONS = (
    ("seller_reject_apply_product_has_been_packed", "The package is packed already"),
    ("seller_reject_apply_reach_an_agreement", "Agreed with the buyer"),
)


def _records(scope: Scope) -> Table:
    found = aftersales.find_return(scope.records, scope.text("return_id"))
    if found is None:
        raise refuse(25001001, "Return not found")
    return table_of(aftersales.return_records(found))


def _reasons(scope: Scope) -> Table:
    wanted, records = scope.text("return_or_cancel_id"), scope.records
    known = any(entry.tags["cancel_id"] == wanted for entry in aftersales.cancellations(records).entries.values())
    if not known and aftersales.find_return(records, wanted) is None:
        raise refuse(25001001, "Return or cancellation not found")
    return table_of([{"name": name, "text": text} for name, text in _REASONS])


def _eligibility(scope: Scope) -> Table:
    return table_of(eligibility(scope.records, find_order(scope.records, scope.text("order_id"))))


def _search(**more: Any) -> Listing:
    return Listing(method="POST", sort="create_time", page_size=10, **more)


offer(
    _search(
        name="returns",
        template="/return_refund/*/returns/search",
        list_key="return_orders",
        table=lambda scope: aftersales.returns(scope.records),
        key=("return_id",),
        ranges=_RANGES,
        choices=(
            ("return_ids", "return_id"),
            ("order_ids", "order_id"),
            ("buyer_user_ids", "buyer"),
            ("return_types", "type"),
            ("return_status", "status"),
            ("seller_proposed_return_type", "proposed"),
            ("arbitration_status", "arbitration"),
        ),
    ),
    _search(
        name="cancellations",
        template="/return_refund/*/cancellations/search",
        list_key="cancellations",
        table=lambda scope: aftersales.cancellations(scope.records),
        key=("cancel_id",),
        ranges=_RANGES,
        choices=(
            ("cancel_ids", "cancel_id"),
            ("order_ids", "order_id"),
            ("buyer_user_ids", "buyer"),
            ("cancel_types", "type"),
            ("cancel_status", "status"),
        ),
    ),
    Listing(
        name="aftersales_requests",
        method="POST",
        template="/return_refund/*/aftersales/search",
        list_key="aftersales_requests",
        table=lambda scope: requests(scope.records),
        ranges=_NESTED,
        choices=(
            ("filters.aftersales_request_ids", "id"),
            ("filters.aftersales_request_statuses", "request_status"),
            ("filters.return_types", "type"),
            ("filters.main_order_ids", "order_id"),
            ("filters.buyer_ids", "buyer"),
        ),
        sort="create_time",
        sort_in="sort",
        token_in="pagination",  # noqa: S106 - a place, not a secret
    ),
    Listing(
        name="return_merchandise_authorizations",
        method="POST",
        template="/return_refund/*/rma/search",
        list_key="return_merchandise_authorizations",
        table=lambda scope: merchandise(scope.records),
        ranges=_NESTED,
        choices=(
            ("filters.rma_ids", "rma_id"),
            ("filters.package_ids", "package_id"),
            ("filters.statuses", "rma_status"),
            ("filters.aftersales_request_ids", "id"),
            ("filters.main_order_ids", "order_id"),
        ),
        sort="create_time",
        sort_in="sort",
        token_in="pagination",  # noqa: S106 - a place, not a secret
    ),
    Listing(
        name="return_records",
        method="GET",
        template="/return_refund/*/returns/{return_id}/records",
        list_key="records",
        table=_records,
        key=("create_time", "event"),
        token_in=None,
        parent=Parent("returns", "return_id", "return_id"),
    ),
    Listing(
        name="reject_reasons",
        method="GET",
        template="/return_refund/*/reject_reasons",
        list_key="reasons",
        table=_reasons,
        key=("name",),
        token_in=None,
        parent=Parent("returns", "return_id", "return_or_cancel_id"),
    ),
    Listing(
        name="aftersale_eligibility",
        method="GET",
        template="/return_refund/*/orders/{order_id}/aftersale_eligibility",
        list_key="sku_eligibility",
        table=_eligibility,
        key=("sku_id",),
        token_in=None,
        parent=Parent("orders", "id", "order_id"),
    ),
)
