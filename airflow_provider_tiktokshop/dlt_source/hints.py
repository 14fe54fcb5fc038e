"""What dlt must know of a stream's table before the first row: columns and their types, keys, how rows are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tiktokshop.streams.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["DEEP", "READ_AT", "REMOVED", "key_columns", "nothing_left", "table_hints"]

READ_AT: Final = "_read_at"
"""When a row was read; only for streams whose rows do not say when they changed."""
REMOVED: Final = "_removed"
"""Marks, on its way to the destination only, that a snapshot has no rows. No loaded row has a value in it."""
DEEP: Final = 1000
"""Levels of nesting that dlt makes tables of unless told otherwise."""

_TYPES: Final = {"string": "text", "int": "bigint", "bool": "bool"}
# A primary key must not be null, also not that of the row that only says that there are none.
_EMPTY: Final[dict[str, Any]] = {"text": "", "bigint": 0, "bool": False}


def table_hints(
    stream: Stream, owner: Iterable[str], *, snapshot: bool, pii: str, max_table_nesting: int | None
) -> dict[str, Any]:
    """Return the arguments of ``dlt.resource`` that describe a stream's table.

    :param stream: the stream.
    :param owner: the columns that tell owners apart.
    :param snapshot: every run reads everything: what is not in it any more goes.
    :param pii: personal fields that are dropped have no column, hashed ones are text.
    :param max_table_nesting: levels of objects and lists that become columns and tables; what is deeper becomes JSON.
    """
    owner, tables = tuple(owner), _tables(stream, pii, DEEP if max_table_nesting is None else max_table_nesting)
    columns = {name: {"data_type": "text"} for name in owner} | tables.pop(())["columns"]
    if stream.version_field is None:
        columns[READ_AT] = {"data_type": "timestamp", "nullable": False}
    # Of two versions of a row in one load, which is what a change while paging gives, the newer one stays.
    columns[stream.version_field or READ_AT]["dedup_sort"] = "desc"
    if snapshot:
        columns[REMOVED] = {"data_type": "bool", "hard_delete": True}
    return {
        "columns": _named(columns),
        "nested_hints": {path: {**table, "columns": _named(table["columns"])} for path, table in tables.items()},
        "primary_key": [*owner, *key_columns(stream, owner)],
        # An owner's snapshot is replaced whole, those of others stay.
        "merge_key": list(owner) if snapshot else None,
        "write_disposition": {"disposition": "merge", "strategy": "delete-insert"},
        "max_table_nesting": max_table_nesting,
    }


def key_columns(stream: Stream, owner: Iterable[str]) -> list[str]:
    """Return the columns of a stream's primary key that are not among the owner's."""
    return ["__".join(path.split(".")) for path in stream.primary_key if path not in set(owner)]


def nothing_left(stream: Stream, owner: Mapping[str, str]) -> dict[str, Any]:
    """Return the row that makes dlt remove all rows of an owner and put none in their place."""
    columns = _tables(stream, "keep", DEEP)[()]["columns"]
    key = {name: _EMPTY[columns[name]["data_type"]] for name in key_columns(stream, owner)}
    return {**key, **owner, REMOVED: True}


def _tables(stream: Stream, pii: str, deep: int) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the columns of a stream's table, at ``()``, and of those that its lists become, at their paths."""
    fields = schema_of(stream)
    if pii != "keep":
        for path in stream.personal_fields:
            fields = _protected(fields, path.split("."), pii)
    tables: dict[tuple[str, ...], dict[str, Any]] = {}
    _add_table(tables, stream.name, (), fields, deep)
    return tables


def _add_table(
    tables: dict[tuple[str, ...], dict[str, Any]], root: str, at: tuple[str, ...], fields: Mapping[str, Any], deep: int
) -> None:
    columns: dict[str, Any] = {}
    tables[at] = {"columns": columns}

    def add(fields: Mapping[str, Any], inside: tuple[str, ...]) -> None:
        for name, kind in fields.items():
            path = (*inside, name)
            if isinstance(kind, str):
                columns["__".join(path)] = {"data_type": _TYPES[kind]}
            elif kind in ({}, [{}]) or deep <= len(inside):
                columns["__".join(path)] = {"data_type": "json"}
            elif isinstance(kind, dict):
                add(kind, path)
            else:
                (item,) = kind
                _add_table(tables, root, (*at, *path), item if isinstance(item, dict) else {"value": item}, deep - 1)
                if inside:
                    # dlt takes the object for a table of its own.
                    tables[*at, *path]["parent_table_name"] = "__".join((root, *at))

    add(fields, ())


def _protected(fields: Any, path: list[str], pii: str) -> Any:
    """Return what is left of an object's fields when a personal one of them is dropped or hashed."""
    if isinstance(fields, list):
        return [_protected(item, path, pii) for item in fields]
    name, *below = path
    if not isinstance(fields, dict) or name not in fields:
        return fields
    if below and (left := _protected(fields[name], below, pii)) not in ({}, [{}]):
        return {**fields, name: left}
    # An object of which nothing is left is none whose content is not documented.
    if below or pii == "drop":
        return {other: kind for other, kind in fields.items() if other != name}
    return {**fields, name: _hashed(fields[name])}


def _hashed(kind: Any) -> Any:
    if isinstance(kind, dict):
        return {name: _hashed(below) for name, below in kind.items()}
    return [_hashed(item) for item in kind] if isinstance(kind, list) else "string"


def _named(columns: Mapping[str, Any]) -> dict[str, Any]:
    # In the columns of nested tables dlt wants the name inside as well.
    return {name: {"name": name, **column} for name, column in columns.items()}
