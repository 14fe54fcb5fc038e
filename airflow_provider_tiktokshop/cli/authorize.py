"""``airflow tiktokshop authorize``: from the link to the stored authorization."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop.cli.output import fail_with_text, print_rows
from airflow_provider_tiktokshop.hooks.wiring import AppWiring, wire

if TYPE_CHECKING:
    import argparse

    from airflow_provider_tiktokshop.auth.consent import AuthorizationLink

__all__ = ["authorize"]

# TikTok reviews a custom app before it may hold more authorizations than this.
CUSTOM_APP_LIMIT = 25


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def authorize(args: argparse.Namespace) -> None:
    """Print the link, take the redirect, exchange its code, keep the tokens, and show what was authorized."""
    wiring = wire(args.conn_id)
    for warning in (*wiring.connection.warnings, *_limit_warning(wiring)):
        print(f"Warning: {warning}", file=sys.stderr)
    flow = wiring.flow()
    link = flow.begin(args.user_type, expected_open_id=args.open_id)
    # On stderr, so that `-o json` on stdout can be piped on.
    print(f"Open this link in a browser, as the {args.user_type}, and agree:\n\n  {link.url}\n", file=sys.stderr)
    redirect = _listen(args, link) if args.listen is not None else _ask()
    authorization = flow.finish(redirect, source="cli", state=link.state)
    print("Authorized. The rotation DAG keeps it alive from here on.", file=sys.stderr)
    print_rows([authorization.public()], args.output)


def _limit_warning(wiring: AppWiring) -> tuple[str, ...]:
    if wiring.app.app_type != "custom" or len(wiring.authorizations.ids()) + 1 < CUSTOM_APP_LIMIT:
        return ()
    return (
        f"a custom app needs TikTok's review from {CUSTOM_APP_LIMIT} authorizations on, and this is about the 25th.",
    )


def _ask() -> str:
    question = "Paste the address that the browser was sent to afterwards (it is not shown): "
    # The code in it is worth a token pair: it must stay out of the terminal's scrollback and the shell's history.
    return getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline()


def _listen(args: argparse.Namespace, link: AuthorizationLink) -> str:
    from airflow_provider_tiktokshop.cli.listener import receive_redirect

    print(f"Waiting for the redirect on http://127.0.0.1:{args.listen}/ …", file=sys.stderr)
    return receive_redirect(args.listen, state=link.state, timeout=args.timeout)
