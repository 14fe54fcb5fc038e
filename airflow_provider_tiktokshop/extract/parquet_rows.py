"""Fits a row to the types that its stream declares, and keeps what does not fit.

What does not fit is a *rest*: JSON that mirrors the row and holds only what its columns do not. An object holds its fields
by their names, a list its items by their places: ``{"new_field": 1, "line_items": {"2": {"gift": true}}}``. A value
stands there whole when its column, or its item, is null; otherwise the rest goes into the object or list that is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.streams.schema import Fields

__all__ = ["NOTHING", "fitter", "united"]

NOTHING: Final[Any] = object()
"""The rest of a value that fits."""

if TYPE_CHECKING:
    Fit = Callable[[Any], tuple[Any, Any]]
    """Takes a value; returns what its column holds, which is the value itself where it fits, and the rest."""

_DECIMAL: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_LOW, _HIGH = -(2**63), 2**63 - 1


def fitter(kind: Any) -> Fit:
    """Return what fits values to a declared type.

    A number becomes text where text is declared (ids come as either), and text becomes a whole number where it is the
    decimal writing of one. Nothing else is converted, and no value is refused.

    :param kind: a type as :data:`airflow_provider_tiktokshop.streams.schema.Fields` has it.
    """
    if isinstance(kind, dict):
        return _object(kind)
    if isinstance(kind, list):
        return _list(fitter(kind[0]))
    return _SCALARS[kind]


def united(held: Any, rest: Any) -> Any:
    """Return the value that a column's value and its rest came from; ``held`` is changed.

    :param held: what the column has.
    :param rest: its rest.
    """
    if isinstance(held, dict):
        for name, left in rest.items():
            held[name] = united(held.get(name), left)
        return held
    if isinstance(held, list):
        for place, left in rest.items():
            held[int(place)] = united(held[int(place)], left)
        return held
    return rest


def _text(value: Any) -> tuple[Any, Any]:
    if type(value) is str:
        return value, NOTHING
    # As Identity writes keys: a row that comes again must be known by what its column holds.
    return (str(value), NOTHING) if type(value) in {int, float} else _misfit(value)


def _whole(value: Any) -> tuple[Any, Any]:
    if type(value) is int:
        return (value, NOTHING) if _LOW <= value <= _HIGH else (None, value)
    if type(value) is str and _DECIMAL.fullmatch(value) and _LOW <= int(value) <= _HIGH:
        return int(value), NOTHING
    return _misfit(value)


def _truth(value: Any) -> tuple[Any, Any]:
    return (value, NOTHING) if type(value) is bool else _misfit(value)


def _misfit(value: Any) -> tuple[Any, Any]:
    return None, NOTHING if value is None else value


_PLAIN: Final[dict[str, type]] = {"string": str, "bool": bool}
_SCALARS: Final[dict[str, Fit]] = {"string": _text, "int": _whole, "bool": _truth}


def _list(fit: Fit) -> Fit:
    def fit_list(value: Any) -> tuple[Any, Any]:
        if type(value) is not list:
            return _misfit(value)
        held, rest = value, NOTHING
        for place, item in enumerate(value):
            mine, left = fit(item)
            if mine is not item:
                held = list(value) if held is value else held
                held[place] = mine
            if left is not NOTHING:
                rest = {} if rest is NOTHING else rest
                rest[str(place)] = left
        return held, rest

    return fit_list


def _object(fields: Fields) -> Fit:
    fits = {name: fitter(kind) for name, kind in fields.items()}
    # Most values are texts and truths of the declared type: to look at their type is all that has to be done.
    plain = {name: _PLAIN[kind] for name, kind in fields.items() if isinstance(kind, str) and kind in _PLAIN}

    def fit_object(value: Any) -> tuple[Any, Any]:
        if type(value) is not dict:
            return _misfit(value)
        held, rest = value, NOTHING
        for name, item in value.items():
            if plain.get(name) is type(item):
                continue
            fit = fits.get(name)
            if fit is None:
                left = item
            else:
                mine, left = fit(item)
                if mine is not item:
                    held = dict(value) if held is value else held
                    held[name] = mine
            if left is not NOTHING:
                rest = {} if rest is NOTHING else rest
                rest[name] = left
        return held, rest

    return fit_object
