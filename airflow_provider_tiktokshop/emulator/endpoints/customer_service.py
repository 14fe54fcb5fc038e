"""Conversations with buyers, how well they went, and messages to many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import conversations
from airflow_provider_tiktokshop.emulator.data.calendar import day_of, days_asked
from airflow_provider_tiktokshop.emulator.data.tables import Table, table_of
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Between, Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_HISTORY = 90 * 86400


def _not_too_old(scope: Scope) -> None:
    if scope.params.get("begin_time_ge", 0) < scope.world.clock.now() - _HISTORY - 86400:
        raise refuse(36009004, "Invalid 'begin_time_ge': at most 90 days back")


def _performance(scope: Scope) -> dict[str, Any]:
    records, days = scope.records, set(days_asked(scope, "support_date_ge", "support_date_lt"))
    begun = [entry.times["begin_time"] for entry in conversations.sessions(records).entries.values()]
    count = sum(day_of(records, moment) in days for moment in begun)
    figures = {
        "support_session_count": count,
        "response_percentage": "100",
        "satisfaction_percentage": "98",
        "response_time_mins": "5",
        "conversion_rate": "0.10",
        "cs_guided_gmv": records.money(0),
        "currency": records.region.currency,
    }
    return {"performance": figures}


def _tasks(scope: Scope) -> Table:
    return table_of([{"id": one} for one in scope.params.get("task_ids", scope.params.get("ids", ()))])


offer(
    Listing(
        name="conversations",
        method="GET",
        template="/customer_service/*/conversations",
        list_key="conversations",
        table=lambda scope: conversations.conversations(scope.records),
        sort="create_time",
        descending=True,
    ),
    Listing(
        name="conversation_messages",
        method="GET",
        template="/customer_service/*/conversations/{conversation_id}/messages",
        list_key="messages",
        table=lambda scope: conversations.messages(scope.records, scope.text("conversation_id")),
        sort="create_time",
        descending=True,
        parent=Parent("conversations", "id", "conversation_id"),
    ),
    Listing(
        name="customer_service_sessions",
        method="POST",
        template="/customer_service/*/sessions/search",
        list_key="sessions",
        table=lambda scope: conversations.sessions(scope.records),
        ranges=(Between("begin_time", "begin_time_ge", "begin_time_lt"),),
        choices=(("buyer_nickname", "nickname"),),
        sort="begin_time",
        check=_not_too_old,
    ),
    Detail(
        name="customer_service_performance",
        method="GET",
        template="/customer_service/*/performance",
        make=_performance,
        key=(),
    ),
    Listing(
        name="engagement_task_performances",
        method="POST",
        template="/customer_engagement/*/performances",
        list_key="task_performances",
        table=_tasks,
        token_in=None,
    ),
)
