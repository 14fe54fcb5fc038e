"""What passes between a sweep and those who keep its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.client import Page
    from airflow_provider_tiktokshop.extract.rows import Row

__all__ = ["Batch", "Fetch", "Position", "Trust"]


class Fetch(Protocol):
    """Asks for one page of the rows whose cursor lies in [start, end), ascending."""

    def __call__(self, start: int | None, end: int | None, token: str | None) -> Page:
        """Return the page after ``token``, the first for ``None``."""
        ...


@dataclass(slots=True)
class Trust:
    """Whether page tokens and ``total_count`` are believed; shared by the windows of a run, lost by all at once."""

    tokens: bool = True


@dataclass(slots=True)
class Position:
    """How far a window has been read: all that a later run needs to go on.

    :param cursor: every row with a smaller cursor has been read (Unix seconds; 0 for a stream without cursor).
    :param token: the next page's token, valid for a request that starts at the window's start.
    :param total: ``total_count`` of the pages so far.
    :param seen: distinct rows of the pages so far.
    :param by_cursor: tokens are no longer followed.
    :param done: the window is complete.
    :param parents: parents beyond the position, by their ids, whose children are kept already. A page of them at most.
    """

    cursor: int
    token: str | None = None
    total: int | None = None
    seen: int = 0
    by_cursor: bool = False
    done: bool = False
    parents: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS: Final = tuple(one.name for one in fields(Position))


class Batch(NamedTuple):
    """Rows to keep, and the position after them.

    ``restart`` takes back everything that the window has given so far.
    """

    rows: list[Row]
    position: Position
    restart: bool = False
