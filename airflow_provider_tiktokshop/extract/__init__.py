"""Every row of an interval, once, into files that a manifest describes. Imports no Airflow: usable from a plain script."""

from __future__ import annotations

from airflow_provider_tiktokshop.extract.engine import Progress, extract, records
from airflow_provider_tiktokshop.extract.errors import (
    AnotherRunError,
    ExtractionError,
    ExtractionPaused,
    IntervalError,
    ManifestError,
    OptionError,
    UnstableWindowError,
)
from airflow_provider_tiktokshop.extract.manifest import DataFile, Manifest, read_manifest, read_rows

__all__ = [
    "AnotherRunError",
    "DataFile",
    "ExtractionError",
    "ExtractionPaused",
    "IntervalError",
    "Manifest",
    "ManifestError",
    "OptionError",
    "Progress",
    "UnstableWindowError",
    "extract",
    "read_manifest",
    "read_rows",
    "records",
]
