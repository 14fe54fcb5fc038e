"""What buyers ask: the buyer of one order in five wrote, and the shop answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.data.tables import Entry, Table
from airflow_provider_tiktokshop.emulator.errors import refuse

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.data.records import ShopRecords
    from airflow_provider_tiktokshop.emulator.orders import History

__all__ = ["conversations", "messages", "sessions"]

_ONE_IN = 5
_HOUR = 3600
_TEXTS = ("Hello, where is my order?", "Let me look.", "It is on its way.", "Thank you!")


def _asked(records: ShopRecords) -> dict[int, History]:
    """The first order that each writing buyer asked about."""

    def make() -> dict[int, History]:
        found: dict[int, History] = {}
        for history in records.histories():
            if records.bits(101, history.index) % _ONE_IN == 0 and history.created + _HOUR <= records.now:
                found.setdefault(history.life.buyer, history)
        return found

    return records.made("asked", make)


def conversation_id(records: ShopRecords, buyer: int) -> str:
    """Return the id of the conversation with a buyer."""
    return records.id("7494", 102, buyer)


def _people(records: ShopRecords, buyer: int) -> tuple[dict[str, Any], dict[str, Any]]:
    own = records.orders.writer.buyer_id(buyer)
    return (
        {
            "im_user_id": records.id("7493", 103, buyer),
            "user_id": own,
            "role": "BUYER",
            "nickname": f"b***{buyer % 10}",
        },
        {"im_user_id": records.id("7493", 104), "user_id": "", "role": "SHOP", "nickname": records.shop.name},
    )


def _messages(records: ShopRecords, history: History) -> list[dict[str, Any]]:
    buyer = history.life.buyer
    people = _people(records, buyer)
    rows: list[dict[str, Any]] = []
    for place, text in enumerate(_TEXTS * (1 + records.bits(105, buyer) % 4)):
        moment = history.created + _HOUR + place * 300
        if moment > records.now:
            break
        sender = {name: value for name, value in people[place % 2].items() if name != "user_id"}
        rows.append(
            {
                "id": records.id("7495", 106, buyer, place),
                "type": "TEXT",
                "content": json.dumps({"content": text}),
                "create_time": moment,
                "is_visible": True,
                "sender": sender,
                "index": str(moment * 1000 + place),
            }
        )
    return rows


def conversations(records: ShopRecords) -> Table:
    """Return the shop's conversations."""

    def entry(buyer: int, history: History) -> Entry:
        def make() -> dict[str, Any]:
            return {
                "id": conversation_id(records, buyer),
                "participant_count": 2,
                "can_send_message": True,
                "unread_count": 0,
                "create_time": history.created + _HOUR,
                "participants": list(_people(records, buyer)),
                "latest_message": _messages(records, history)[-1],
                "cur_session_id": records.id("7496", 107, buyer),
                "cur_session": {"id": records.id("7496", 107, buyer), "phase": "CLOSED"},
            }

        return Entry(make, {"create_time": history.created + _HOUR}, {"id": conversation_id(records, buyer)})

    found = _asked(records)
    return records.made("conversations", lambda: Table({buyer: entry(buyer, one) for buyer, one in found.items()}))


def messages(records: ShopRecords, wanted: str) -> Table:
    """Return the messages of a conversation.

    :raises Refusal: 36009004 when the shop has none of that id.
    """
    for buyer, history in _asked(records).items():
        if conversation_id(records, buyer) == wanted:
            rows = _messages(records, history)
            return Table({place: _entry(row) for place, row in enumerate(rows)})
    raise refuse(36009004, "Invalid 'conversation_id'")


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(lambda: row, {"create_time": row["create_time"]})


def sessions(records: ShopRecords) -> Table:
    """Return the session of each conversation."""

    def entry(buyer: int, history: History) -> Entry:
        begin = history.created + _HOUR
        row = {
            "id": records.id("7496", 107, buyer),
            "conversation_id": conversation_id(records, buyer),
            "begin_time": begin,
            "end_time": _messages(records, history)[-1]["create_time"],
            "buyer_nickname": _people(records, buyer)[0]["nickname"],
            "chat_tags": [],
            "satisfaction_score": 5,
            "dissatisfaction_reason": "",
            "first_response_late": False,
            "first_response_time": 300,
        }
        return Entry(lambda: row, {"begin_time": begin}, {"nickname": row["buyer_nickname"]})

    found = _asked(records)
    return records.made("sessions", lambda: Table({buyer: entry(buyer, one) for buyer, one in found.items()}))
