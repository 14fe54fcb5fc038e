"""``airflow tiktokshop rescue``: adopt the token pairs that wait in this machine's escrow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop.cli.output import fail_with_text, print_table
from airflow_provider_tiktokshop.hooks.wiring import wire

if TYPE_CHECKING:
    import argparse

__all__ = ["rescue"]

ADVISORY = 3 * 86_400


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def rescue(args: argparse.Namespace) -> None:
    """Adopt what can be adopted, and list what cannot; exit with 1 while something is left."""
    from airflow_provider_tiktokshop import config
    from airflow_provider_tiktokshop.auth.rescue import rescue_all

    wiring = wire(args.conn_id)
    results = rescue_all(wiring.rotator(advisory=ADVISORY), wiring.flow())
    if args.output == "json":
        print(json.dumps([{"slot": r.slot, "outcome": str(r.outcome), "text": r.text} for r in results], indent=2))
    elif not results:
        print(f"Nothing waits in {config.escrow_dir()} for app {wiring.app.app_key}.")
    else:
        print_table(("IN ESCROW", "OUTCOME", ""), [(r.slot, str(r.outcome), r.text) for r in results])
    if not all(r.outcome.settled for r in results):
        raise SystemExit(1)
