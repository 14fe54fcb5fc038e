"""Every row of an interval, once, into files that a manifest describes. Imports no Airflow: usable from a plain script."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.extract.engine import extract, records
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
    from airflow_provider_tiktokshop.extract.run import Progress

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

# Imported when they are asked for: the engine takes 60 ms, and a DAG file that imports read_rows() is parsed every minute.
_MODULES: Final = {
    "engine": ("extract", "records"),
    "manifest": ("DataFile", "Manifest", "read_manifest", "read_rows"),
    "run": ("Progress",),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = next((module for module, names in _MODULES.items() if name in names), "errors")
    value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
    return value
