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
from airflow_provider_tiktokshop.auth.stores.sql_table import TABLE_NAME, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine import Engine

    from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind

T = TypeVar("T")

__all__ = ["TABLE_NAME", "Cipher", "SqlStore", "fernet_cipher"]

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
        self._ready: Records | None = None
        self._failures: tuple[type[Exception], ...] = ()
        # SQLite takes one writer at a time and lets the others poll, some of them until they give up: they queue up here.
        self._gate: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()

    def read(self, key: RecordKey) -> Snapshot:
        """Return the record.

        :raises StoreUnavailable: the database does not answer, or its key is not ours.
        """
        return self.read_many([key])[0]

    def read_many(self, keys: Sequence[RecordKey]) -> list[Snapshot]:
        """Return several records with as few statements as possible, in the order of ``keys``.

        :raises StoreUnavailable: the database does not answer, or its key is not ours.
        """
        names, found = [key.name for key in keys], dict[str, Snapshot]()
        for start in range(0, len(names), _KEYS_AT_A_TIME):
            some = names[start : start + _KEYS_AT_A_TIME]
            rows = self._run("read", lambda cursor, records, some=some: records.select(cursor, some))  # type: ignore[misc]
            found |= {name: Snapshot(self._open(name, sealed), version) for name, (version, sealed) in rows.items()}
        return [found.get(name, Snapshot(None)) for name in names]

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:
        """Write the record; with ``expected``, only if it is still that one.

        :raises StoreConflict: it is not.
        :raises StoreUnavailable: the database does not answer, or its key is not ours.
        """
        sealed = self._seal(key.name, value)
        while True:
            before = expected.version if expected is not None else self._stored(key.name)[0]
            version = self._swap(key.name, sealed, before)
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
        with self._translated("list"):
            records = self._prepare()
            with self._gate:
                return sorted(name for name in records.names(prefix) if name != _CANARY)

    def rekey(self) -> int:
        """Seal every record anew with the cipher's newest key, and return how many there are.

        :raises StoreUnavailable: a record cannot be opened with any of the keys; it is left as it is.
        """
        names = [*self.names(), _CANARY]
        for name in names:
            while True:
                version, sealed = self._stored(name)
                if sealed is None or self._swap(name, self._seal(name, self._open(name, sealed)), version) is not None:
                    break
        return len(names) - 1

    # -- the table -----------------------------------------------------------------------------------------------------

    def _stored(self, name: str) -> tuple[int | None, str | None]:
        return self._run("read", lambda cursor, records: records.select(cursor, [name])).get(name, (None, None))

    def _swap(self, name: str, sealed: str, version: int | None) -> int | None:
        return self._run("write", lambda cursor, records: records.swap(cursor, name, sealed, version))

    def _run(self, what: str, work: Callable[[Any, Records], T]) -> T:
        """Do something in one transaction of its own."""
        with self._translated(what):
            records = self._prepare()
            with self._gate, records.cursor() as cursor:
                return work(cursor, records)

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            known = ("sqlalchemy", "sqlite3", "psycopg", "pymysql", "MySQLdb")
            if not isinstance(error, self._failures) and not type(error).__module__.startswith(known):
                raise
            # Only the type: a driver's text quotes the statement and its parameters.
            raise StoreUnavailable(
                f"the token store's database did not {what} ({type(error).__name__})",
                advice="check the connection that [tiktokshop] token_store_conn_id names, and that its database is up",
            ) from None

    def _prepare(self) -> Records:
        if self._ready is not None:
            return self._ready
        with self._lock:
            if self._ready is None:
                engine = self._make_engine()
                records = Records(engine)
                self._failures = (records.failure,)
                records.create()
                self._prove_key(records)
                if engine.dialect.name == "sqlite":
                    self._gate = threading.Lock()
                self._ready = records
            return self._ready

    def _prove_key(self, records: Records) -> None:
        """Open the canary, or put it there when this store has never been used."""
        with records.cursor() as cursor:
            found = records.select(cursor, [_CANARY])
        if not found:
            # A canary was lost, not the key: whatever else is here must open before a new one vouches for the key.
            if (other := records.any()) is not None:
                self._open(*other)
            with records.cursor() as cursor:
                if records.swap(cursor, _CANARY, self._seal(_CANARY, {"schema": 1}), None) is not None:
                    return
            with records.cursor() as cursor:
                found = records.select(cursor, [_CANARY])
        if not found:
            raise StoreUnavailable("the token store's table changes while it is being looked at")
        self._open(_CANARY, found[_CANARY][1])

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
