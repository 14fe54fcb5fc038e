"""Every stream is what is documented of its endpoint, and a wrong declaration is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.streams.base import Cursor, Filter, Paging, Parent
from tests.unit.streams.contract import CONTRACT, newest, problems

ALL = [streams.get(name) for name in streams.names()]


@pytest.mark.parametrize("stream", ALL, ids=lambda stream: stream.name)
def test_a_stream_is_what_the_documentation_of_its_endpoint_says(stream):
    assert problems(stream) == []


ORDERS, STATEMENTS = streams.get("orders"), streams.get("statements")


@pytest.mark.parametrize(
    ("stream", "changes", "problem"),
    [
        ("orders", {"method": "GET"}, "endpoint"),
        ("orders", {"path": "/order/{version}/orders/find"}, "endpoint"),
        ("orders", {"version": "202407"}, "endpoint"),
        ("returns", {"version": "202309"}, "version"),
        ("orders", {"doc": "Get Orders"}, "doc"),
        ("orders", {"needs_shop_cipher": False}, "shop cipher"),
        ("affiliate_partner_campaigns", {"needs_asset_cipher": False}, "asset cipher"),
        ("orders", {"scope": "seller.product.basic"}, "scope"),
        ("orders", {"user_type": 1}, "user type"),
        ("orders", {"list_key": "order_list"}, "list key"),
        ("orders", {"primary_key": ("order_id",)}, "key order_id"),
        ("orders", {"version_field": "changed"}, "key changed"),
        ("orders", {"personal_fields": ("buyer_phone",)}, "personal buyer_phone"),
        ("orders", {"paging": Paging(token_in="body")}, "paging"),
        ("packages", {"paging": Paging(size_max=100)}, "page size"),
        ("returns", {"paging": Paging(size_max=50)}, "page size"),
        ("statements", {"carry": ("currency",)}, "carry currency"),
        ("orders", {"filters": ORDERS.filters[1:]}, "left out order_status"),
        ("orders", {"filters": (*ORDERS.filters, Filter(name="status", where="body"))}, "filter status"),
        ("orders", {"filters": (Filter(name="warehouse_ids", where="body"),)}, "filter warehouse_ids"),
        ("orders", {"filters": (Filter(name="order_status", where="body"),)}, "filter order_status"),
        ("external_orders", {"filters": ()}, "left out platform"),
        ("withdrawals", {"params": {"types": "WITHDRAW"}}, "constant types"),
        ("withdrawals", {"params": {}}, "required types"),
        ("statement_transactions", {"params": {}}, "left out sort_field"),
        ("order_detail", {"parent": replace(streams.get("order_detail").parent, batch=100)}, "parent batch"),
        ("order_detail", {"parent": Parent(stream="orders", field="id", param="id", where="query")}, "parent param"),
        ("order_detail", {"parent": replace(streams.get("order_detail").parent, field="order_id")}, "parent field"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_noticed(stream, changes, problem):
    assert problem in problems(replace(streams.get(stream), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"ge": "update_time_gt"},
        {"lt": "update_time_le"},
        {"where": "query"},
        {"inclusive_end": True},
        {"kind": "date"},
        {"sort_field": "paid_time"},
        {"sort_in": "body.sort"},
        {"sort_field": None},
    ],
)
def test_a_wrong_cursor_is_noticed(changes):
    cursor = replace(ORDERS.cursors[0], **changes)
    if changes == {"sort_field": None}:
        statements = replace(STATEMENTS, cursors=(replace(STATEMENTS.cursors[0], **changes),))
        assert "left out sort_field" in problems(statements)
    else:
        assert "cursor update_time" in problems(replace(ORDERS, cursors=(cursor,)))


def test_a_cursor_that_rows_do_not_hold_is_noticed():
    cursor = Cursor(field="updated", ge="update_time_ge", lt="update_time_lt", where="body", sort_field="update_time")
    assert "cursor updated" in problems(replace(ORDERS, cursors=(cursor,), default_cursor="updated"))


def test_every_list_and_search_operation_is_a_stream_or_named_here_with_the_reason_why_not():
    declared = {f"{stream.method} {stream.path_of()}" for stream in ALL}
    missing = {
        operation
        for operation, contract in CONTRACT.items()
        if contract.get("lists") and operation not in declared and operation.split("/")[2] == newest(operation)
    }
    assert missing == set(LEFT_OUT)


NO_LIST = "nothing lists the ids that it needs"
LOOKUP = "answers a question about one thing, and lists nothing"
SETTING = "a setting, not data"
CREATOR = "/affiliate_partner/202508/campaigns/{campaign_id}/products/{product_id}/creator/{creator_temp_id}"
# All of them can be reached with hook.call().
LEFT_OUT = {
    "GET /affiliate_creator/202606/toko_product_mappers": LOOKUP,
    f"GET {CREATOR}/content/statistics": NO_LIST,
    f"GET {CREATOR}/content/statistics/sample/status": NO_LIST,
    "GET /affiliate_partner/202508/campaigns/{campaign_id}/products/{product_id}/performance": "has two parents",
    "GET /affiliate_seller/202608/conversations/group_counts": "counts of an inbox, not data",
    "GET /analytics/202403/videos/performances": NO_LIST,
    "GET /analytics/202502/live_rooms/{live_room_id}/gmv_trend_performances": NO_LIST,
    "GET /analytics/202502/live_rooms/{live_room_id}/interactive_trend_performances": NO_LIST,
    "GET /analytics/202502/live_rooms/{live_room_id}/product_stats": NO_LIST,
    "GET /analytics/202502/live_rooms/{live_room_id}/traffic_performances": NO_LIST,
    "GET /analytics/202502/live_rooms/{live_room_id}/user_portraits": NO_LIST,
    "GET /analytics/202502/live_rooms/{live_room_id}/view_trend_performances": NO_LIST,
    "GET /analytics/202606/shop_performances/metrics/{metric_code}/problem_details": "another list for each metric",
    "GET /analytics/202606/shop_performances/metrics/{metric_code}/top_items": "another list for each metric",
    "GET /analytics/202609/shop_videos/batch_performance": "shop_video_performance_detail has the same by day",
    "GET /customer_engagement/202412/message_templates": SETTING,
    "GET /customer_engagement/202502/permissions": SETTING,
    "GET /customer_service/202601/conversations/{conversation_id}": "conversations has the same",
    "GET /event/202309/webhooks": SETTING,
    "GET /fbt/202601/mcf_outbound_orders": NO_LIST,
    "GET /fulfillment/202309/packages/{package_id}/handover_time_slots": LOOKUP,
    "GET /logistics/202510/seller_templates": LOOKUP,
    "GET /product/202506/images/translation_tasks": "jobs, not data",
    "GET /product/202507/global_listing_rules": SETTING,
    "GET /return_refund/202601/decision_eligibility": LOOKUP,
    "GET /return_refund/202606/review_decision": LOOKUP,
    "POST /affiliate_creator/202505/orders/trace/search": "announced to end; see affiliate_creator_orders",
    "POST /fbt/202601/mcf/goods/inventory/search": "fbt_inventory has the same",
    "POST /fbt/202603/goods/hazmat_and_expiration_info/search": LOOKUP,
    "POST /order/202606/pod_details/search": LOOKUP,
}  # fmt: skip
