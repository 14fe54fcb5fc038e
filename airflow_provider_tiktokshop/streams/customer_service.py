"""Conversations with buyers, and how well they are served."""

from __future__ import annotations

from types import MappingProxyType

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

conversations = Stream(
    name="conversations",
    family="customer_service",
    doc="Get Conversations",
    method="GET",
    path="/customer_service/{version}/conversations",
    version="202309",
    list_key="conversations",
    primary_key=("id",),
    paging=Paging(size_max=20),
    filters=(
        Filter(name="locale", where="query"),
        Filter(name="need_session_id", where="query", kind="boolean"),
        Filter(name="need_session_info", where="query", kind="boolean"),
    ),
    scope="seller.customer_service",
    personal_fields=(
        "participants.im_user_id",
        "participants.user_id",
        "participants.nickname",
        "participants.avatar",
        "latest_message.content",
        "latest_message.sender.im_user_id",
        "latest_message.sender.nickname",
        "latest_message.sender.avatar",
    ),
)

conversation_messages = Stream(
    name="conversation_messages",
    family="customer_service",
    doc="Get Conversation Messages",
    method="GET",
    path="/customer_service/{version}/conversations/{conversation_id}/messages",
    version="202309",
    list_key="messages",
    primary_key=("conversation_id", "id"),
    paging=Paging(size_max=10),
    parent=Parent(stream="conversations", field="id", param="conversation_id", where="path", into="conversation_id"),
    params=MappingProxyType({"sort_field": "create_time", "sort_order": "ASC"}),
    filters=(
        Filter(name="locale", where="query"),
        Filter(name="need_data", where="query", kind="boolean"),
        Filter(name="need_plaintext", where="query", kind="boolean"),
        Filter(name="time_zone", where="query"),
    ),
    scope="seller.customer_service",
    personal_fields=("content", "data", "plaintext", "sender.im_user_id", "sender.nickname", "sender.avatar"),
    note="Every message of every conversation, ten a request: mind the daily quota.",
)

customer_service_sessions = Stream(
    name="customer_service_sessions",
    family="customer_service",
    doc="Search Sessions",
    method="POST",
    path="/customer_service/{version}/sessions/search",
    version="202602",
    list_key="sessions",
    primary_key=("id",),
    version_field="end_time",
    paging=Paging(size_max=20),
    cursors=(Cursor(field="begin_time", ge="begin_time_ge", lt="begin_time_lt", where="body"),),
    default_cursor="begin_time",
    lookback=7 * DAY,
    history=90 * DAY,
    filters=(Filter(name="locale", where="query"), Filter(name="buyer_nickname", where="body")),
    personal_fields=("buyer_nickname",),
    note=(
        "Sessions end, and are rated, after they begin, so the last seven days are read again. At most 90 days back."
    ),
)

customer_service_performance = Stream(
    name="customer_service_performance",
    family="customer_service",
    doc="Get Customer Service Performance",
    method="GET",
    path="/customer_service/{version}/performance",
    version="202407",
    list_key="performance",
    primary_key=("date",),
    paging=Paging(token_in=None),
    cursors=(
        Cursor(
            field="date",
            ge="support_date_ge",
            lt="support_date_lt",
            where="query",
            kind="date",
            daily=True,
            into="date",
        ),
    ),
    default_cursor="date",
    lookback=7 * DAY,
    scope="seller.customer_service",
    note="Figures are restated for days, so the last seven days are read again.",
)

engagement_task_performances = Stream(
    name="engagement_task_performances",
    family="customer_service",
    doc="Get Engagement Task Performances",
    method="POST",
    path="/customer_engagement/{version}/performances",
    version="202412",
    list_key="task_performances",
    primary_key=("id",),
    paging=Paging(token_in=None),
    filters=(Filter(name="task_ids", where="body", kind="texts", required=True),),
    scope="seller.customer_engagement.read",
    note="Nothing lists the tasks: their ids come from creating them.",
)

STREAMS = (
    conversations,
    conversation_messages,
    customer_service_sessions,
    customer_service_performance,
    engagement_task_performances,
)
