"""``airflow tiktokshop status``: what is known of an app's authorizations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop.cli.output import fail_with_text, print_rows
from airflow_provider_tiktokshop.hooks.wiring import wire
from airflow_provider_tiktokshop.hooks.wording import history_lines

if TYPE_CHECKING:
    import argparse

    from airflow_provider_tiktokshop.auth.records import Authorization

__all__ = ["status"]


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def status(args: argparse.Namespace) -> None:
    """Print the metadata of every authorization of the app, or of some with their history."""
    authorizations = wire(args.conn_id).authorizations
    if args.open_id:
        _with_history([authorizations.find(open_id=open_id) for open_id in args.open_id], args.output)
        return
    rows = [authorization.public() for authorization in authorizations.all()]
    if not rows and args.output == "table":
        print("No seller has authorized this app yet: `airflow tiktokshop authorize`.")
        return
    print_rows(rows, args.output)


def _with_history(found: list[Authorization], output: str) -> None:
    if output == "json":
        print(json.dumps([{**one.public(), "history": list(one.history)} for one in found], indent=2))
        return
    print_rows([one.public() for one in found], output)
    for one in found:
        print(f"\n{one.open_id}, the newest first:")
        for line in history_lines(one.history) or ["nothing yet: the next run of the rotation DAG takes it up"]:
            print(f"  {line}")
