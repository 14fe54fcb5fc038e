"""Finds rows that were written more than once, and leaves the latest version of each.

While a window is read a row can come in an older and in a newer version. Nothing is looked up while writing: 64 bits a row
are kept, and only when two of them are equal are files opened.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from airflow_provider_tiktokshop.extract.parts import WindowParts
    from airflow_provider_tiktokshop.extract.rows import Identity

__all__ = ["repeated", "resolve"]

_PER_BUCKET: Final = 1 << 16
_Place = tuple[int, int, int]  # window, part, row


def resolve(windows: Sequence[WindowParts], identity: Identity) -> int:
    """Remove from the closed parts every row that a later version supersedes, or that stands there twice.

    :param windows: the windows of a run, all closed.
    :param identity: tells rows and their versions apart.
    :returns: how many rows were removed.
    """
    doubtful = repeated([window.index for window in windows])
    if not doubtful:
        return 0
    latest: dict[Hashable, tuple[int, _Place]] = {}
    dropped: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for number, window in enumerate(windows):
        for part, places in _places(window, doubtful):
            for place, row in window.rows_at(part, places):
                key = identity.key(row)
                # A row without a version loses to any other; between equals the one read later wins.
                version = identity.version(row) or 0
                here = (number, part, place)
                before = latest.get(key)
                if before is None or version >= before[0]:
                    latest[key] = (version, here)
                    here = before[1] if before else None  # type: ignore[assignment]
                if here is not None:
                    dropped[here[0], here[1]].add(here[2])
    for (number, part), places in dropped.items():
        windows[number].drop(part, places)
    return sum(map(len, dropped.values()))


def repeated(indexes: Sequence[array[int]]) -> set[int]:
    """Return the values that occur more than once in all the arrays together.

    They are spread over buckets first, so that the memory used at a time stays small however many there are.
    """
    total = sum(map(len, indexes))
    mask = (1 << max(0, (total // _PER_BUCKET).bit_length())) - 1
    buckets = [array("q") for _ in range(mask + 1)]
    for index in indexes:
        for value in index:
            buckets[value & mask].append(value)
    found: set[int] = set()
    for bucket in buckets:
        if len(set(bucket)) != len(bucket):
            found.update(value for value, count in Counter(bucket).items() if count > 1)
    return found


def _places(window: WindowParts, doubtful: set[int]) -> list[tuple[int, set[int]]]:
    found: list[tuple[int, set[int]]] = []
    start = 0
    for number, part in enumerate(window.parts):
        values = window.index[start : start + part.rows]
        places = {place for place, value in enumerate(values) if value in doubtful}
        if places:
            found.append((number, places))
        start += part.rows
    return found
