"""What can be extracted: one frozen dataclass a stream, one module a family."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["UnknownStreamError", "get", "names"]

# Modules: a family with many streams has several.
_MODULES = (
    "authorization",
    "orders",
    "products",
    "product_catalogue",
    "product_programs",
    "returns",
    "fulfillment",
    "logistics",
    "finance",
    "promotion",
    "customer_service",
    "affiliate_seller",
    "affiliate_market",
    "affiliate_creator",
    "affiliate_partner",
    "analytics",
    "analytics_content",
    "analytics_market",
    "fbt",
)


class UnknownStreamError(LookupError):
    """There is no stream of that name; the text lists those that sound like it."""


@cache
def _registry() -> dict[str, Stream]:
    # On first use: a DAG file that imports an operator pays for no stream.
    found: dict[str, Stream] = {}
    for module in _MODULES:
        for stream in import_module(f"{__name__}.{module}").STREAMS:
            if stream.name in found:
                raise ValueError(f"two streams are named {stream.name}")
            found[stream.name] = stream
    return found


def get(name: str) -> Stream:
    """Return the stream called ``name``.

    :raises UnknownStreamError: there is none; the text names the closest ones, or all.
    """
    registry = _registry()
    try:
        return registry[name]
    except (KeyError, TypeError):
        from difflib import get_close_matches

        close = get_close_matches(str(name), registry, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(sorted(registry))}"
        raise UnknownStreamError(f"no stream is named {name!r}; {hint}") from None


def names() -> tuple[str, ...]:
    """Return the names of all streams, sorted."""
    return tuple(sorted(_registry()))
