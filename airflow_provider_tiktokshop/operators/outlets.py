"""Outlets that an operator brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import AssetAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["with_alias"]


def with_alias(kwargs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an operator's arguments with the alias among its outlets.

    To be called for ``partial`` as well as ``__init__``: of a mapped task Airflow reads the outlets from there and registers the
    alias, so that tasks that end together need not make it.
    """
    given = kwargs.get("outlets") or ()
    outlets = list(given) if isinstance(given, (list, tuple, set)) else [given]
    alias = AssetAlias(name)
    return {**kwargs, "outlets": outlets if alias in outlets else [*outlets, alias]}
