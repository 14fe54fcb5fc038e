"""What a stream is: everything the engine must know of a resource, as one frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.api.paging import TokenPlace

__all__ = ["DAY", "EVER", "Cursor", "Filter", "Paging", "Parent", "Place", "Stream"]

Place = Literal["query", "body"]

DAY: Final = 86_400
"""Seconds."""
EVER: Final = 20 * 365 * DAY
"""A look-back that reaches to the beginning of every shop."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a stream is paged.

    :param size_max: most rows of a page. The engine asks for that many: fewer requests, same rows. ``None`` where the
        endpoint decides. Where no limit is documented it is 20, which no endpoint is known to refuse.
    :param size_min: fewest rows that may be asked for.
    :param token_in: where ``page_size`` and ``page_token`` go; ``None`` means that one answer holds everything.
    """

    size_max: int | None = 100
    size_min: int = 1
    token_in: TokenPlace = "query"  # noqa: S105 - a place, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A time field that a window selects rows by.

    :param field: the row's field. Unix seconds, as a number or as text; for ``date`` a calendar day.
    :param ge: the parameter for the window's start, included. Dots lead into objects of a body.
    :param lt: the parameter for the window's end; ``None`` where one day is all that a request can ask for.
    :param where: where both go.
    :param kind: what the parameters take: Unix ``seconds``, a ``date`` (``YYYY-MM-DD``, the shop's calendar; see
        :mod:`airflow_provider_tiktokshop.streams.calendar`), or a ``datetime`` (ISO 8601, UTC).
    :param inclusive_end: ``lt`` is a ``_le``: it includes its value, so one second less is sent.
    :param sort_field: the ``sort_field`` that gives rows in this cursor's order. ``None``: the endpoint does not sort
        by it, so a disturbed window is read again from its start instead of from the last row seen.
    :param sort_in: where ``sort_field`` and ``sort_order`` go.
    :param daily: the endpoint adds up all days of a request, so each day needs a request of its own.
    :param into: field of the row that receives the day, for rows that do not say which day they are about.
    """

    field: str
    ge: str
    lt: str | None
    where: Literal["path", "query", "body"]
    kind: Literal["seconds", "date", "datetime"] = "seconds"
    inclusive_end: bool = False
    sort_field: str | None = None
    sort_in: Literal["query", "body.sort"] = "query"
    daily: bool = False
    into: str | None = None

    @property
    def params(self) -> tuple[str, ...]:
        """The parameters that a window sets."""
        return (self.ge,) if self.lt is None else (self.ge, self.lt)

    def __post_init__(self) -> None:
        if (self.lt is None or self.into) and not self.daily:
            raise ValueError(f"{self.field}: only a request for one day can do without an end, or tell a row its day")
        if self.daily and self.kind != "date":
            raise ValueError(f"{self.field}: only dates go day by day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition that a user may add.

    :param name: as the endpoint names it. Dots lead into objects of a body.
    :param where: where it goes.
    :param kind: type of the value that the endpoint takes.
    :param most: most items of a list.
    :param known: documented values, for people to read. The service adds values without notice, so others pass.
    :param required: the endpoint refuses to answer without it, and nobody but the user can know the value.
    """

    name: str
    where: Place
    kind: Literal["text", "integer", "boolean", "texts", "integers"] = "text"
    most: int | None = None
    known: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """Where a stream gets the ids from that its requests are made for.

    :param stream: name of the parent stream.
    :param field: the parent row's field that holds the id.
    :param param: the parameter, or the placeholder of ``path``, that the id goes to.
    :param where: where that is.
    :param batch: most ids of one request; more than one are joined by commas, or sent as a list in a body.
    :param into: field of the child row that receives the parent's id, for rows that do not name their parent. Only
        where a request asks for one id.
    :param only: fields of the parent's row and what they must hold; other parents are not asked for.
    """

    stream: str
    field: str
    param: str
    where: Literal["path", "query", "body"]
    batch: int = 1
    into: str | None = None
    only: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.where == "path" and self.batch != 1:
            raise ValueError(f"{self.stream}: a path takes one id, not {self.batch}")
        if self.into and self.batch != 1:
            raise ValueError(f"{self.stream}: of {self.batch} parents nobody knows whose a row is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One extractable resource of TikTok Shop.

    :param name: the name that users type.
    :param family: the group it belongs to, as the API reference groups its pages.
    :param doc: title of its API page.
    :param method: HTTP method.
    :param path: path with the placeholder ``{version}``, and the parent's or the cursor's if such a value goes there.
    :param version: newest known version; overridable per run, because TikTok retires versions.
    :param list_key: key under ``data`` that holds the rows, dotted if it lies deeper; ``None`` when ``data`` itself is
        the row.
    :param primary_key: fields that together name a row within the shop; dots lead into objects.
    :param version_field: field that grows when a row changes: the row with the greater one is the newer version. By
        default the cursor.
    :param paging: how it is paged.
    :param cursors: the time fields that windows can select by; none: every run reads everything. A stream with a parent
        and a cursor of its own is asked for the day of each parent.
    :param default_cursor: the cursor used unless the user names another; it should be the change feed.
    :param lookback: seconds to reach back before an interval's start, for rows that became visible, or changed, late.
    :param settle: seconds that an interval's end must lie in the past, for rows not yet visible.
    :param window_cap: longest window in seconds that the endpoint accepts.
    :param history: seconds before now beyond which the endpoint refuses to look.
    :param result_cap: most rows that one query can be paged through; a window with more is split.
    :param parent: the stream that this one gets its ids from.
    :param params: constant query parameters; a filter of the same name replaces one.
    :param body: constant body fields, in the same way.
    :param filters: conditions that a user may add.
    :param needs_shop_cipher: whether ``shop_cipher`` must be sent. Where it need not be it must not.
    :param needs_asset_cipher: whether ``category_asset_cipher`` must be sent: affiliate partners' endpoints.
    :param user_type: whose authorization it takes: 0 seller, 1 creator, 3 partner.
    :param scope: the scope that the authorization must have been granted; ``None`` where none is documented.
    :param personal_fields: dotted paths of what identifies a person: buyers first, also creators, agents and contact
        persons. A path goes through lists by itself.
    :param carry: fields beside the list that every row receives, because the row means little without them.
    :param scalar: field that holds the value when the list holds plain values instead of objects.
    :param shop_field: field that receives the shop's id, for the one row of a shop that does not name it.
    :param only_in: regions of the shops that have it, where not all do.
    :param not_in: regions of the shops that are known not to have it.
    :param note: what a user should know: what its look-back is for, what it leaves out.
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
    history: int | None = None
    result_cap: int | None = None
    parent: Parent | None = None
    params: Mapping[str, Any] = field(default_factory=_nothing)
    body: Mapping[str, Any] = field(default_factory=_nothing)
    filters: tuple[Filter, ...] = ()
    needs_shop_cipher: bool = True
    needs_asset_cipher: bool = False
    user_type: int = 0
    scope: str | None = None
    personal_fields: tuple[str, ...] = ()
    carry: tuple[str, ...] = ()
    scalar: str | None = None
    shop_field: str | None = None
    only_in: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    note: str = ""

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

    @property
    def added_fields(self) -> tuple[str, ...]:
        """Fields that a row gets from around it: see ``carry``, ``shop_field``, ``Parent.into`` and ``Cursor.into``."""
        around = (self.shop_field, self.parent and self.parent.into, *(cursor.into for cursor in self.cursors))
        return (*self.carry, *(name for name in around if name))

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

    def offered_in(self, region: str) -> bool:
        """Return whether shops of a region are expected to have it. The service is asked all the same: markets open."""
        return region not in self.not_in and (not self.only_in or region in self.only_in)

    def path_of(self, version: str | None = None) -> str:
        """Return the path with its version filled in; a parent's placeholder stays."""
        return self.path.replace("{version}", version or self.version)
