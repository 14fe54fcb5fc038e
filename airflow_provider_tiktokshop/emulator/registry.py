"""Which handler answers which endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.call import Call
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["Handler", "find_handler", "serves"]

# Takes a call that passed every check, and returns ``data`` as JSON.
Handler = Callable[["World", "Call"], bytes]
_HANDLERS: dict[tuple[str, str], Handler] = {}


def serves(method: str, template: str) -> Callable[[Handler], Handler]:
    """Register a handler for a path in every documented version: ``*`` stands where the version is."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[method, template] = handler
        return handler

    return register


def find_handler(method: str, template: str) -> Handler | None:
    """Return the handler of an endpoint, or None when the emulator does not serve it."""
    return _HANDLERS.get((method, template))
