"""The default token store: Airflow Variables, encrypted by Airflow, writable from tasks.

In tasks, triggers and callbacks it goes through the Task SDK; in the api-server and on the command line, where no
supervisor listens, through Airflow's models. There is no compare-and-swap in either: that one rotation task per app runs
at a time is the scheduler's doing.

Keys are neutral words on purpose: a key that holds a sensitive word makes Airflow mask the whole value at each read, which
grows slower with every record.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_tiktokshop.auth.records import RecordKey, RecordKind
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreShadowed, StoreUnavailable, TokenStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

__all__ = ["SUPERVISOR_LOCK", "VariableStore", "in_task"]

# Task SDKs before 1.2 do not lock their one channel to the supervisor: every use of it in this package holds this lock.
SUPERVISOR_LOCK = threading.RLock()

# Databases limit the parameters of one statement; SQLite's oldest limit is 999.
_NAMES_AT_A_TIME = 500
DESCRIPTION = "TikTok Shop provider: written by its tasks, do not edit"


def in_task() -> bool:
    """Whether a supervisor listens (tasks, triggers, callbacks), so that the Task SDK works and the database does not."""
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    return getattr(runner, "SUPERVISOR_COMMS", None) is not None


class VariableStore(TokenStore):
    """Keeps each record as one Airflow Variable."""

    def read(self, key: RecordKey) -> Snapshot:
        """Return the record.

        An absence is proven where Airflow can list keys: in tasks from 3.3 on, in the api-server and on the command line
        always.

        :raises StoreUnavailable: Airflow does not answer, or the Variable exists but cannot be read.
        """
        with SUPERVISOR_LOCK:
            text = _task_get(key.name) if in_task() else _model_get(key.name)
            if text is not None:
                return Snapshot(_decode(key, text))
            if not in_task():
                return Snapshot(None)
            keys = _task_keys(key.name)
        if keys is None:
            return Snapshot(None, proven=False)
        if key.name in keys:
            raise StoreUnavailable(
                f"the Variable {key.name} exists but cannot be read",
                advice="check that [core] fernet_key is the one it was written with, and that the API server is healthy",
            )
        return Snapshot(None)

    def read_many(self, keys: Sequence[RecordKey]) -> list[Snapshot]:
        """Return several records: in the api-server and on the command line with one query, where nothing can shadow them.

        :raises StoreUnavailable: Airflow does not answer, or a Variable exists but cannot be read.
        """
        if in_task() or _others_may_answer():
            return [self.read(key) for key in keys]
        texts = _model_get_many([key.name for key in keys]) if keys else {}
        return [Snapshot(None if (text := texts.get(key.name)) is None else _decode(key, text)) for key in keys]

    def write(self, key: RecordKey, value: dict[str, Any], expected: Snapshot | None = None) -> Snapshot:  # noqa: ARG002
        """Write the Variable, read it back, compare.

        :raises StoreUnavailable: not written, or not confirmed.
        :raises StoreShadowed: an environment variable or a secrets backend answers for this key.
        """
        text = json.dumps(value, separators=(",", ":"), sort_keys=True)
        with SUPERVISOR_LOCK:
            if in_task():
                _task_set(key.name, text)
                back = _task_get(key.name)
            else:
                _model_set(key.name, text)
                back = _model_get(key.name)
        if back is None:
            raise StoreUnavailable(
                f"the Variable {key.name} was written but does not read back",
                advice="the API server may be restarting; the write is tried again",
            )
        if back != text:
            raise StoreShadowed(
                f"the Variable {key.name} was written, but another value is read back",
                advice=f"remove AIRFLOW_VAR_{key.name.upper()} from the environment, or the key from the secrets backend",
            )
        return Snapshot(value)

    def ids(self, kind: RecordKind, app_key: str) -> tuple[str, ...] | None:
        """Return the ids of one kind of record; ``None`` in tasks before Airflow 3.3, which cannot list Variables.

        :raises StoreUnavailable: Airflow does not answer.
        """
        prefix = f"{RecordKey(kind, app_key).name}__"
        with SUPERVISOR_LOCK:
            names = _task_keys(prefix) if in_task() else _model_keys(prefix)
        if names is None:
            return None
        return tuple(sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix)))


def _decode(key: RecordKey, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise StoreUnavailable(
            f"the Variable {key.name} does not hold a record of this provider",
            advice="it was edited by hand or shadowed; restore it, or authorize the seller again under a new name",
        )
    return value


# -- through the Task SDK --------------------------------------------------------------------------------------------------


def _task_get(name: str) -> str | None:
    from airflow.sdk import Variable

    value = _asked("read", name, lambda: Variable.get(name, default=None))
    return None if value is None else str(value)


def _task_set(name: str, text: str) -> None:
    from airflow.sdk import Variable

    # Where it fails it may have been applied all the same: writing again does no harm.
    _asked("write", name, lambda: Variable.set(name, text, description=DESCRIPTION))


def _task_keys(prefix: str) -> frozenset[str] | None:
    from airflow.sdk import Variable

    keys = getattr(Variable, "keys", None)
    return None if keys is None else _asked("list", prefix, lambda: frozenset(keys(prefix=prefix)))


def _asked(what: str, name: str, ask: Callable[[], T]) -> T:
    """Ask Airflow for something.

    :raises StoreUnavailable: it raised. What it raises differs from version to version, and each of it means: not now.
    """
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 - see above
        # Only the type: the text of a failed write can quote what was to be written.
        failure = StoreUnavailable(
            f"Airflow did not {what} the Variable {name} ({type(error).__name__})",
            advice="check that the API server is up and reachable from this worker"
            if in_task()
            else "check Airflow's metadata database: `airflow db check`, `airflow db migrate`",
        )
    # Out here, so that the original is not even its context.
    raise failure


# -- through Airflow's models (api-server and command line) ----------------------------------------------------------------


def _model_get(name: str) -> str | None:
    return _model_get_many([name]).get(name)


def _model_get_many(names: Sequence[str]) -> dict[str, str]:
    # The environment and secrets backends have precedence over the database, as everywhere in Airflow.
    texts = _asked("read", names[0], lambda: _shadows(names))
    asked = [name for name in names if name not in texts]
    for name, text in _asked("read", names[0], lambda: _model_rows(asked)).items():
        if text is None:
            raise StoreUnavailable(
                f"the Variable {name} exists but cannot be decrypted",
                advice="check that [core] fernet_key is the one it was written with",
            )
        texts[name] = str(text)
    return texts


def _model_rows(names: Sequence[str]) -> dict[str, str | None]:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    found: dict[str, str | None] = {}
    with create_session() as session:
        for start in range(0, len(names), _NAMES_AT_A_TIME):
            some = Variable.key.in_(names[start : start + _NAMES_AT_A_TIME])
            found |= {str(row.key): row.val for row in session.scalars(select(Variable).where(some))}
    return found


def _others_may_answer() -> bool:
    """Whether a secrets backend beside the environment and the database is configured: it is asked for each key anew."""
    from airflow.configuration import ensure_secrets_loaded
    from airflow.secrets.environment_variables import EnvironmentVariablesBackend
    from airflow.secrets.metastore import MetastoreBackend

    backends = _asked("read", "tiktokshop_…", ensure_secrets_loaded)
    return not all(isinstance(backend, (EnvironmentVariablesBackend, MetastoreBackend)) for backend in backends)


def _shadows(names: Sequence[str]) -> dict[str, str]:
    """Return what a secrets backend or an environment variable says instead of the database, as tasks would see it."""
    from airflow.configuration import ensure_secrets_loaded
    from airflow.secrets.metastore import MetastoreBackend

    found: dict[str, str] = {}
    for backend in ensure_secrets_loaded():
        if isinstance(backend, MetastoreBackend):
            continue
        for name in names:
            if name not in found and (value := backend.get_variable(key=name)) is not None:
                found[name] = str(value)
    return found


def _model_set(name: str, text: str) -> None:
    from airflow.models.variable import Variable

    _asked("write", name, lambda: Variable.set(name, text, description=DESCRIPTION))


def _model_keys(prefix: str) -> Iterable[str]:
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    def keys() -> list[str]:
        with create_session() as session:
            return list(session.scalars(select(Variable.key).where(Variable.key.startswith(prefix, autoescape=True))))

    return _asked("list", prefix, keys)
