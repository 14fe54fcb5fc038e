"""Promotion activities and coupons."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

promotion_activities = Stream(
    name="promotion_activities",
    family="promotion",
    doc="Search Promotion Activities",
    method="POST",
    path="/promotion/{version}/activities/search",
    version="202309",
    list_key="activities",
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(token_in="body"),  # noqa: S106 - a place, not a secret
    filters=(
        Filter(name="status", where="body", known=("DEACTIVATED", "EXPIRED", "NOT_START", "ONGOING")),
        Filter(name="activity_title", where="body"),
        Filter(
            name="activity_type",
            where="body",
            known=(
                "BUY_MORE_SAVE_MORE",
                "BUY_X_GET_Y",
                "DIRECT_DISCOUNT",
                "FIXED_PRICE",
                "FLASHSALE",
                "GIFT_WITH_PURCHASE",
                "SHIPPING_DISCOUNT",
            ),
        ),
    ),
    scope="seller.promotion.info",
)

promotion_activity_detail = Stream(
    name="promotion_activity_detail",
    family="promotion",
    doc="Get Activity",
    method="GET",
    path="/promotion/{version}/activities/{activity_id}",
    version="202309",
    list_key=None,
    primary_key=("activity_id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(stream="promotion_activities", field="id", param="activity_id", where="path"),
    scope="seller.promotion.info",
    note="One request an activity. Some kinds that ended more than 180 days ago are not given out.",
)

coupons = Stream(
    name="coupons",
    family="promotion",
    doc="Search Coupon List",
    method="POST",
    path="/promotion/{version}/coupons/search",
    version="202406",
    list_key="coupons",
    primary_key=("id",),
    version_field="update_time",
    filters=(
        Filter(name="status", where="body", kind="texts"),
        Filter(name="title_keyword", where="body"),
        Filter(name="display_type", where="body", kind="texts"),
    ),
    scope="seller.promotion.info",
)

coupon_detail = Stream(
    name="coupon_detail",
    family="promotion",
    doc="Get Coupon",
    method="GET",
    path="/promotion/{version}/coupons/{coupon_id}",
    version="202406",
    list_key="coupon",
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(stream="coupons", field="id", param="coupon_id", where="path"),
    scope="seller.promotion.info",
    note="One request a coupon.",
)

STREAMS = (promotion_activities, promotion_activity_detail, coupons, coupon_detail)
