"""What a stream is: everything the engine must know of a resource, as one frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.api.paging import TokenPlace

__all__ = ["Cursor", "Filter", "Paging", "Parent", "Place", "Stream"]

Place = Literal["query", "body"]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a stream is paged.

    :param size_max: most rows of a page. The engine asks for that many: fewer requests, same rows.
    :param size_min: fewest rows that may be asked for.
    :param token_in: where ``page_size`` and ``page_token`` go; ``None`` means that one answer holds everything.
    """

    size_max: int = 100
    size_min: int = 1
    token_in: TokenPlace = "query"  # noqa: S105 - a place, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A time field that a window selects rows by.

    :param field: the row's field, Unix seconds.
    :param ge: the parameter for the window's start, included.
    :param lt: the parameter for the window's end.
    :param where: where both go.
    :param inclusive_end: ``lt`` is a ``_le``: it includes its value, so the engine sends one second less.
    :param sort_field: the ``sort_field`` that gives rows in this cursor's order. ``None``: the endpoint does not sort
        by it, so a disturbed window is read again from its start instead of from the last row seen.
    """

    field: str
    ge: str
    lt: str
    where: Place
    inclusive_end: bool = False
    sort_field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition that a user may add.

    :param name: as the endpoint names it.
    :param where: where it goes.
    :param kind: type of the value that the endpoint takes.
    :param most: most items of a list.
    :param known: documented values, for people to read. The service adds values without notice, so others pass.
    """

    name: str
    where: Place
    kind: Literal["text", "integer", "boolean", "texts", "integers"] = "text"
    most: int | None = None
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Where a stream gets the ids from that its requests are made for.

    :param stream: name of the parent stream.
    :param field: the parent row's field that holds the id.
    :param param: the parameter, or the placeholder of ``path``, that the id goes to.
    :param where: where that is.
    :param batch: most ids of one request; more than one are joined by commas, or sent as a list in a body.
    :param into: field of the child row that receives the parent's id, for rows that do not name their parent.
    """

    stream: str
    field: str
    param: str
    where: Literal["path", "query", "body"]
    batch: int = 1
    into: str | None = None

    def __post_init__(self) -> None:
        if self.where == "path" and self.batch != 1:
            raise ValueError(f"{self.stream}: a path takes one id, not {self.batch}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One extractable resource of TikTok Shop.

    :param name: the name that users type.
    :param family: the group it belongs to, as the API reference groups its pages.
    :param doc: title of its API page.
    :param method: HTTP method.
    :param path: path with the placeholder ``{version}``, and the parent's if the id goes there.
    :param version: newest known version; overridable per run, because TikTok retires versions.
    :param list_key: key under ``data`` that holds the rows; ``None`` when ``data`` itself is the row.
    :param primary_key: fields that together name a row within the shop.
    :param version_field: field that grows when a row changes: the row with the greater one is the newer version. Default:
        the cursor.
    :param paging: how it is paged.
    :param cursors: the time fields that windows can select by; none: every run reads everything.
    :param default_cursor: the cursor used unless the user names another; it should be the change feed.
    :param lookback: seconds to reach back before an interval's start, for rows that became visible, or changed, late.
    :param settle: seconds that an interval's end must lie in the past, for rows not yet visible.
    :param window_cap: longest window in seconds that the endpoint accepts.
    :param result_cap: most rows that one query can be paged through; a window with more is split.
    :param parent: the stream that this one gets its ids from.
    :param params: constant query parameters.
    :param body: constant body fields.
    :param filters: conditions that a user may add.
    :param needs_shop_cipher: whether ``shop_cipher`` must be sent. Where it need not be it must not.
    :param user_type: whose authorization it takes: 0 seller, 1 creator, 3 partner.
    :param scope: the scope that the authorization must have been granted.
    :param personal_fields: dotted paths of what identifies a buyer; a path goes through lists by itself.
    """

    name: str
    family: str
    doc: str
    method: Literal["GET", "POST"]
    path: str
    version: str
    list_key: str | None
    primary_key: tuple[str, ...]
    version_field: str | None = None
    paging: Paging = field(default_factory=Paging)
    cursors: tuple[Cursor, ...] = ()
    default_cursor: str | None = None
    lookback: int = 300
    settle: int = 60
    window_cap: int | None = None
    result_cap: int | None = None
    parent: Parent | None = None
    params: Mapping[str, Any] = field(default_factory=_nothing)
    body: Mapping[str, Any] = field(default_factory=_nothing)
    filters: tuple[Filter, ...] = ()
    needs_shop_cipher: bool = True
    user_type: int = 0
    scope: str | None = None
    personal_fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.primary_key:
            raise ValueError(f"{self.name}: a stream needs a primary key")
        if self.cursors and self.default_cursor not in {cursor.field for cursor in self.cursors}:
            raise ValueError(f"{self.name}: default_cursor must be one of its cursors")
        # Rows are told apart in the written files too, where personal fields are hashed or gone.
        engine_fields = {*self.primary_key, *(cursor.field for cursor in self.cursors), self.version_field}
        if personal := engine_fields.intersection(self.personal_fields):
            raise ValueError(
                f"{self.name}: {sorted(map(str, personal))} cannot be personal: the engine needs to read them"
            )

    def cursor(self, field: str | None = None) -> Cursor | None:
        """Return the cursor on ``field``, by default the stream's own; ``None`` for a stream without cursors.

        :raises ValueError: the stream has no cursor of that name.
        """
        if field is None and not self.cursors:
            return None
        wanted = field or self.default_cursor
        for cursor in self.cursors:
            if cursor.field == wanted:
                return cursor
        known = ", ".join(cursor.field for cursor in self.cursors) or "none: every run reads everything"
        raise ValueError(f"stream {self.name} has no cursor {wanted!r}; it has: {known}")

    def path_of(self, version: str | None = None) -> str:
        """Return the path with its version filled in; a parent's placeholder stays."""
        return self.path.replace("{version}", version or self.version)
