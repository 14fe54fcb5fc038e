"""The one table of the SQL token store, and the statements on it.

SQLAlchemy makes the table, words the statements for each database and keeps the connections. The statements themselves run on the
driver's cursor: a rotation has four of them, each one row, and SQLAlchemy's part in running them would be half of the time.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Engine
    from sqlalchemy.sql.expression import ClauseElement
    from sqlalchemy.sql.schema import Table

__all__ = ["TABLE_NAME", "Records", "records_table"]

TABLE_NAME = "tiktokshop_records"


def records_table() -> Table:
    """Return the table: a record's name, its version, counted from 1, and its sealed content."""
    from sqlalchemy import Column, Integer, MetaData, String, Table, Text
    from sqlalchemy.dialects.mysql import LONGTEXT

    return Table(
        TABLE_NAME,
        MetaData(),
        Column("name", String(250), primary_key=True),
        Column("version", Integer, nullable=False),
        # MySQL's TEXT ends at 64 KiB, and the roster of a fleet is larger.
        Column("sealed", Text().with_variant(LONGTEXT(), "mysql"), nullable=False),
    )


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement as the database's driver takes it."""

    text: str
    positions: tuple[str, ...] | None

    def run(self, cursor: Any, values: dict[str, Any]) -> None:
        """Execute it. Some drivers take parameters by name, others by position."""
        cursor.execute(self.text, values if self.positions is None else [values[name] for name in self.positions])


class Records:
    """Reads and writes rows, each by one statement that is worded once."""

    def __init__(self, engine: Engine) -> None:
        from sqlalchemy import bindparam, insert, update

        self._engine = engine
        self._table = records_table()
        driver: Any = getattr(engine.dialect, "loaded_dbapi", None) or engine.dialect.dbapi
        self.failure: type[Exception] = driver.Error
        """What the driver raises, whatever goes wrong."""
        self._exists: type[Exception] = driver.IntegrityError
        columns = self._table.c
        self._swap = self._word(
            update(self._table)
            .where(columns.name == bindparam("of"), columns.version == bindparam("over"))
            .values(version=bindparam("to"), sealed=bindparam("content"))
        )
        self._insert = self._word(
            insert(self._table).values(name=bindparam("of"), version=bindparam("to"), sealed=bindparam("content"))
        )
        self._selects = functools.lru_cache(maxsize=16)(self._word_select)

    def create(self) -> None:
        """Make the table unless it is there."""
        from sqlalchemy import inspect
        from sqlalchemy.exc import DBAPIError

        if inspect(self._engine).has_table(TABLE_NAME):
            return
        try:
            self._table.create(self._engine)
        except DBAPIError:
            # Another process made it between the look and the attempt; if not, that is the error.
            if not inspect(self._engine).has_table(TABLE_NAME):
                raise

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin with ``prefix``."""
        from sqlalchemy import select

        name = self._table.c.name
        with self._engine.begin() as connection:
            found = connection.execute(select(name).where(name.startswith(prefix, autoescape=True)))
            return [str(name) for (name,) in found]

    def any(self) -> tuple[str, str] | None:
        """Return name and sealed content of some row, or ``None`` when there is none."""
        with self._engine.begin() as connection:
            row = connection.execute(self._table.select().limit(1)).first()
        return None if row is None else (str(row.name), str(row.sealed))

    @contextlib.contextmanager
    def cursor(self) -> Iterator[Any]:
        """Give a cursor of a pooled connection, in a transaction of its own unless the engine commits by itself."""
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                yield cursor
            finally:
                cursor.close()
            connection.commit()
        except BaseException as error:
            # In what state it is nobody knows: it is closed, and store_engine() has the others looked at before they are used.
            connection.invalidate(error)
            raise
        finally:
            connection.close()

    def select(self, cursor: Any, names: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Return version and sealed content of those that there are, by name."""
        self._selects(len(names)).run(cursor, {f"name_{n}": name for n, name in enumerate(names)})
        return {str(name): (int(version), str(sealed)) for name, version, sealed in cursor.fetchall()}

    def swap(self, cursor: Any, name: str, sealed: str, version: int | None) -> int | None:
        """Write over exactly ``version`` (``None``: nothing) and return the new version, or ``None`` when it moved."""
        if version is None:
            try:
                self._insert.run(cursor, {"of": name, "to": 1, "content": sealed})
            except self._exists:
                return None
            return 1
        self._swap.run(cursor, {"of": name, "over": version, "to": version + 1, "content": sealed})
        return version + 1 if cursor.rowcount == 1 else None

    def _word_select(self, count: int) -> _Statement:
        from sqlalchemy import bindparam, select

        columns = self._table.c
        names: list[Any] = [bindparam(f"name_{n}") for n in range(count)]
        return self._word(select(columns.name, columns.version, columns.sealed).where(columns.name.in_(names)))

    def _word(self, statement: ClauseElement) -> _Statement:
        compiled: Any = statement.compile(dialect=self._engine.dialect)
        return _Statement(str(compiled), tuple(compiled.positiontup) if compiled.positional else None)
