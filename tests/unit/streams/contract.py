"""Holds a stream against what is documented of its endpoint, which is kept apart from the streams."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.emulator.facts import match
from airflow_provider_tiktokshop.streams.schema import schema_of

# What the answers hold, and limits that only the prose of a page names.
CONTRACT = json.loads((Path(__file__).parent / "data" / "contract.json").read_text(encoding="utf-8"))
KINDS = {"string": "text", "int": "integer", "bool": "boolean", "string[]": "texts", "int[]": "integers"}
PAGING = {"page_size", "page_token", "page_no", "pagination.page_size", "pagination.page_token"}
SORTING = {"sort_field", "sort_order", "sort.sort_field", "sort.sort_order"}
CIPHERS = {"shop_cipher", "category_asset_cipher"}
# A page size or number of ids that no endpoint is known to refuse.
MODEST = 20
# Their rows do not say when they were created or updated.
TIMELESS = {"aftersales_requests", "return_merchandise_authorizations"}


def fields_at(schema, path):
    """Return the type at a dotted path, through lists, or None."""
    for step in path.split("."):
        schema = schema[0] if isinstance(schema, list) else schema
        schema = schema.get(step) if isinstance(schema, dict) else None
    return schema


def documented_fields(stream, contract):
    if stream.list_key is None:
        return set(contract["data"])
    if stream.scalar:
        return {stream.scalar} if stream.list_key in contract.get("plain_lists", ()) else None
    return next(
        (
            set(contract[kind][stream.list_key])
            for kind in ("lists", "objects")
            if stream.list_key in contract.get(kind, {})
        ),
        None,
    )


@cache
def newest(operation):
    """Return the newest documented version of an endpoint."""
    anywhere = re.compile(re.escape(re.sub(r"/\d{6}/", "/@/", operation)).replace("@", r"(\d{6})"))
    return max(found[1] for known in CONTRACT if (found := anywhere.fullmatch(known)))


def limits(endpoint, contract, param):
    """Return the documented least and most of a number, or of a list's items."""
    prose = contract.get("ranges", {}).get(param.name.removeprefix("pagination."), (None, None))
    return param.min or prose[0], param.max or prose[1]


def problems(stream):
    """Return what of a declaration disagrees with what is documented."""
    found = match(stream.method, stream.path_of())
    operation = f"{stream.method} {stream.path_of()}"
    if found is None or found[0].path != stream.path_of() or operation not in CONTRACT:
        return ["endpoint"]
    endpoint, contract = found[0], CONTRACT[operation]
    places = {"query": {p.name: p for p in endpoint.query}, "body": {p.name: p for p in endpoint.body}}
    given = {
        "doc": stream.doc == contract["title"],
        "version": stream.version == newest(operation),
        "shop cipher": stream.needs_shop_cipher == endpoint.shop_cipher,
        "asset cipher": stream.needs_asset_cipher == bool(endpoint.asset_cipher),
        "scope": stream.scope in endpoint.scopes if endpoint.scopes else stream.scope is None,
        "user type": endpoint.user_types == {stream.user_type},
    }
    wrong = [name for name, right in given.items() if not right]
    wrong += _wrong_rows(stream, contract)
    wrong += _wrong_paging(stream, endpoint, contract, places)
    wrong += _wrong_parent(stream, endpoint, contract, places)
    wrong += [f"cursor {cursor.field}" for cursor in stream.cursors if not _right_cursor(stream, cursor, places)]
    wrong += [f"filter {item.name}" for item in stream.filters if not _right_filter(item, places)]
    for where, constants in (("query", stream.params), ("body", stream.body)):
        wrong += [
            f"constant {name}" for name, value in constants.items() if not _right_value(value, places[where].get(name))
        ]
    return wrong + _left_out(stream, places)


def _wrong_rows(stream, contract):
    fields = documented_fields(stream, contract)
    if fields is None:
        return ["list key"]
    schema = schema_of(stream)
    wrong = [] if set(schema) == fields | set(stream.added_fields) else ["schema"]
    keys = [*stream.primary_key, *([stream.version_field] if stream.version_field else ())]
    wrong += [f"key {path}" for path in keys if fields_at(schema, path) not in ("string", "int")]
    if stream.name not in TIMELESS:
        wrong += [f"cursor {c.field}" for c in stream.cursors if not stream.parent and c.field not in schema]
    wrong += [f"personal {path}" for path in stream.personal_fields if fields_at(schema, path) is None]
    wrong += [f"carry {name}" for name in stream.carry if name not in contract["data"]]
    return wrong


