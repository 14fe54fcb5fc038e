"""Parquet instead of JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.extract.writers import FORMATS
from tests.benchmarks.extraction.contenders import CONTENDERS
from tests.benchmarks.extraction.scene import Scene, scratch

if TYPE_CHECKING:
    from tests.benchmarks.extraction.report import Options, Report

__all__ = ["parquet"]

_ROWS_PER_PART = 2000


def parquet(report: Report, options: Options) -> None:
    """The same rows, in a schema that never changes: that of the rows that might have been, where there are none."""
    orders = options.some(50_000)
    report.begin(f"Parquet, {orders:,} orders")
    if "parquet" not in FORMATS:
        report.note("there is no such format yet")
        return
    import pyarrow.parquet as pq

    from airflow_provider_tiktokshop.extract.parquet import arrow_schema

    engine, wanted = CONTENDERS["this engine"], {"format": "parquet"}
    with Scene(orders) as scene, scratch() as folder:
        runs = [scene.run(engine, extract=wanted) for _ in range(options.repeat)]
        before = scene.answered()
        # Many parts, to have many schemas.
        small = scene.begin(engine, folder, extract={**wanted, "rows_per_part": _ROWS_PER_PART})
        parts = scene.finish(small, before)
        report.table({engine.label: runs})
        report.must("every row is there once", scene.all_there([*runs, parts]))
        schemas = [pq.read_schema(path) for path in folder.rglob("part-*.parquet")]
    empty = arrow_schema("orders")
    report.must(
        f"{len(schemas)} files and an interval without rows have one schema",
        len(schemas) > 1 and all(schema.equals(empty, check_metadata=True) for schema in schemas),
    )
    report.limit("peak memory, MB", max(run.peak_mb for run in runs), 200, "most", ".1f")
