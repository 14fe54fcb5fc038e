"""``airflow tiktokshop store …``: move the records to another token store, or seal them with a new key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop import config
from airflow_provider_tiktokshop.api.errors import ConfigurationError
from airflow_provider_tiktokshop.cli.output import fail_with_text
from airflow_provider_tiktokshop.hooks.wiring import mask, open_token_store, wire

if TYPE_CHECKING:
    import argparse

__all__ = ["migrate", "rekey"]


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def migrate(args: argparse.Namespace) -> None:
    """Move every record of one app to another store, and leave tombstones."""
    from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
    from airflow_provider_tiktokshop.auth.reader import Authorizations
    from airflow_provider_tiktokshop.auth.stores.migrate import migrate as move

    app = wire(args.conn_id).app
    source_name = args.source or config.token_store()
    if source_name == args.to:
        raise ConfigurationError(
            f"the records are to go from {source_name} to {args.to}: that is the same store",
            advice="if [tiktokshop] token_store names the new store already, name the old one with --from",
        )
    source, target = open_token_store(source_name), open_token_store(args.to)
    moved = move(source, target, app.app_key, target_name=args.to, clock=SYSTEM_CLOCK)
    there = Authorizations(app, target, mask=mask)
    held = there.all()
    there.enroll(*held)
    result = {"app_key": app.app_key, "from": source_name, "to": args.to, "moved": moved, "authorizations": len(held)}
    if args.output == "json":
        print(json.dumps(result, indent=2))
        return
    counts = ", ".join(f"{number} {kind}" for kind, number in moved.items() if number) or "nothing left to move"
    print(
        f"Moved from {source_name} to {args.to}: {counts}. It holds {len(held)} authorizations of app {app.app_key} now."
    )
    if config.token_store() != args.to:
        print(
            f"Now set [tiktokshop] token_store = {args.to} on every machine and restart them; until then rotations stop, "
            "and say so."
        )


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def rekey(args: argparse.Namespace) -> None:
    """Seal every record of the SQL store anew with the newest key."""
    from airflow_provider_tiktokshop.auth.stores.sql import SqlStore

    store = open_token_store(config.token_store())
    if not isinstance(store, SqlStore):
        raise ConfigurationError(
            f"[tiktokshop] token_store is {config.token_store()}, which has no key of its own",
            advice="Variables are sealed anew with `airflow rotate-fernet-key`",
        )
    count = store.rekey()
    if args.output == "json":
        print(json.dumps({"records": count}, indent=2))
        return
    print(f"{count} records are sealed with the first key of [tiktokshop] token_store_key; the others may go now.")
