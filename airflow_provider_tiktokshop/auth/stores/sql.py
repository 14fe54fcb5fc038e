"""A token store in any SQL database: every write that says what it expects is a true compare-and-swap.

The engine and the cipher are handed in. Records are sealed; what cannot be opened is unavailable, never absent. A canary row
proves the key before anything else is read or written, so that a wrong key is found out before a refresh token is spent.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreConflict, StoreUnavailable, TokenStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection, Engine
    from sqlalchemy.sql.schema import Table

    from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind

T = TypeVar("T")

__all__ = ["TABLE_NAME", "Cipher", "SqlStore", "fernet_cipher"]

TABLE_NAME = "tiktokshop_records"
_CANARY = "tiktokshop_key_canary"
# Databases limit the parameters of one statement; SQLite's oldest limit is 999.
_KEYS_AT_A_TIME = 500


class Cipher(Protocol):
    """Seals and opens bytes; :class:`cryptography.fernet.MultiFernet` is one."""

    def encrypt(self, msg: bytes) -> bytes:
        """Return ``msg`` sealed with the newest key."""
        ...

    def decrypt(self, msg: bytes) -> bytes:
        """Return what was sealed with any of the keys, or raise."""
        ...


def fernet_cipher(keys: str) -> Cipher:
    """Return the cipher of one or several Fernet keys.

    :param keys: comma-separated, the newest first: it seals, all of them open.
    :raises ConfigurationError: there is no key, or one is not a Fernet key. Records are never kept unsealed.
    """
    from cryptography.fernet import Fernet, MultiFernet

    from airflow_provider_tiktokshop.api.errors import ConfigurationError

    parts = [part.strip() for part in keys.split(",") if part.strip()]
    advice = "set [tiktokshop] token_store_key (or [core] fernet_key) to the output of Fernet.generate_key()"
    if not parts:
        raise ConfigurationError("the SQL token store has no key to seal records with", advice=advice)
    try:
        return MultiFernet([Fernet(part) for part in parts])
    except ValueError:
        raise ConfigurationError(
            "[tiktokshop] token_store_key holds something that is no Fernet key", advice=advice
        ) from None


def _integrity_error() -> type[Exception]:
    from sqlalchemy.exc import IntegrityError

    return IntegrityError


class _Records:
    """The table and the statements on it, built once: building them costs more than running them."""

    def __init__(self) -> None:
        from sqlalchemy import Column, Integer, MetaData, String, Table, Text, bindparam, insert, select, update
        from sqlalchemy.dialects.mysql import LONGTEXT

        self.table = Table(
            TABLE_NAME,
            MetaData(),
            Column("name", String(250), primary_key=True),
            Column("version", Integer, nullable=False),
            # MySQL's TEXT ends at 64 KiB, and the roster of a fleet is larger.
            Column("sealed", Text().with_variant(LONGTEXT(), "mysql"), nullable=False),
        )
        columns = self.table.c
        named = columns.name == bindparam("of")
        self.select = select(columns.version, columns.sealed).where(named)
        self.select_many = select(columns.name, columns.version, columns.sealed).where(
            columns.name.in_(bindparam("names", expanding=True))
        )
        self.swap = (
            update(self.table)
            .where(named, columns.version == bindparam("over"))
            .values(version=bindparam("to"), sealed=bindparam("content"))
        )
        self.insert = insert(self.table)


class SqlStore(TokenStore):
    """Keeps each record as one sealed row of one table, which is made at the first use.

    :param engine: an SQLAlchemy engine, 1.4 or 2, best from
        :func:`~airflow_provider_tiktokshop.auth.stores.sql_engine.store_engine`; or a callable that makes one when first needed.
    :param cipher: see :func:`fernet_cipher`.
    """

    strict: ClassVar[bool] = True

    def __init__(self, engine: Engine | Callable[[], Engine], cipher: Cipher) -> None:
        self._make_engine = engine if callable(engine) else lambda: engine
        self._cipher = cipher
        self._lock = threading.Lock()
        self._ready: tuple[Engine, _Records] | None = None
        # SQLite takes one writer at a time and lets the others poll, some of them until they give up: they queue up here.
        self._gate: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()

    def read(self, key: RecordKey) -> Snapshot:
        """Return the record.

        :raises StoreUnavailable: the database does not answer, or its key is not ours.
        """
        found = self._run("read", lambda connection, records: self._select(connection, records, key.name))
        if found is None:
            return Snapshot(None)
        version, sealed = found
        return Snapshot(self._open(key.name, sealed), version)

    def read_many(self, keys: Sequence[RecordKey]) -> list[Snapshot]:
        """Return several records with as few statements as possible, in the order of ``keys``.

        :raises StoreUnavailable: the database does not answer, or its key is not ours.
        """
        names, found = [key.name for key in keys], dict[str, Snapshot]()
        for start in range(0, len(names), _KEYS_AT_A_TIME):
            some = names[start : start + _KEYS_AT_A_TIME]
            rows = self._run("read", lambda c, r, some=some: c.execute(r.select_many, {"names": some}).all())  # type: ignore[misc]
            found |= {name: Snapshot(self._open(name, sealed), version) for name, version, sealed in rows}
        return [found.get(name, Snapshot(None)) for name in names]

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
        """Write the record; with ``expected``, only if it is still that one.

        :raises StoreConflict: it is not.
        :raises StoreUnavailable: the database does not answer, or its key is not ours.
        """
        sealed = self._seal(key.name, value)
        while True:
            before = expected if expected is not None else Snapshot(None, self._version(key.name))
            version = self._run("write", lambda c, t, b=before: self._swap(c, t, key.name, sealed, b.version))  # type: ignore[misc]
            if version is not None:
                return Snapshot(value, version)
            if expected is not None:
                raise StoreConflict(f"somebody else wrote {key.name} meanwhile")

    def ids(self, kind: RecordKind, app_key: str) -> tuple[str, ...]:
        """Return the ids of one kind of record of one app.

        :raises StoreUnavailable: the database does not answer.
        """
        prefix = f"tiktokshop_{kind}__{app_key}__"
        return tuple(name.removeprefix(prefix) for name in self.names(prefix))

    def names(self, prefix: str = "tiktokshop_") -> list[str]:
        """Return the names of all records that begin with ``prefix``, sorted."""
        from sqlalchemy import select

        def query(connection: Connection, records: _Records) -> list[str]:
            table = records.table
            statement = select(table.c.name).where(table.c.name.startswith(prefix, autoescape=True))
            return sorted(name for (name,) in connection.execute(statement) if name != _CANARY)

        return self._run("list", query)

    def rekey(self) -> int:
        """Seal every record anew with the cipher's newest key, and return how many there are.

        :raises StoreUnavailable: a record cannot be opened with any of the keys; it is left as it is.
        """
        names = [*self.names(), _CANARY]
        for name in names:
            while True:
                found = self._run("read", lambda c, t, n=name: self._select(c, t, n))  # type: ignore[misc]
                if found is None:
                    break
                version, sealed = found
                again = self._seal(name, self._open(name, sealed))
                if self._run("write", lambda c, t, n=name, s=again, v=version: self._swap(c, t, n, s, v)) is not None:  # type: ignore[misc]
                    break
        return len(names) - 1

    # -- the table -----------------------------------------------------------------------------------------------------

    def _version(self, name: str) -> int | None:
        found = self._run("read", lambda connection, records: self._select(connection, records, name))
        return found[0] if found is not None else None

    @staticmethod
    def _select(connection: Connection, records: _Records, name: str) -> tuple[int, str] | None:
        row = connection.execute(records.select, {"of": name}).first()
        return (int(row[0]), str(row[1])) if row is not None else None

    @staticmethod
    def _swap(connection: Connection, records: _Records, name: str, sealed: str, version: int | None) -> int | None:
        """Write over exactly ``version`` (``None``: nothing) and return the new version, or ``None`` when it moved."""
        if version is None:
            try:
                SqlStore._insert(connection, records, name, sealed)
            except _integrity_error():
                return None
            return 1
        done = connection.execute(records.swap, {"of": name, "over": version, "to": version + 1, "content": sealed})
        return version + 1 if done.rowcount == 1 else None

    def _run(self, what: str, work: Callable[[Connection, _Records], T]) -> T:
        """Do something in one transaction of its own."""
        try:
            engine, records = self._prepare()
            with self._gate, engine.begin() as connection:
                return work(connection, records)
        except StoreUnavailable:
            raise
        except Exception as error:
            if not type(error).__module__.startswith(("sqlalchemy", "sqlite3", "psycopg", "pymysql", "MySQLdb")):
                raise
            # Only the type: a driver's text quotes the statement and its parameters.
            raise StoreUnavailable(
                f"the token store's database did not {what} ({type(error).__name__})",
                advice="check the connection that [tiktokshop] token_store_conn_id names, and that its database is up",
            ) from None

    def _prepare(self) -> tuple[Engine, _Records]:
        if self._ready is not None:
            return self._ready
        with self._lock:
            if self._ready is None:
                engine = self._make_engine()
                records = _Records()
                self._create(engine, records.table)
                self._prove_key(engine, records)
                if engine.dialect.name == "sqlite":
                    self._gate = threading.Lock()
                self._ready = (engine, records)
            return self._ready

    @staticmethod
    def _create(engine: Engine, table: Table) -> None:
        from sqlalchemy import inspect
        from sqlalchemy.exc import DBAPIError

        if inspect(engine).has_table(TABLE_NAME):
            return
        try:
            table.create(engine)
        except DBAPIError:
            # Another process made it between the look and the attempt; if not, that is the error.
            if not inspect(engine).has_table(TABLE_NAME):
                raise

    def _prove_key(self, engine: Engine, records: _Records) -> None:
        """Open the canary, or put it there when this store has never been used."""
        with engine.begin() as connection:
            found = self._select(connection, records, _CANARY)
        if found is None:
            # A canary was lost, not the key: whatever else is here must open before a new one vouches for the key.
            with engine.begin() as connection:
                other = connection.execute(records.table.select().limit(1)).first()
            if other is not None:
                self._open(str(other.name), str(other.sealed))
            sealed = self._seal(_CANARY, {"schema": 1})
            try:
                with engine.begin() as connection:
                    self._insert(connection, records, _CANARY, sealed)
                return
            except _integrity_error():
                with engine.begin() as connection:
                    found = self._select(connection, records, _CANARY)
        if found is None:
            raise StoreUnavailable("the token store's table changes while it is being looked at")
        self._open(_CANARY, found[1])

    @staticmethod
    def _insert(connection: Connection, records: _Records, name: str, sealed: str) -> None:
        connection.execute(records.insert, {"name": name, "version": 1, "sealed": sealed})

    def _seal(self, name: str, value: dict[str, Any]) -> str:
        # The name is sealed too: a row copied over another one does not open as that one.
        return self._cipher.encrypt(json.dumps([name, value], separators=(",", ":")).encode()).decode()

    def _open(self, name: str, sealed: str) -> dict[str, Any]:
        try:
            held, value = json.loads(self._cipher.decrypt(sealed.encode()))
        except Exception:  # noqa: BLE001 - whatever the cipher raises, the record is there and cannot be read
            held, value = None, None
        if held != name or not isinstance(value, dict):
            raise StoreUnavailable(
                f"the record {name} is in the database but cannot be opened",
                advice="set [tiktokshop] token_store_key to the key it was sealed with; list the old key second to rotate keys",
            )
        return value
