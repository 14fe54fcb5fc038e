"""What a row of each stream looks like, as documented: nested field names and types, one JSON file a family."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["Fields", "schema_of"]

Fields = dict[str, Any]
"""Field name to type: ``string``, ``int`` or ``bool``, an object of fields, or a list with the one type of its items.

An object without fields is one whose content is not documented. Ids are ``string`` also where the service sends
numbers: they exceed what some readers can hold, and their type changes between versions. Amounts are strings too."""


@cache
def _family(name: str) -> dict[str, Fields]:
    text = (resources.files(__package__) / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Fields] = json.loads(text)
    return found


def schema_of(stream: Stream) -> Fields:
    """Return the fields of a stream's rows in the version that it declares, those added by the engine included.

    Read-only: the result is shared. Rows may hold more, because the service adds fields without notice.

    :raises LookupError: the stream is not one of the registry's.
    """
    try:
        return _family(stream.family)[stream.name]
    except (KeyError, FileNotFoundError):
        raise LookupError(f"no schema is known for the stream {stream.name}") from None
