"""Activities and coupons."""

from __future__ import annotations

from airflow_provider_tiktokshop.emulator.data import promotions
from airflow_provider_tiktokshop.emulator.listing import Detail, Listing, Parent, offer

__all__: list[str] = []

offer(
    Listing(
        name="promotion_activities",
        method="POST",
        template="/promotion/*/activities/search",
        list_key="activities",
        table=lambda scope: promotions.activities(scope.records),
        choices=(("status", "status"), ("activity_type", "type"), ("activity_title", "title")),
        token_in="body",  # noqa: S106 - a place, not a secret
        page_size=10,
    ),
    Detail(
        name="promotion_activity_detail",
        method="GET",
        template="/promotion/*/activities/{activity_id}",
        make=lambda scope: promotions.activity_detail(scope.records, scope.text("activity_id")),
        key=("activity_id",),
        parent=Parent("promotion_activities", "id", "activity_id"),
    ),
    Listing(
        name="coupons",
        method="POST",
        template="/promotion/*/coupons/search",
        list_key="coupons",
        table=lambda scope: promotions.coupons(scope.records),
        choices=(("status", "status"), ("display_type", "display")),
        page_size=50,
    ),
    Detail(
        name="coupon_detail",
        method="GET",
        template="/promotion/*/coupons/{coupon_id}",
        make=lambda scope: promotions.coupon_detail(scope.records, scope.text("coupon_id")),
        key=("coupon.id",),
        parent=Parent("coupons", "id", "coupon_id"),
    ),
)
