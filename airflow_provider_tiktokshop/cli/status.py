"""``airflow tiktokshop status``: what is known of an app's authorizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop.cli.output import fail_with_text, print_rows
from airflow_provider_tiktokshop.hooks.wiring import wire

if TYPE_CHECKING:
    import argparse

__all__ = ["status"]


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def status(args: argparse.Namespace) -> None:
    """Print the metadata of every authorization of the app."""
    authorizations = [authorization.public() for authorization in wire(args.conn_id).authorizations.all()]
    if not authorizations and args.output == "table":
        print("No seller has authorized this app yet: `airflow tiktokshop authorize`.")
        return
    print_rows(authorizations, args.output)
