"""What Airflow learns about this provider, read from provider.yaml."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["connection_type", "get_provider_info"]


def get_provider_info() -> dict[str, Any]:
    """Return provider.yaml as a dict: the target of the entry point ``apache_airflow_provider``.

    Each call returns its own copy, because Airflow adds keys to the one that it gets.
    """
    return deepcopy(_declarations())


def connection_type() -> dict[str, Any]:
    """Return the declaration of the connection type ``tiktokshop``: its names, its form fields and their behaviour."""
    declaration: dict[str, Any] = get_provider_info()["connection-types"][0]
    return declaration


@cache
def _declarations() -> dict[str, Any]:
    import yaml

    # Every Airflow process pays for this once. The C parser is ten times as fast as the Python one.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(__file__).with_name("provider.yaml").read_text(encoding="utf-8")
    declarations: dict[str, Any] = yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe ones
    return declarations
