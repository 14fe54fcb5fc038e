"""Reads back what a contender wrote."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["ids_of_lines"]


def ids_of_lines(files: Iterable[Path]) -> Iterator[str]:
    """Yield the order ids in gzip JSON lines: of rows, or of Singer messages that hold rows."""
    for file in files:
        with gzip.open(file, "rb") as lines:
            for line in lines:
                row = orjson.loads(line)
                if "type" in row and row["type"] in {"RECORD", "SCHEMA", "STATE"}:
                    row = row.get("record")
                if row:
                    yield row["id"]
