"""Which fields the answer of each served endpoint has, and of which types."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["documented_names", "has_shape", "shape_of"]

# A field is a type name, an object of fields, or a list of one of these.
Shape = dict[str, Any]


@cache
def _family(family: str) -> dict[str, Shape]:
    file = resources.files(__package__) / "facts" / "responses" / f"{family}.json"
    shapes: dict[str, Shape] = json.loads(file.read_text(encoding="utf-8"))
    return shapes


def shape_of(method: str, path: str) -> Shape:
    """Return the documented fields of ``data``.

    :param path: with its version and placeholders, as in the facts.
    :raises KeyError: the shape of that endpoint is not recorded.
    """
    return _family(path.split("/")[1])[f"{method} {path}"]


def has_shape(method: str, path: str) -> bool:
    """Tell whether the fields of an endpoint are recorded."""
    return f"{method} {path}" in _family(path.split("/")[1])


@cache
def documented_names() -> frozenset[str]:
    """Return every field name of any served endpoint, in whatever version and place."""
    names: set[str] = set()

    def walk(shape: Any) -> None:
        if isinstance(shape, dict):
            names.update(shape)
            for value in shape.values():
                walk(value)
        elif isinstance(shape, list):
            walk(shape[0])

    for file in (resources.files(__package__) / "facts" / "responses").iterdir():
        for shape in _family(file.name.removesuffix(".json")).values():
            walk(shape)
    return frozenset(names)
