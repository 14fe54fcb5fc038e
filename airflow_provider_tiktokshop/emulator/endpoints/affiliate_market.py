"""The creators that a seller may find, and the talk with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data import affiliation
from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table, table_of
from airflow_provider_tiktokshop.emulator.endpoints.affiliate_seller import creator
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.listing import Detail, Listing, Parent, offer

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.scope import Scope

__all__: list[str] = []

_MARKET = 45
_TALKS = 23


def _creators(scope: Scope) -> Table:
    return table_of([creator(scope.records, number) for number in range(_MARKET)], {"search_key": "EMU"})


def _creator(scope: Scope) -> dict[str, Any]:
    for number in range(_MARKET):
        row = creator(scope.records, number)
        if row["creator_open_id"] == scope.text("creator_user_id"):
            return {"creator": {name: value for name, value in row.items() if name != "creator_open_id"}}
    raise refuse(36009004, "Invalid 'creator_user_id'")


def _talk(records: ShopRecords, number: int) -> dict[str, Any]:
    row = {"id": records.id("7415", 115, number), "creator_im_id": records.id("7416", 116, number)}
    return row | {"username": affiliation.creator_name(number), "unread_count": int(number % 5 == 0)}


def _messages(records: ShopRecords, number: int) -> list[dict[str, Any]]:
    talk, start = _talk(records, number), records.world.clock.anchor - number * 86400
    rows = []
    for place in range(3 + number % 25):
        body = {
            "id": records.id("7417", 117, number, place),
            "conversation_id": talk["id"],
            "type": "TEXT",
            "content": json.dumps({"content": f"Example message {place + 1}"}),
            "create_time": start + place * 60,
            "sender_id": talk["creator_im_id"],
        }
        rows.append({"conversation_index": str(place), "message_body": body})
    return rows


def _find(scope: Scope) -> Table:
    for number in range(_TALKS):
        if _talk(scope.records, number)["id"] == scope.text("conversation_id"):
            return table_of(_messages(scope.records, number))
    raise refuse(36009004, "Invalid 'conversation_id'")


def _newest(scope: Scope) -> Table:
    rows = []
    for number in range(0, _TALKS, 5):
        last = _messages(scope.records, number)[-1]["message_body"]
        row = {name: last[name] for name in ("conversation_id", "content", "type", "sender_id")}
        rows.append(row | {"unread_message_count": 1})
    return table_of(rows)


def _tasks(scope: Scope) -> Table:
    def entry(place: int) -> Entry:
        name = f"example-{place + 1}.xlsx"
        row = {"module_type": scope.text("doc_type"), "id": scope.records.id("7418", 118, place), "file_name": name}
        return Entry(lambda: row | {"status": "SUCCESS"})

    return Table({place: entry(place) for place in range(3)})


offer(
    Listing(
        name="marketplace_creators",
        method="POST",
        template="/affiliate_seller/*/marketplace_creators/search",
        list_key="creators",
        table=_creators,
        key=("creator_open_id",),
    ),
    Detail(
        name="marketplace_creator_performance",
        method="GET",
        template="/affiliate_seller/*/marketplace_creators/{creator_user_id}",
        make=_creator,
        key=("creator.username",),
        parent=Parent("marketplace_creators", "creator_open_id", "creator_user_id"),
    ),
    Listing(
        name="affiliate_seller_conversations",
        method="GET",
        template="/affiliate_seller/*/conversations",
        list_key="conversations",
        table=lambda scope: table_of([_talk(scope.records, number) for number in range(_TALKS)]),
    ),
    Listing(
        name="affiliate_seller_conversation_messages",
        method="GET",
        template="/affiliate_seller/*/conversation/{conversation_id}/messages",
        list_key="messages",
        table=_find,
        key=("message_body.id",),
        parent=Parent("affiliate_seller_conversations", "id", "conversation_id"),
    ),
    Listing(
        name="affiliate_seller_unread_messages",
        method="GET",
        template="/affiliate_seller/*/conversations/messages/list/newest",
        list_key="newest_message_list",
        table=_newest,
        key=("conversation_id",),
        token_in=None,
    ),
    Listing(
        name="affiliate_seller_compass_tasks",
        method="GET",
        template="/affiliate_seller/*/compass/offline_tasks",
        list_key="tasks",
        table=_tasks,
        token_in=None,
    ),
    Detail(
        name="affiliate_seller_outreach_quota",
        method="GET",
        template="/affiliate_seller/*/creator_outreach/quota",
        make=lambda scope: {"data": {"shop_id": scope.records.shop.id, "gmv_level_rule": [], "quota_details": []}},
        key=("data.shop_id",),
    ),
)
