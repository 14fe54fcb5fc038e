"""Rankings of the whole market."""

from __future__ import annotations

from types import MappingProxyType

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Stream

__all__ = ["STREAMS"]

_A_DAY = (Cursor(field="date", ge="date", lt=None, where="query", kind="date", daily=True, into="date"),)

bestselling_products = Stream(
    name="bestselling_products",
    family="analytics",
    doc="Get Bestselling Products",
    method="GET",
    path="/analytics/{version}/products/bestselling",
    version="202511",
    list_key="products",
    primary_key=("date", "rank"),
    paging=Paging(token_in=None),
    cursors=_A_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    params=MappingProxyType({"time_slot": "1D"}),
    filters=(
        Filter(name="category_id", where="query"),
        Filter(name="time_slot", where="query", known=("1D", "7D", "30D")),
        Filter(name="currency", where="query"),
    ),
    note=(
        "The market's ranking of a day, not the shop's own. Figures are restated for days, so the last seven days "
        "are read again."
    ),
)

bestselling_creators = Stream(
    name="bestselling_creators",
    family="analytics",
    doc="Get Bestselling Creators",
    method="GET",
    path="/analytics/{version}/creators/bestselling",
    version="202511",
    list_key="creators",
    primary_key=("date", "rank"),
    paging=Paging(token_in=None),
    cursors=_A_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    params=MappingProxyType({"time_slot": "1D", "author_type": "ALL"}),
    filters=(
        Filter(name="time_slot", where="query", known=("1D", "7D", "30D")),
        Filter(name="author_type", where="query", known=("AFFILIATE", "ALL", "CHANNEL", "OFFICIAL")),
        Filter(name="currency", where="query", known=("LOCAL", "USD")),
    ),
    personal_fields=("user_name", "nick_name"),
    note=(
        "The market's ranking of a day, not the shop's own. Figures are restated for days, so the last seven days "
        "are read again."
    ),
)

bestselling_videos = Stream(
    name="bestselling_videos",
    family="analytics",
    doc="Get Bestselling Videos",
    method="GET",
    path="/analytics/{version}/videos/bestselling",
    version="202511",
    list_key="videos",
    primary_key=("date", "rank"),
    paging=Paging(token_in=None),
    cursors=_A_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    params=MappingProxyType({"time_slot": "1D"}),
    filters=(
        Filter(name="time_slot", where="query", known=("1D", "7D", "30D")),
        Filter(name="currency", where="query"),
    ),
    personal_fields=("nick_name",),
    note=(
        "The market's ranking of a day, not the shop's own. Figures are restated for days, so the last seven days "
        "are read again."
    ),
)

bestselling_lives = Stream(
    name="bestselling_lives",
    family="analytics",
    doc="Get Bestselling LIVE Sessions",
    method="GET",
    path="/analytics/{version}/lives/bestselling",
    version="202511",
    list_key="lives",
    primary_key=("date", "rank"),
    paging=Paging(token_in=None),
    cursors=_A_DAY,
    default_cursor="date",
    lookback=7 * DAY,
    params=MappingProxyType({"time_slot": "1D"}),
    filters=(
        Filter(name="time_slot", where="query", known=("1D", "7D", "30D")),
        Filter(name="currency", where="query"),
    ),
    personal_fields=("creator_name", "creator_nick_name"),
    note=(
        "The market's ranking of a day, not the shop's own. Figures are restated for days, so the last seven days "
        "are read again."
    ),
)

STREAMS = (bestselling_products, bestselling_creators, bestselling_videos, bestselling_lives)
