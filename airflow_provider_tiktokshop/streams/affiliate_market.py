"""Creators on the marketplace, and a seller's conversations with them."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

marketplace_creators = Stream(
    name="marketplace_creators",
    family="affiliate_seller",
    doc="Search Creators in Creator Marketplace",
    method="POST",
    path="/affiliate_seller/{version}/marketplace_creators/search",
    version="202608",
    list_key="creators",
    primary_key=("creator_open_id",),
    paging=Paging(size_max=20, size_min=12),
    filters=(
        Filter(name="search_key", where="body"),
        Filter(name="keyword", where="body"),
        Filter(name="follower_demographics.age_ranges", where="body", kind="texts"),
        Filter(name="follower_demographics.count_range.count_ge", where="body", kind="integer"),
        Filter(name="follower_demographics.count_range.count_le", where="body", kind="integer"),
        Filter(name="follower_demographics.gender_distribution.gender", where="body"),
        Filter(name="follower_demographics.gender_distribution.percentage_ge", where="body", kind="integer"),
        Filter(name="gmv_ranges", where="body", kind="texts"),
        Filter(name="units_sold_ranges", where="body", kind="texts"),
        Filter(name="content_performance.avg_video_views", where="body"),
        Filter(name="content_performance.avg_shoppable_video_views", where="body"),
        Filter(name="content_performance.avg_engagement_rate", where="body"),
        Filter(name="content_performance.avg_shopable_engagement_rate", where="body"),
        Filter(name="content_performance.avg_live_avg_viewers_ge", where="body"),
        Filter(name="content_performance.avg_shoppable_live_avg_viewers_ge", where="body"),
        Filter(name="affiliate_data.avg_commission_rate", where="body"),
        Filter(name="affiliate_data.post_rate", where="body"),
        Filter(name="affiliate_data.creator_agency_staus", where="body"),
        Filter(name="affiliate_data.is_fast_growing", where="body", kind="boolean"),
        Filter(name="affiliate_data.not_invited_l90_days", where="body", kind="boolean"),
        Filter(name="advanced_filters.content_preference_type", where="body", kind="texts"),
        Filter(name="advanced_filters.eligible_flat_fee", where="body", kind="boolean"),
        Filter(name="advanced_filters.sorter_algorithm_id", where="body"),
        Filter(name="data_groups", where="body", kind="texts"),
    ),
    scope="seller.creator_marketplace.read",
    personal_fields=("username", "nickname", "avatar"),
    note="Figures are those of the last 30 days. A page holds 12 or 20. Filter: the marketplace is large.",
)

marketplace_creator_performance = Stream(
    name="marketplace_creator_performance",
    family="affiliate_seller",
    doc="Get Marketplace Creator Performance",
    method="GET",
    path="/affiliate_seller/{version}/marketplace_creators/{creator_user_id}",
    version="202608",
    list_key="creator",
    primary_key=("creator_user_id",),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="marketplace_creators",
        field="creator_open_id",
        param="creator_user_id",
        where="path",
        into="creator_user_id",
    ),
    filters=(
        Filter(
            name="data_groups",
            where="query",
            kind="texts",
            known=(
                "BASIC_CREATOR_INFORMATION",
                "COLLABORATION",
                "CONTENT_PERFORMANCE",
                "FOLLOWER_INFORMATION",
                "SALES_AND_GMV",
            ),
        ),
    ),
    scope="seller.creator_marketplace.read",
    personal_fields=("username", "nickname", "avatar", "bio_description", "profile_tt_uri"),
    note="One request a creator.",
)

affiliate_seller_conversations = Stream(
    name="affiliate_seller_conversations",
    family="affiliate_seller",
    doc="Get Conversation List",
    method="GET",
    path="/affiliate_seller/{version}/conversations",
    version="202412",
    list_key="conversations",
    primary_key=("id",),
    paging=Paging(size_max=50),
    filters=(
        Filter(name="only_need_conversation_id", where="query", kind="boolean"),
        Filter(name="conversation_status", where="query", known=("ALL", "ARCHIVED", "STARRED", "UNREAD", "UNREPLIED")),
    ),
    scope="seller.affiliate_messages.write",
    personal_fields=("username", "avatar", "creator_im_id"),
)

affiliate_seller_conversation_messages = Stream(
    name="affiliate_seller_conversation_messages",
    family="affiliate_seller",
    doc="Get Creator Conversation Messages",
    method="GET",
    path="/affiliate_seller/{version}/conversation/{conversation_id}/messages",
    version="202412",
    list_key="messages",
    primary_key=("conversation_id", "message_body.id"),
    paging=Paging(size_max=20),
    parent=Parent(
        stream="affiliate_seller_conversations",
        field="id",
        param="conversation_id",
        where="path",
        into="conversation_id",
    ),
    scope="seller.affiliate_messages.write",
    personal_fields=("message_body.content", "message_body.sender_id"),
    note="Every message of every conversation.",
)

affiliate_seller_unread_messages = Stream(
    name="affiliate_seller_unread_messages",
    family="affiliate_seller",
    doc="Get Latest Unread Messages",
    method="GET",
    path="/affiliate_seller/{version}/conversations/messages/list/newest",
    version="202412",
    list_key="newest_message_list",
    primary_key=("conversation_id",),
    paging=Paging(token_in=None),
    scope="seller.affiliate_messages.write",
    personal_fields=("content", "sender_id"),
)

affiliate_seller_compass_tasks = Stream(
    name="affiliate_seller_compass_tasks",
    family="affiliate_seller",
    doc="Get Compass Task List",
    method="GET",
    path="/affiliate_seller/{version}/compass/offline_tasks",
    version="202603",
    list_key="tasks",
    primary_key=("id",),
    paging=Paging(token_in=None),
    filters=(Filter(name="doc_type", where="query", required=True),),
    note=(
        "Tasks of the last seven days. Their files come from GET "
        "/affiliate_seller/202603/compass/offline_tasks/{task_id}/file."
    ),
)

affiliate_seller_outreach_quota = Stream(
    name="affiliate_seller_outreach_quota",
    family="affiliate_seller",
    doc="Get Weekly Creator Outreach Quota",
    method="GET",
    path="/affiliate_seller/{version}/creator_outreach/quota",
    version="202607",
    list_key="data",
    primary_key=("shop_id",),
    paging=Paging(token_in=None),
)

STREAMS = (
    marketplace_creators,
    marketplace_creator_performance,
    affiliate_seller_conversations,
    affiliate_seller_conversation_messages,
    affiliate_seller_unread_messages,
    affiliate_seller_compass_tasks,
    affiliate_seller_outreach_quota,
)
