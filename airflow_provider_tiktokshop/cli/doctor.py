"""``airflow tiktokshop doctor``: whether this machine and this Airflow can keep an app's tokens alive."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop import config
from airflow_provider_tiktokshop.api.errors import AccessTokenRefused, TikTokShopError
from airflow_provider_tiktokshop.cli.output import fail_with_text, print_table
from airflow_provider_tiktokshop.hooks.wiring import AppWiring, wire

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

__all__ = ["Finding", "doctor", "examine"]

OK, WARNING, BROKEN = "ok", "warning", "broken"
# The client corrects larger offsets by itself; requests may be 5 minutes old and 30 s ahead.
TOLERABLE_OFFSET = 25.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    :param state: ``ok``, ``warning`` or ``broken``.
    """

    what: str
    state: str
    text: str


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def doctor(args: argparse.Namespace) -> None:
    """Print what was found; exit with 1 when something is broken."""
    findings = list(examine(args.conn_id, args.dag_id, offline=args.offline))
    if args.output == "json":
        print(json.dumps([{"what": f.what, "state": f.state, "text": f.text} for f in findings], indent=2))
    else:
        print_table(("CHECK", "STATE", ""), [(f.what, f.state, f.text) for f in findings])
    if any(f.state == BROKEN for f in findings):
        raise SystemExit(1)


def examine(conn_id: str, dag_id: str, *, offline: bool = False) -> Iterator[Finding]:
    """Look at everything in turn; nothing is changed and no token is spent.

    :param offline: send nothing to TikTok Shop.
    """
    yield _tried("encryption", _fernet)
    yield _tried("store", _store)
    try:
        wiring = wire(conn_id)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a connection is this command's business
        yield Finding("connection", BROKEN, _told(error))
        return
    yield Finding("connection", OK, _connection(wiring))
    checks: list[tuple[str, Callable[[AppWiring], tuple[str, str]]]] = [
        ("hosts", _hosts),
        ("records", _records),
        ("escrow", _escrow),
        ("listen", _listen),
    ]
    if not offline:
        checks += [("clock", _clock), ("app", _app)]
    for name, check in checks:
        yield _tried(name, lambda check=check: check(wiring))  # type: ignore[misc]
    yield _tried("rotation DAG", lambda: _dag(dag_id))


def _tried(what: str, check: Callable[[], tuple[str, str]]) -> Finding:
    try:
        return Finding(what, *check())
    except Exception as error:  # noqa: BLE001 - one check's failure is its finding, and the others go on
        return Finding(what, BROKEN, _told(error))


def _told(error: Exception) -> str:
    from airflow_provider_tiktokshop.compat import AirflowException

    # Foreign exceptions may quote a database's address with its password.
    return str(error) if isinstance(error, (TikTokShopError, AirflowException)) else type(error).__name__


def _fernet() -> tuple[str, str]:
    from airflow.configuration import conf

    from airflow_provider_tiktokshop.auth.stores.sql import fernet_cipher

    if config.token_store() == "sql":
        fernet_cipher(config.token_store_key())
        return OK, "the SQL store's records are sealed"
    keys = str(conf.get("core", "fernet_key", fallback="") or "")
    if not keys:
        return BROKEN, "[core] fernet_key is empty: Airflow keeps Variables unencrypted. Set it before storing tokens"
    fernet_cipher(keys)
    return OK, "[core] fernet_key is set: Variables are encrypted"


def _store() -> tuple[str, str]:
    if (warning := config.debug_warning()) is not None:
        return WARNING, warning
    return OK, f"[tiktokshop] token_store = {config.token_store()}"


def _connection(wiring: AppWiring) -> str:
    app = wiring.app
    seed = "; it holds a refresh token to start with" if wiring.connection.seed else ""
    notes = "".join(f"; note: {warning}" for warning in wiring.connection.warnings)
    return f"app {app.app_key}, {app.app_type} app, market {app.market}{seed}{notes}"


def _hosts(wiring: AppWiring) -> tuple[str, str]:
    hosts = sorted({str(urlsplit(url).netloc) for url in (wiring.app.api_url, wiring.app.auth_url)})
    allowed = ", ".join(config.allowed_hosts()) or "none"
    return OK, f"requests go to {', '.join(hosts)}; [tiktokshop] allowed_hosts: {allowed}"


def _records(wiring: AppWiring) -> tuple[str, str]:
    # Reading every record proves that the store answers and that its key opens them.
    held = wiring.authorizations.all()
    counts = {status: sum(a.status == status for a in held) for status in dict.fromkeys(a.status for a in held)}
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    if not held:
        return OK, "the store answers; nobody has authorized the app yet"
    needing = [a.open_id for a in held if a.status.needs_person]
    if needing:
        return (
            WARNING,
            f"{told}; for a person to look after: {', '.join(needing[:5])}{' …' if len(needing) > 5 else ''}",
        )
    return (WARNING if any(a.status == "expired" for a in held) else OK), told


def _escrow(wiring: AppWiring) -> tuple[str, str]:
    wiring.escrow.check()
    directory = config.escrow_dir()
    if directory.stat().st_mode & 0o022:
        return (
            WARNING,
            f"{directory} can be written by other users, who could delete a pair that waits there: `chmod 700` it",
        )
    if unreadable := wiring.escrow.unreadable():
        return WARNING, f"{directory}: {len(unreadable)} sealed with another app secret: `airflow tiktokshop rescue`"
    if waiting := [slot for slot in wiring.escrow.slots() if slot != "check"]:
        return (
            WARNING,
            f"{directory}: {len(waiting)} wait to be adopted: the next rotation, or `airflow tiktokshop rescue`",
        )
    return OK, f"{directory} can be written and synced; nothing waits in it"


def _listen(_: AppWiring) -> tuple[str, str]:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 0))
        except OSError as error:
            return (
                WARNING,
                f"no port of 127.0.0.1 can be listened on ({error.strerror}): `authorize --listen` will not work",
            )
    return OK, "`authorize --listen` can receive redirects on 127.0.0.1"


def _clock(wiring: AppWiring) -> tuple[str, str]:
    from airflow_provider_tiktokshop.hooks.checkup import clock_offset

    offset = clock_offset(wiring)
    if offset is None:
        return WARNING, "the answer carries no date"
    text = f"TikTok Shop's clock is {offset:+.0f} s from this machine's"
    return (OK, text) if abs(offset) < TOLERABLE_OFFSET else (WARNING, f"{text}: set up time synchronisation (NTP)")


def _app(wiring: AppWiring) -> tuple[str, str]:
    from airflow_provider_tiktokshop.api.client import StaticToken

    # A token that cannot be right: the refusal of just the token shows that app key and signature pass.
    with contextlib.suppress(AccessTokenRefused):
        wiring.client(StaticToken("none")).shops()
    return OK, "TikTok Shop accepts the app key and the signature"


def _dag(dag_id: str) -> tuple[str, str]:
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun

    model: Any = DagModel.get_dagmodel(dag_id)
    if model is None:
        return (
            WARNING,
            f"there is no DAG {dag_id!r}: copy dags/tiktokshop_rotate_tokens.py, or name yours with --dag-id",
        )
    if model.is_paused:
        return BROKEN, f"{dag_id} is paused: `airflow dags unpause {dag_id}`"
    runs = DagRun.find(dag_id=dag_id)
    if not runs:
        return WARNING, f"{dag_id} has not run yet"
    last = max(runs, key=lambda run: run.run_after)
    text = f"{dag_id}: the last run, {last.run_id}, is in state {last.state}"
    return (WARNING if str(last.state) == "failed" else OK), text
