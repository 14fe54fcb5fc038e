"""``airflow tiktokshop forget`` and ``confirm``: what a person decides about one authorization."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.auth.records import authorization_id
from airflow_provider_tiktokshop.cli.output import fail_with_text, print_rows
from airflow_provider_tiktokshop.hooks.wiring import AppWiring, wire

if TYPE_CHECKING:
    import argparse

__all__ = ["confirm", "forget"]

_ID = re.compile(r"[0-9a-f]{16}")


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def forget(args: argparse.Namespace) -> None:
    """Stop using an authorization."""
    wiring = wire(args.conn_id)
    id_ = _resolve(wiring, args.authorization)
    if not args.yes and not _agreed(args.authorization):
        raise SystemExit("Nothing was changed.")
    wiring.flow().forget(id_, source="cli")
    print(
        f"Forgotten: {args.authorization}. Its tokens are no longer used or renewed. TikTok Shop was not told: the seller "
        "ends the authorization in Seller Center."
    )


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def confirm(args: argparse.Namespace) -> None:
    """Let a pending consent count."""
    wiring = wire(args.conn_id)
    authorization = wiring.flow().confirm(_resolve(wiring, args.authorization))
    print_rows([authorization.public()], args.output)


def _resolve(wiring: AppWiring, name: str) -> str:
    """Return the id of an authorization that is named by its id or its open_id."""
    for id_ in ([name] if _ID.fullmatch(name) else []) + [authorization_id(name)]:
        if wiring.authorizations.get(id_) is not None:
            return id_
    raise TikTokShopError(
        f"app {wiring.app.app_key!r} holds no authorization {name!r}",
        advice="`airflow tiktokshop status` lists them; give the open_id or the id",
    )


def _agreed(name: str) -> bool:
    print(f"Stop using the authorization {name}? It takes a new consent to undo this. [y/N] ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
