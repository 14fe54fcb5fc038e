"""Checks query and body against the documented types, ranges and enumerations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.emulator.errors import Refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tiktokshop.emulator.facts import Endpoint, Param

__all__ = ["COMMON", "check_body", "check_query"]

COMMON = frozenset({"app_key", "sign", "timestamp", "shop_cipher", "category_asset_cipher"})
_INT = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PAGE_SIZE_MAX = 100


def _invalid(name: str, why: str) -> Refusal:
    return refuse(36009004, f"Invalid '{name}': {why}")


def check_query(endpoint: Endpoint, query: dict[str, str], *, strict: bool) -> dict[str, Any]:
    """Return the endpoint's own query parameters, converted.

    :param strict: refuse parameters that are not documented.
    :raises Refusal: 36009004, naming the parameter.
    """
    known = {param.name: param for param in endpoint.query if param.name not in COMMON}
    values: dict[str, Any] = {}
    for name, text in query.items():
        if name in COMMON:
            continue
        param = known.get(name)
        if param is None:
            if strict:
                raise refuse(36009004, f"Unexpected '{name}'")
            continue
        values[name] = _from_text(param, text)
    for param in known.values():
        # A nested name is required only inside its parent, which a query cannot show to be absent.
        if param.required and "." not in param.name and param.name not in values:
            raise refuse(36009004, f"Missing '{param.name}'")
    return values


def _from_text(param: Param, text: str) -> Any:
    if param.type == "int":
        if not _INT.fullmatch(text):
            raise _invalid(param.name, "must be an integer")
        return _in_range(param, int(text))
    if param.type == "bool":
        if text not in {"true", "false"}:
            raise _invalid(param.name, "must be true or false")
        return text == "true"
    if param.type == "date" and not _DATE.fullmatch(text):
        raise _invalid(param.name, "must be YYYY-MM-DD")
    if param.type.endswith("[]"):
        items = text.split(",")
        if "" in items:
            raise _invalid(param.name, "must be values joined by commas")
        if param.type == "int[]" and not all(_INT.fullmatch(item) for item in items):
            raise _invalid(param.name, "must be integers joined by commas")
        _in_count(param, items)
        _in_enum(param, items)
        return items
    if param.name == "page_size":
        if not _INT.fullmatch(text):
            raise _invalid(param.name, "must be an integer")
        return _in_range(param, int(text))
    _in_enum(param, [text])
    return text


def _in_range(param: Param, value: int) -> int:
    least = 1 if param.min is None and param.name == "page_size" else param.min
    most = _PAGE_SIZE_MAX if param.max is None and param.name == "page_size" else param.max
    if (least is not None and value < least) or (most is not None and value > most):
        raise _invalid(param.name, f"must be from {least} to {most}")
    return value


def _in_count(param: Param, items: list[Any]) -> None:
    if param.max is not None and len(items) > param.max:
        raise _invalid(param.name, f"at most {param.max}")


def _in_enum(param: Param, items: Iterable[Any]) -> None:
    for item in items:
        if param.enum and item not in param.enum:
            raise _invalid(param.name, f"must be one of {', '.join(param.enum)}")


def check_body(endpoint: Endpoint, body: dict[str, Any], *, strict: bool) -> None:
    """Check a JSON body: integers must be JSON integers, not strings.

    :param strict: refuse fields that are not documented.
    :raises Refusal: 36009004, naming the field.
    """
    _check_level(endpoint.body, "", body, strict=strict)


def _check_level(params: tuple[Param, ...], prefix: str, body: dict[str, Any], *, strict: bool) -> None:
    level = {
        param.name: param for param in params if param.name.startswith(prefix) and "." not in param.name[len(prefix) :]
    }
    for field, value in body.items():
        param = level.get(prefix + field)
        if param is None:
            if strict:
                raise refuse(36009004, f"Unexpected '{prefix}{field}'")
            continue
        _check_value(params, param, value, strict=strict)
    for name, param in level.items():
        if param.required and name[len(prefix) :] not in body:
            raise refuse(36009004, f"Missing '{name}'")


def _check_value(params: tuple[Param, ...], param: Param, value: Any, *, strict: bool) -> None:
    kind = param.type
    if kind.endswith("[]"):
        if not isinstance(value, list):
            raise _invalid(param.name, "must be a list")
        _in_count(param, value)
        for item in value:
            _check_one(params, param, kind[:-2], item, strict=strict)
        return
    _check_one(params, param, kind, value, strict=strict)


def _check_one(params: tuple[Param, ...], param: Param, kind: str, value: Any, *, strict: bool) -> None:
    if kind == "int":
        if type(value) is not int:
            raise _invalid(param.name, "must be an integer")
        if not param.type.endswith("[]"):
            _in_range(param, value)
    elif kind == "bool":
        if type(value) is not bool:
            raise _invalid(param.name, "must be true or false")
    elif kind == "object":
        if not isinstance(value, dict):
            raise _invalid(param.name, "must be an object")
        _check_level(params, param.name + ".", value, strict=strict)
    elif not isinstance(value, str):
        raise _invalid(param.name, "must be a string")
    else:
        _in_enum(param, [value])
