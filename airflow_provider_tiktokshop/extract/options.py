"""Checks single options of an extraction before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tiktokshop.extract.errors import OptionError
from airflow_provider_tiktokshop.extract.windows import MOST_WINDOWS
from airflow_provider_tiktokshop.streams.base import Filter

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.streams.base import Cursor, Stream

__all__ = ["allowed_filters", "checked_count", "checked_filters", "checked_size", "checked_versions", "merged_filters"]

_TYPES: Final[dict[str, tuple[type, str]]] = {
    "text": (str, "a text"),
    "integer": (int, "an integer"),
    "boolean": (bool, "True or False"),
    "texts": (str, "a list of texts"),
    "integers": (int, "a list of integers"),
}


def checked_count(windows: Any) -> int | None:
    """Return how many windows were asked for, ``None`` for no wish."""
    if windows is None or windows == "":
        return None
    try:
        count = int(windows)
    except (TypeError, ValueError):
        count = 0
    if isinstance(windows, bool) or not 1 <= count <= MOST_WINDOWS:
        raise OptionError(f"windows is {windows!r}.", advice=f"It is a number from 1 to {MOST_WINDOWS}, or None.")
    return count


def checked_size(stream: Stream, page_size: int | None) -> int | None:
    """Return how many rows to ask for, ``None`` where the endpoint takes no such number."""
    paging = stream.paging
    if page_size is None:
        return paging.size_max if paging.token_in else None
    if not paging.token_in:
        raise OptionError(f"Stream {stream.name} does not page.", advice="Leave page_size out.")
    if paging.size_max is None:
        raise OptionError(f"Stream {stream.name} has pages of its own size.", advice="Leave page_size out.")
    if not paging.size_min <= page_size <= paging.size_max:
        raise OptionError(
            f"page_size is {page_size}.", advice=f"{stream.name} takes {paging.size_min} to {paging.size_max}."
        )
    return page_size


def checked_versions(version: Any, stream: Stream, used: set[str]) -> dict[str, str]:
    """Return the versions of endpoints that were asked for, by stream.

    :param version: that of the stream, or a mapping from streams to versions: those that it gets its ids from have some too.
    :param used: the streams that are asked.
    """
    if not version:
        return {}
    versions = {str(name): str(of) for name, of in version.items()} if isinstance(version, Mapping) else {}
    if strange := versions.keys() - used:
        raise OptionError(
            f"version names {', '.join(sorted(strange))}, which is not asked for {stream.name}.",
            advice=f"It may name: {', '.join(sorted(used))}.",
        )
    return versions or {stream.name: str(version)}


def allowed_filters(stream: Stream, cursor: Cursor | None) -> list[Filter]:
    """Return the filters of a stream, bounds of the cursors that are not used included."""
    others = [
        Filter(name=name, where=other.where, kind="integer")
        for other in stream.cursors
        if other is not cursor and other.where != "path"
        for name in other.params
    ]
    return [*stream.filters, *others]


def checked_filters(stream: Stream, cursor: Cursor | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters with the values as the endpoint takes them, in the order of their names."""
    allowed = {item.name: item for item in allowed_filters(stream, cursor)}
    checked: dict[str, Any] = {}
    for name, value in sorted(given.items()):
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            ours = cursor is not None and name in cursor.params
            why = f"start and end set {name}" if ours else f"stream {stream.name} has no filter {name!r}"
            raise OptionError(f"{why}.", advice=f"Its filters are: {known}.")
        wanted = allowed[name]
        kind, words = _TYPES[wanted.kind]
        several = wanted.kind in {"texts", "integers"}
        values = list(value) if several and isinstance(value, (list, tuple)) else [value]
        # A bool is an int to Python; to the service it is not.
        if any(not isinstance(item, kind) or (kind is int and isinstance(item, bool)) for item in values) or (
            several and not isinstance(value, (list, tuple))
        ):
            raise OptionError(f"Filter {name} of stream {stream.name} is {value!r}.", advice=f"It takes {words}.")
        if wanted.most and len(values) > wanted.most:
            raise OptionError(f"Filter {name} has {len(values)} values.", advice=f"It takes at most {wanted.most}.")
        checked[name] = values if several else value
    if missing := [item for item in allowed.values() if item.required and item.name not in checked]:
        raise OptionError(
            f"Stream {stream.name} needs the filter {missing[0].name}.",
            advice=f"It is {' or '.join(missing[0].known)}." if missing[0].known else "Add it to filters.",
        )
    return checked


def merged_filters(
    source: Stream, below: tuple[Stream, ...], cursor: Cursor | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the filters of a stream and of those that it gets its ids from; each goes wherever it is known."""
    checked: dict[str, Any] = {}
    for stream in below:
        known = {item.name for item in stream.filters}
        checked |= checked_filters(stream, None, {name: value for name, value in given.items() if name in known})
    ours = {item.name for item in allowed_filters(source, cursor)}
    rest = {name: value for name, value in given.items() if name in ours or name not in checked}
    return dict(sorted((checked | checked_filters(source, cursor, rest)).items()))