def _wrong_paging(stream, endpoint, contract, places):
    query, body = places["query"], places["body"]
    place = (
        "query" if "page_token" in query
        else "body" if "page_token" in body
        else "body.pagination" if "pagination.page_token" in body
        else "page_no" if "page_no" in body
        else None
    )  # fmt: skip
    paging = stream.paging
    if paging.token_in != place:
        return ["paging"]
    if place is None:
        return []
    size = (query | body).get("page_size") or body.get("pagination.page_size")
    if size is None:
        return [] if paging.size_max is None else ["page size"]
    least, most = limits(endpoint, contract, size)
    # Two families name their limit nowhere but in the overview of paging.
    most = most or (100 if place in {"body.pagination", "page_no"} else MODEST)
    return [] if paging.size_max == most and paging.size_min == max(least or 1, 1) else ["page size"]


def _wrong_parent(stream, endpoint, contract, places):
    parent = stream.parent
    if parent is None:
        return []
    source = streams.get(parent.stream)
    wrong = []
    if fields_at(schema_of(source), parent.field) != "string":
        wrong.append("parent field")
    if any(fields_at(schema_of(source), name) is None for name, _ in parent.only):
        wrong.append("parent only")
    if (source.needs_shop_cipher, source.user_type) != (stream.needs_shop_cipher, stream.user_type):
        wrong.append("parent's authorization")
    if parent.where == "path":
        return wrong if f"{{{parent.param}}}" in stream.path else [*wrong, "parent param"]
    param = places[parent.where].get(parent.param)
    if param is None:
        return [*wrong, "parent param"]
    most = (limits(endpoint, contract, param)[1] or MODEST) if param.type.endswith("[]") else 1
    return wrong if parent.batch == most else [*wrong, "parent batch"]


def _right_cursor(stream, cursor, places):
    if cursor.where == "path":
        return f"{{{cursor.ge}}}" in stream.path and cursor.lt is None
    place = places[cursor.where]
    types = {"seconds": "int", "date": "date", "datetime": "datetime"}
    bounds = [place.get(name) for name in cursor.params]
    if any(bound is None or bound.type != types[cursor.kind] for bound in bounds):
        return False
    if cursor.lt is None and any(name.endswith(("_lt", "_le")) for name in place):
        return False
    if cursor.inclusive_end != (cursor.lt is not None and cursor.lt.endswith("_le")):
        return False
    if cursor.sort_field is None:
        return not stream.cursors or all(cursor.field not in p.enum for n, p in place.items() if n == "sort_field")
    prefix = "sort." if cursor.sort_in == "body.sort" else ""
    documented = places[cursor.sort_in.partition(".")[0]].get(f"{prefix}sort_field")
    return documented is not None and (not documented.enum or cursor.sort_field in documented.enum)


def _right_filter(item, places):
    param = places[item.where].get(item.name)
    return (
        param is not None
        and item.kind == KINDS.get(param.type, "text")
        and item.most == (param.max if param.type.endswith("[]") else None)
        and (set(param.enum) <= set(item.known) or item.name.rpartition(".")[2].startswith("locale"))
    )


def _right_value(value, param):
    if param is None:
        return False
    values = value if isinstance(value, list) else [value]
    return isinstance(value, list) == param.type.endswith("[]") and (not param.enum or set(values) <= set(param.enum))


def _left_out(stream, places):
    """Return parameters that nobody can set, and required ones that nobody has to."""
    automatic = PAGING | SORTING | CIPHERS | {name for cursor in stream.cursors for name in cursor.params}
    automatic |= {*stream.params, *stream.body} | ({stream.parent.param} if stream.parent else set())
    settable = {item.name: item for item in stream.filters}
    wrong = []
    for where, params in places.items():
        lists = tuple(f"{p.name}." for p in params.values() if p.type == "object[]")
        for name, param in params.items():
            if name in automatic and (name not in SORTING or not param.required or _sorts(stream)):
                continue
            if name in settable:
                if param.required and not settable[name].required and "." not in name:
                    wrong.append(f"required {name}")
            elif not _unreachable(stream, where, name, param, lists):
                wrong.append(f"left out {name}")
    return wrong


def _sorts(stream):
    return "sort_field" in stream.params or any(cursor.sort_field for cursor in stream.cursors)


def _unreachable(stream, where, name, param, lists):
    # Lists of objects are more than a condition; a GET has no body, whatever is documented;
    # and stock is asked for by product only, because SKU ids would take precedence.
    return (
        param.type in {"object", "object[]"}
        or name.startswith(lists)
        or (where == "body" and stream.method == "GET")
        or (stream.name, name) == ("inventory", "sku_ids")
    )
