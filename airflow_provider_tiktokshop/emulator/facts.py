"""What is documented of each endpoint, read from the ``facts`` directory: one JSON file per API family."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["Endpoint", "Param", "all_scopes", "match", "other_methods", "other_versions"]


@dataclass(frozen=True, slots=True)
class Param:
    """One documented parameter. ``max`` counts elements for lists, and bounds the value for integers."""

    name: str
    type: str
    required: bool = False
    min: int | None = None
    max: int | None = None
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One documented operation."""

    method: str
    path: str
    shop_cipher: bool
    scopes: tuple[str, ...]
    query: tuple[Param, ...]
    body: tuple[Param, ...]

    @property
    def version(self) -> str:
        """The six digits in the path."""
        return self.path.split("/")[2]

    @property
    def template(self) -> str:
        """The path without its version: what a handler is registered for."""
        family, _version, rest = self.path[1:].split("/", 2)
        return f"/{family}/*/{rest}"

    @property
    def user_types(self) -> frozenset[int]:
        """The kinds of user whose token is accepted: 0 seller, 1 creator, 3 partner."""
        prefixes = {scope.split(".")[0] for scope in self.scopes}
        kinds = {1 if prefix == "creator" else 3 if prefix == "partner" else 0 for prefix in prefixes}
        if not kinds:
            family = self.path.split("/")[1]
            # Analytics without a shop are a creator's own live rooms and videos.
            creator = family == "affiliate_creator" or (family == "analytics" and not self.shop_cipher)
            kinds = {1 if creator else 3 if family == "affiliate_partner" else 0}
        return frozenset(kinds)

    @property
    def asset_cipher(self) -> bool | None:
        """Whether a category asset cipher is required, allowed (False) or unexpected (None)."""
        return next((param.required for param in self.query if param.name == "category_asset_cipher"), None)


def _param(record: dict[str, Any]) -> Param:
    return Param(**{**record, "enum": tuple(record.get("enum", ()))})


@cache
def _endpoints() -> tuple[Endpoint, ...]:
    found: list[Endpoint] = []
    for file in (resources.files(__package__) / "facts").iterdir():
        if file.name.endswith(".json"):
            found.extend(
                Endpoint(
                    record["method"],
                    record["path"],
                    record["shop_cipher"],
                    tuple(record.get("scopes", ())),
                    tuple(map(_param, record.get("query", ()))),
                    tuple(map(_param, record.get("body", ()))),
                )
                for record in json.loads(file.read_text(encoding="utf-8"))
            )
    return tuple(found)


@cache
def _by_shape() -> dict[tuple[str, int], list[tuple[tuple[str, ...], Endpoint]]]:
    table: dict[tuple[str, int], list[tuple[tuple[str, ...], Endpoint]]] = {}
    for endpoint in _endpoints():
        parts = tuple(endpoint.path[1:].split("/"))
        table.setdefault((parts[0], len(parts)), []).append((parts, endpoint))
    for rows in table.values():
        # Literal segments win over {placeholders}: /orders/search before /orders/{order_id}.
        rows.sort(key=lambda row: sum(part.startswith("{") for part in row[0]))
    return table


def _fits(pattern: tuple[str, ...], parts: tuple[str, ...], *, any_version: bool) -> bool:
    return all(
        (any_version and place == 1) or expected == given or (expected.startswith("{") and given != "")
        for place, (expected, given) in enumerate(zip(pattern, parts, strict=True))
    )


def _candidates(path: str, *, any_version: bool) -> list[Endpoint]:
    parts = tuple(path[1:].split("/"))
    rows = _by_shape().get((parts[0], len(parts)), [])
    return [endpoint for pattern, endpoint in rows if _fits(pattern, parts, any_version=any_version)]


def match(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Return the endpoint for a path, and what its placeholders stand for."""
    for endpoint in _candidates(path, any_version=False):
        if endpoint.method == method:
            pairs = zip(endpoint.path[1:].split("/"), path[1:].split("/"), strict=True)
            return endpoint, {name[1:-1]: value for name, value in pairs if name.startswith("{")}
    return None


def other_methods(path: str) -> bool:
    """Tell whether the path exists for another method."""
    return bool(_candidates(path, any_version=False))


def other_versions(method: str, path: str) -> bool:
    """Tell whether the path exists in another version."""
    return any(endpoint.method == method for endpoint in _candidates(path, any_version=True))


@cache
def all_scopes(user_type: int) -> tuple[str, ...]:
    """Return every documented scope that a user of this type can grant."""
    scopes = {scope for endpoint in _endpoints() if user_type in endpoint.user_types for scope in endpoint.scopes}
    prefix = {1: "creator.", 3: "partner."}.get(user_type)
    return tuple(
        sorted(s for s in scopes if (s.startswith(prefix) if prefix else not s.startswith(("creator.", "partner."))))
    )
