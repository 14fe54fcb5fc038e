"""Keeps, hashes or drops what identifies a buyer, before anything is written."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from airflow_provider_tiktokshop.extract.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.extract.rows import Row

__all__ = ["Pii", "key_id", "protector"]

Pii = Literal["keep", "hash", "drop"]

_SHORTEST_KEY: Final = 16
_Tree = dict[str, Any]


def protector(pii: str, fields: tuple[str, ...], key: bytes | str | None = None) -> Callable[[Row], None] | None:
    """Return what changes a row in place as ``pii`` asks, ``None`` when there is nothing to change.

    ``hash`` replaces each value by the hex HMAC-SHA256 of its text: equal values stay equal, in every stream and run that
    uses the same key, so joins still work. Numbers hash like their decimal text. Empty values stay: they say nothing.

    :param pii: ``keep``, ``hash`` or ``drop``.
    :param fields: dotted paths; they go through lists by themselves. Below a path that ends in an object or a list,
        every value is personal.
    :param key: the HMAC key, at least 16 bytes; only for ``hash``.
    :raises OptionError: ``pii`` is none of the three, or the key is missing or short.
    """
    if pii not in {"keep", "hash", "drop"}:
        raise OptionError(f"pii is {pii!r}.", advice="It is 'keep', 'hash' or 'drop'.")
    secret = _bytes(key)
    if pii == "hash" and len(secret) < _SHORTEST_KEY:
        raise OptionError(
            "pii='hash' needs a key of at least 16 bytes.",
            advice="Hand in pii_key. Without the key nobody can hash guesses and compare; with the same key joins work.",
        )
    if pii == "keep" or not fields:
        return None
    tree: _Tree = {}
    for path in fields:
        *steps, last = path.split(".")
        node = tree
        for step in steps:
            node = node.setdefault(step, {})
        node[last] = None
    if pii == "drop":
        return lambda row: _drop(row, tree)
    return lambda row: _hash(row, tree, secret)


def key_id(key: bytes | str | None) -> str | None:
    """Return eight hex digits that change when the key does and do not give it away."""
    secret = _bytes(key)
    return hmac.digest(secret, b"airflow-provider-tiktokshop key id", "sha256").hex()[:8] if secret else None


def _bytes(key: bytes | str | None) -> bytes:
    return key.encode() if isinstance(key, str) else key or b""


def _drop(value: Any, tree: _Tree) -> None:
    if isinstance(value, list):
        for item in value:
            _drop(item, tree)
    elif isinstance(value, dict):
        for field, below in tree.items():
            if below is None:
                value.pop(field, None)
            elif field in value:
                _drop(value[field], below)


def _hash(value: Any, tree: _Tree, key: bytes) -> None:
    if isinstance(value, list):
        for item in value:
            _hash(item, tree, key)
    elif isinstance(value, dict):
        for field, below in tree.items():
            if field not in value:
                continue
            if below is None:
                value[field] = _hashed(value[field], key)
            else:
                _hash(value[field], below, key)


def _hashed(value: Any, key: bytes) -> Any:
    if value is None or value == "":
        return value
    if isinstance(value, list):
        return [_hashed(item, key) for item in value]
    if isinstance(value, dict):
        return {field: _hashed(item, key) for field, item in value.items()}
    text = value.encode() if isinstance(value, str) else orjson.dumps(value)
    return hmac.digest(key, text, "sha256").hex()
