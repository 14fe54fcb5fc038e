"""How the commands print results and failures."""

from __future__ import annotations

import functools
import json
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.hooks.wording import time_left

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

# Tokens that need a person first are not used any more, however long they would last.
_IN_USE = {"fresh", "stale", "expired"}

__all__ = ["fail_with_text", "print_rows", "print_table"]


def fail_with_text(command: Callable[[argparse.Namespace], None]) -> Callable[[argparse.Namespace], None]:
    """Let a command end with the text of our own errors and status 1, instead of a traceback."""

    @functools.wraps(command)
    def wrapper(args: argparse.Namespace) -> None:
        from airflow_provider_tiktokshop.api.errors import TikTokShopError
        from airflow_provider_tiktokshop.compat import AirflowNotFoundException

        try:
            command(args)
        except (TikTokShopError, AirflowNotFoundException) as error:
            raise SystemExit(f"Error: {error}") from None

    return wrapper


def print_rows(authorizations: list[dict[str, Any]], output: str) -> None:
    """Print authorizations' metadata.

    :param authorizations: as :meth:`Authorization.public` gives them.
    :param output: ``table`` or ``json``.
    """
    if output == "json":
        print(json.dumps(authorizations, indent=2))
        return
    now = time.time()
    titles = ("OPEN ID", "USER", "STATUS", "GEN", "ACCESS TOKEN", "AUTHORIZATION", "SHOPS", "LAST ERROR")
    rows = [
        (
            row["open_id"],
            {0: "seller", 1: "creator", 3: "partner"}.get(row["user_type"], str(row["user_type"])),
            row["status"],
            str(row["generation"]),
            time_left(row["access_expires_at"], now) if row["status"] in _IN_USE and row["access_expires_at"] else "-",
            time_left(row["authorization_expires_at"], now),
            ", ".join(f"{shop['id']} ({shop['region']})" for shop in row["shops"]) or "-",
            (row["last_error"] or {}).get("text") or "-",
        )
        for row in authorizations
    ]
    print_table(titles, rows)


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns under their titles."""
    rows = [titles, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles) - 1)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip())
