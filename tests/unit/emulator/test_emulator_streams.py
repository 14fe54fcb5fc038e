"""Every resource that can be extracted: documented fields only, all rows through all pages, filters as documented."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tiktokshop.emulator.listing import RESOURCES, Detail, Listing
from airflow_provider_tiktokshop.emulator.shapes import shape_of
from airflow_provider_tiktokshop.testing import EmulatorError
from tests.support.emulator_streams import Streams, rows_of, versions

KINDS = {"string": str, "int": int, "bool": bool, "date": str, "datetime": str}
# What nobody but a person can name, or what a shop of this kind has none of.
EMPTY = {"fbt_inbound_orders", "external_order_search", "trade_in_account_transactions", "combinable_packages"}
# One of each pair, so that parents are asked for once.
PAGED = sorted(
    name
    for name, one in RESOURCES.items()
    if isinstance(one, Listing) and one.token_in in {"query", "body", "pagination"}
)


@pytest.fixture(scope="module")
def streams(module_caller) -> Streams:
    return Streams(module_caller)


def parents(streams: Streams, name: str, most: int = 3) -> list[dict[str, Any]]:
    """Return the parameters of a few requests for a resource: one for each of some parents."""
    parent = RESOURCES[name].parent
    if parent is None:
        return [{}]
    many = parent.param.endswith("_ids")
    found: dict[str, dict[str, Any]] = {}
    for row in streams.truth(name):
        if len(found) < most:
            value = row[parent.into or parent.param]
            found[str(value)] = {parent.param: [str(value)] if many else value}
    return list(found.values())


def wrong(shape: Any, value: Any, path: str = "data") -> list[str]:
    """Return what of a value is not as documented."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path} is no object"]
        undocumented = [f"{path}.{name} is not documented" for name in value.keys() - shape.keys()]
        return undocumented + [
            fault for name in value for fault in wrong(shape.get(name), value[name], f"{path}.{name}")
        ]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [fault for item in value for fault in wrong(shape[0], item, path)]
    if shape is None:
        return []
    return [] if type(value) is KINDS[shape] else [f"{path} is {type(value).__name__}, documented as {shape}"]


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_an_answer_holds_documented_fields_of_documented_types_in_every_version(streams, name):
    seen = 0
    for values in parents(streams, name):
        for endpoint in versions(name):
            data = streams.ask(name, endpoint, **values)
            assert wrong(shape_of(endpoint.method, endpoint.path), data) == []
            seen += len(rows_of(RESOURCES[name], data))
    assert seen or name in EMPTY


@pytest.mark.parametrize("name", PAGED)
def test_pages_together_hold_every_row_once(streams, name):
    resource = RESOURCES[name]
    if name in EMPTY:
        return
    for values in parents(streams, name, most=2):
        found = [key_of(resource, row) for row in streams.rows(name, **values)]
        given = {field: value[0] if isinstance(value, list) else value for field, value in values.items()}
        expected = [key_of(resource, row) for row in streams.truth(name, **given)]
        assert len(found) == len(set(found))
        assert sorted(found) == sorted(expected)


def key_of(resource: Any, row: dict[str, Any]) -> tuple[str, ...]:
    def value(field: str) -> str:
        if field in row:
            return str(row[field])
        found: Any = row
        for name in field.split("."):
            found = found[name]
        return str(found)

    return tuple(value(field) for field in resource.key)


RANGED = sorted(
    (name, between.field)
    for name, one in RESOURCES.items()
    if isinstance(one, Listing) and one.parent is None
    for between in one.ranges
    # What nobody has yet, and what belongs to another user than the filter's shop.
    if name not in EMPTY | {"affiliate_partner_orders", "affiliate_partner_cap_orders"}
)


@pytest.mark.parametrize(("name", "field"), RANGED)
def test_a_range_holds_its_first_second_and_its_last_only_where_documented(streams, name, field):
    resource = RESOURCES[name]
    between = next(one for one in resource.ranges if one.field == field)
    rows = sorted(streams.truth(name, cursor=field), key=lambda row: row[field])
    first, last = rows[len(rows) // 4][field], rows[len(rows) // 2][field]
    assert first < last
    asked = nest({between.ge: first, between.end: last})
    found = {key_of(resource, row) for row in streams.rows(name, **asked)}
    assert between.inclusive == between.end.endswith("_le")
    expected = streams.truth(name, cursor=field, ge=first, lt=last + between.inclusive)
    assert found == {key_of(resource, row) for row in expected}
    at_end = {key_of(resource, row) for row in rows if row[field] == last}
    assert at_end <= found if between.inclusive else not at_end & found


def nest(values: dict[str, Any]) -> dict[str, Any]:
    """Turn dotted names into objects."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return tree


def test_details_name_the_row_that_was_asked_for(streams):
    for name, resource in RESOURCES.items():
        if isinstance(resource, Detail) and resource.parent and resource.key and "category" not in name:
            for values in parents(streams, name, most=1):
                data = streams.ask(name, **values)
                if resource.key != ("creator.username",):
                    assert key_of(resource, data) == tuple(str(value) for value in values.values()), name


def test_truth_knows_the_shops(streams):
    shops = streams.caller.emulator.sellers[0]["shops"]
    assert [row["id"] for row in streams.truth("authorized_shops")] == [shop["id"] for shop in shops]


def test_truth_of_something_unknown_says_what_there_is(streams):
    with pytest.raises(EmulatorError, match="statements"):
        streams.truth("nonsense")
    with pytest.raises(EmulatorError, match="no shop"):
        streams.caller.emulator.true_rows("statements", shop_id="1")


def test_product_search_ends_at_its_greatest_result(streams):
    emulator = streams.caller.emulator
    emulator.settings(products=45, result_cap=20)
    try:
        first = streams.ask("products", page_size=10)
        second = streams.ask("products", page_size=10, page_token=first["next_page_token"])
        answer = streams.answer("products", page_size=10, page_token=second["next_page_token"])
        assert first["total_count"] == 45
        assert answer.code == 12052180
    finally:
        emulator.settings(products=24, result_cap=10_000)


def test_a_page_token_in_the_body_goes_on_where_the_page_before_ended(streams):
    first = streams.ask("promotion_activities", page_size=5)
    second = streams.ask("promotion_activities", page_size=5, page_token=first["next_page_token"])
    both = [row["id"] for row in first["activities"] + second["activities"]]
    assert len(set(both)) == 10
    other = streams.answer("promotion_activities", page_size=6, page_token=first["next_page_token"])
    assert other.code == 36009004


def test_affiliate_orders_of_more_than_three_months_are_refused(streams):
    now = int(streams.caller.emulator.stats()["now"])
    assert (
        streams.answer("affiliate_seller_orders", create_time_ge=now - 93 * 86400, create_time_lt=now).code == 36009004
    )
    assert streams.answer("affiliate_seller_orders", create_time_ge=now - 90 * 86400, create_time_lt=now).code == 0
