"""Where the records of authorizations are kept."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.stores.base import TokenStore

__all__ = ["open_store"]

_BUILT_IN = {"variable": "airflow_provider_tiktokshop.auth.stores.airflow_variables.VariableStore"}


def open_store(name: str) -> TokenStore:
    """Return the token store that ``[tiktokshop] token_store`` names.

    :param name: ``variable``, or the dotted path of a :class:`~airflow_provider_tiktokshop.auth.stores.base.TokenStore`
        class (or of any callable without arguments that returns one).
    :raises ConfigurationError: there is no such store.
    """
    from airflow_provider_tiktokshop.api.errors import ConfigurationError
    from airflow_provider_tiktokshop.auth.stores.base import TokenStore

    module_name, _, attribute = _BUILT_IN.get(name, name).rpartition(".")
    advice = "set [tiktokshop] token_store to 'variable' or to the dotted path of a TokenStore class"
    if not module_name:
        raise ConfigurationError(f"there is no token store named {name!r}", advice=advice)
    try:
        store = getattr(importlib.import_module(module_name), attribute)()
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigurationError(f"the token store {name!r} cannot be made: {error}", advice=advice) from None
    if not isinstance(store, TokenStore):
        raise ConfigurationError(f"{name!r} is a {type(store).__name__}, not a TokenStore", advice=advice)
    return store
