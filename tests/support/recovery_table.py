"""The table in docs/reference/recovery.md: what became of each rotation that was killed, as the tests found it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.support.rotate_until import STEPS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "recovery.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
MODES = ("rotate", "family", "grace", "reusable")
STORES = {
    "file": "Last writer wins (model of Variables in tasks)",
    "variables": "Airflow Variables, through Airflow's models",
    "sqlite": "SQL store on SQLite",
    "postgresql": "SQL store on PostgreSQL",
}


def render(outcome: Callable[[str, str, str], str]) -> str:
    """Return the tables, one for each store.

    :param outcome: tells a cell by store, step and mode.
    """
    parts = []
    for store, title in STORES.items():
        rows = [
            f"### {title}",
            "",
            "| killed | " + " | ".join(f"`{mode}`" for mode in MODES) + " |",
            "| --- |" + " --- |" * len(MODES),
        ]
        for step, words in STEPS.items():
            rows.append(f"| {words} | " + " | ".join(outcome(store, step, mode) for mode in MODES) + " |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def committed() -> str:
    """Return the tables that the page holds."""
    found = re.search(f"{BEGIN}\n(.*?)\n{END}", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{PAGE.name} has lost its marks"
    return found[1].strip()


def write(tables: str) -> None:
    """Put the tables into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
