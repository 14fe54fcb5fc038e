"""Hold what a task extracted, of whichever stream, against what the emulator knows to be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract import read_rows
from airflow_provider_tiktokshop.extract.rows import dig
from airflow_provider_tiktokshop.streams.base import Stream
from airflow_provider_tiktokshop.testing import EmulatorProcess

__all__ = ["check_rows"]


def check_rows(manifest: Mapping[str, Any], emulator: EmulatorProcess, zone: str = "Europe/London", **who: str) -> int:
    """Check that a manifest's files hold each true row of its interval once and no other, and return how many there are.

    :param manifest: what an extraction task returned
    :param zone: the shop's time zone
    :param who: more of whose rows they are, as the emulator names it: an ``open_id``, a ``category_asset_cipher``
    """
    stream = streams.get(manifest["stream"])
    found = Counter(tuple(str(dig(row, field)) for field in stream.primary_key) for row in read_rows(dict(manifest)))
    whose = {"shop_id": manifest["shop_id"]} if manifest["shop_id"] else {"open_id": manifest["open_id"]}
    truth = {_true_key(stream, row) for row in _truth(stream, manifest, emulator, ZoneInfo(zone), whose | who)}
    assert set(found.values()) <= {1}, (
        f"{stream.name}: {[key for key, times in found.items() if times > 1][:3]} doubled"
    )
    missing, surplus = truth - found.keys(), found.keys() - truth
    assert not missing | surplus, f"{stream.name}: {len(missing)} missing, {len(surplus)} too many of {len(truth)}"
    assert manifest["rows"] == len(truth)
    return len(truth)


def _true_key(stream: Stream, row: Mapping[str, Any]) -> tuple[str, ...]:
    # The emulator names a field as it stands in the answer, which the list's key may be a part of.
    return tuple(str(row[field] if field in row else row[f"{stream.list_key}.{field}"]) for field in stream.primary_key)


def _truth(
    stream: Stream, manifest: Mapping[str, Any], emulator: EmulatorProcess, zone: ZoneInfo, whose: dict[str, str]
) -> list[dict[str, Any]]:
    start, end = (_unix(manifest[name]) for name in ("start", "complete_until"))
    since = start - manifest["options"]["lookback"]
    filters = manifest["options"]["filters"]
    source = stream
    while source.parent is not None:
        source = streams.get(source.parent.stream)
    cursor = source.cursor(manifest["cursor_field"])
    if cursor is None:
        return emulator.true_rows(stream.name, **whose, **filters)
    if cursor.kind != "date":
        return emulator.true_rows(stream.name, cursor=cursor.field, ge=since, lt=end, **whose, **filters)
    return [
        row | {"date": str(day), "start_date": str(day)}
        for day in _days(since, end, zone)
        for row in emulator.true_rows(
            stream.name, date=day, start_date_ge=day, end_date_lt=day + timedelta(days=1), **whose, **filters
        )
    ]


def _days(since: int, end: int, zone: ZoneInfo) -> list[date]:
    """Return the shop's days whose last midnight lies in (since, end]."""
    first = datetime.fromtimestamp(since, zone).date() - timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((end - since) // 86_400 + 3)]

    def over(day: date) -> int:
        after = day + timedelta(days=1)
        return int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp())

    return [day for day in days if since < over(day) <= end]


def _unix(moment: str) -> int:
    return int(datetime.fromisoformat(moment).astimezone(UTC).timestamp())
