"""How the engine tells rows apart: which row it is, when it changed, which version is newer."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.extract.errors import ExtractionError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import tzinfo

__all__ = ["Identity", "Row", "dig", "whole_seconds"]

Row = dict[str, Any]


class Identity:
    """Reads a row's primary key, cursor and version.

    A key is text: ids come as numbers or as text, and a format may store either as the other.

    :param primary_key: fields that together name the row; dotted paths reach into objects.
    :param cursor_field: the time field that windows select by, ``None`` for a stream without.
    :param version_field: the field that grows when the row changes, ``None`` for the cursor.
    :param dates: the time zone, when the cursor is a calendar day.
    """

    def __init__(
        self,
        primary_key: tuple[str, ...],
        cursor_field: str | None = None,
        version_field: str | None = None,
        dates: tzinfo | None = None,
    ) -> None:
        self.primary_key = primary_key
        self.cursor_field = cursor_field
        # The day of a figure says nothing of when it was restated.
        self._version_field = version_field or (None if dates else cursor_field)
        self._dates = dates
        self.key: Callable[[Row], Hashable] = self._single() if len(primary_key) == 1 else self._compound()

    def cursor(self, row: Row) -> int | None:
        """Return the row's cursor in Unix seconds, ``None`` if it has none. Some endpoints send times as text."""
        if self.cursor_field is None:
            return None
        value = row.get(self.cursor_field)
        if self._dates is not None:
            return _midnight(value, self._dates) if isinstance(value, str) else None
        return whole_seconds(value)

    def version(self, row: Row) -> int | None:
        """Return a number that is greater for a newer version of the row, ``None`` if it has none."""
        return whole_seconds(row.get(self._version_field)) if self._version_field else None

    def _single(self) -> Callable[[Row], Hashable]:
        (field,) = self.primary_key

        def key(row: Row) -> Hashable:
            value = row.get(field) if "." not in field else dig(row, field)
            if value is None:
                raise self._keyless()
            return value if type(value) is str else str(value)

        return key

    def _compound(self) -> Callable[[Row], Hashable]:
        fields = self.primary_key

        def key(row: Row) -> Hashable:
            values = [dig(row, field) for field in fields]
            if None in values:
                raise self._keyless()
            return tuple([value if type(value) is str else str(value) for value in values])

        return key

    def _keyless(self) -> ExtractionError:
        return ExtractionError(
            f"A row came without its primary key ({', '.join(self.primary_key)}).",
            advice="The endpoint's version may have renamed the field: check the version option against the API page.",
        )


def dig(row: Any, path: str) -> Any:
    """Return the value at a dotted path, ``None`` when any step is missing."""
    for step in path.split("."):
        if not isinstance(row, dict):
            return None
        row = row.get(step)
    return row


@lru_cache(maxsize=1024)
def _midnight(value: str, zone: tzinfo) -> int | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def whole_seconds(value: Any) -> int | None:
    """Return a time as the service sends it in Unix seconds: a number, its text, or ISO 8601; ``None`` for anything else."""
    if type(value) is int:
        return value
    if value is None or isinstance(value, bool):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        # A number with a fraction stays the same time when a column of texts holds it.
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
