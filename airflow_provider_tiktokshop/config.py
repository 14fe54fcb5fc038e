"""The ``[tiktokshop]`` section of airflow.cfg.

The options, their defaults and their descriptions stand in provider.yaml. Every read names its fallback all the same:
in a bare process Airflow 3.1 has not merged the providers' defaults and would raise.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "airflow_home",
    "allowed_hosts",
    "debug_warning",
    "escrow_dir",
    "pii_key",
    "token_store",
    "token_store_conn_id",
    "token_store_key",
]

SECTION = "tiktokshop"


def token_store() -> str:
    """Return which token store keeps the tokens: ``variable``, ``sql`` or a dotted path."""
    return _option("token_store") or "variable"


def token_store_conn_id() -> str | None:
    """Return the Airflow connection of the ``sql`` store's database."""
    return _option("token_store_conn_id") or None


def token_store_key() -> str:
    """Return the Fernet keys that seal the ``sql`` store, comma-separated, newest first; default: Airflow's own."""
    from airflow.configuration import conf

    return _option("token_store_key") or str(conf.get("core", "fernet_key", fallback="") or "")


def escrow_dir() -> Path:
    """Return the directory in which a new token pair waits, sealed, until the store has it."""
    configured = _option("escrow_dir")
    return Path(configured).expanduser() if configured else airflow_home() / "tiktokshop_escrow"


def pii_key() -> str | None:
    """Return the key that personal fields are hashed with; ``None`` means: one derived from the app's secret."""
    return _option("pii_key") or None


def allowed_hosts() -> tuple[str, ...]:
    """Return the hosts that a connection may name besides TikTok's own and this machine."""
    return _list("allowed_hosts")


def debug_warning() -> str | None:
    """Return what to say where Airflow itself writes the tokens into a log: the Variable store, and workers at DEBUG."""
    from airflow.configuration import conf

    level = str(conf.get("logging", "logging_level", fallback="") or "")
    if token_store() != "variable" or level.upper() != "DEBUG":
        return None
    return (
        "[logging] logging_level is DEBUG: Airflow's supervisor then writes every Variable that a task sets into the worker's own "
        "log, tokens included; set it to INFO, or use the sql token store"
    )


def airflow_home() -> Path:
    """Return Airflow's home directory, without importing Airflow."""
    return Path(os.environ.get("AIRFLOW_HOME") or "~/airflow").expanduser()


def _option(name: str) -> str:
    from airflow.configuration import conf

    return str(conf.get(SECTION, name, fallback="") or "").strip()


def _list(name: str) -> tuple[str, ...]:
    return tuple(part for part in (item.strip() for item in _option(name).split(",")) if part)
