"""Tables of rows that are written only when a page shows them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Entry", "Table", "table_of"]

INDEX_BITS = 24
INDEX_MASK = (1 << INDEX_BITS) - 1
_GREATEST = (1 << 38) - 1
_KEPT = 64

# A range on one of the times: field, first second included, first second no longer included.
Range = tuple[str, int, int]
# What a tag must be: one of these values.
Choice = tuple[str, tuple[Any, ...]]


class Entry(NamedTuple):
    """One row: what it is searched and sorted by, and how to write it.

    ``times`` holds Unix seconds, or any other number that rows are sorted by; ``tags`` what filters compare.
    """

    make: Callable[[], dict[str, Any]]
    times: dict[str, int] = {}  # noqa: RUF012 - never written to
    tags: dict[str, Any] = {}  # noqa: RUF012 - never written to


@dataclass(slots=True)
class Table:
    """Rows by a number that stays the same for as long as the row exists.

    :param extra: fields that stand beside the list in the answer.
    """

    entries: dict[int, Entry]
    extra: dict[str, Any] = field(default_factory=dict)
    rendered: dict[Any, bytes] = field(default_factory=dict)
    _sorted: dict[str, array[int]] = field(default_factory=dict)
    _matches: dict[Any, array[int]] = field(default_factory=dict)

    def matching(self, sort: str, ranges: tuple[Range, ...] = (), choices: tuple[Choice, ...] = ()) -> array[int]:
        """Return the keys of all rows that match, sorted by ``sort`` ("" for the order of the numbers)."""
        if not ranges and not choices:
            return self._keys(sort)
        found = self._matches.get((sort, ranges, choices))
        if found is None:
            keys = self._keys(sort)
            for name, ge, lt in ranges:
                if name == sort:
                    keys = keys[bisect_left(keys, _edge(ge)) : max(bisect_left(keys, _edge(lt)), 0)]
            found = array("q", (key for key in keys if self._fits(self.entries[key & INDEX_MASK], ranges, choices)))
            if len(self._matches) >= _KEPT:
                self._matches.clear()
            self._matches[sort, ranges, choices] = found
        return found

    def _keys(self, sort: str) -> array[int]:
        keys = self._sorted.get(sort)
        if keys is None:
            keys = array("q", sorted(_key(entry.times.get(sort, 0), index) for index, entry in self.entries.items()))
            self._sorted[sort] = keys
        return keys

    @staticmethod
    def _fits(entry: Entry, ranges: tuple[Range, ...], choices: tuple[Choice, ...]) -> bool:
        for name, ge, lt in ranges:
            # A row that has no such time, as one that was never paid, is in no range of it.
            if not ge <= entry.times.get(name, -1) < lt:
                return False
        for name, wanted in choices:
            value = entry.tags.get(name)
            if not (any(item in wanted for item in value) if isinstance(value, tuple) else value in wanted):
                return False
        return True


def table_of(rows: Iterable[dict[str, Any]], extra: dict[str, Any] | None = None) -> Table:
    """Return a table of rows that are at hand already and that nothing searches."""
    return Table({index: Entry(_giver(row)) for index, row in enumerate(rows)}, extra or {})


def _giver(row: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    return lambda: row


def _key(value: int, index: int) -> int:
    return min(max(value, 0), _GREATEST) << INDEX_BITS | index


def _edge(value: int) -> int:
    return min(max(value, 0), _GREATEST + 1) << INDEX_BITS
