"""Order search and order detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.orders import Filter, ShopOrders, shop_number_of
from airflow_provider_tiktokshop.emulator.paging import Matched, begin_page, take_page
from airflow_provider_tiktokshop.emulator.registry import serves

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.call import Call
    from airflow_provider_tiktokshop.emulator.state import World

__all__ = ["order_detail", "order_search"]

_FAR = 1 << 38


@serves("GET", "/order/*/orders")
def order_detail(world: World, call: Call) -> bytes:
    """Get Order Detail: up to 50 ids, all of this shop."""
    orders = world.orders(call.needed_shop())
    rows: list[bytes] = []
    for order_id in call.query["ids"]:
        index = orders.index_of(order_id)
        if index is None:
            number = shop_number_of(order_id)
            owner = next((shop for shop in world.shops.values() if shop.number == number), None)
            elsewhere = owner is not None and world.orders(owner).index_of(order_id) is not None
            raise refuse(21008111 if elsewhere else 21001001)
        rows.append(orders.row(index, detail=True))
    world.stats.rows_served += len(rows)
    return b'{"orders":[' + b",".join(rows) + b"]}"


@serves("POST", "/order/*/orders/search")
def order_search(world: World, call: Call) -> bytes:
    """Get Order List."""
    orders, query = world.orders(call.needed_shop()), call.query
    field = query.get("sort_field", "create_time")
    ascending = query.get("sort_order", "DESC") == "ASC"
    request = begin_page(world, call, query["page_size"], query.get("page_token", ""), ascending=ascending)
    matched = request.kept or orders.matching(_filter(call, request.position.as_of), field)
    keys, token = take_page(world, request, matched)
    rows = [orders.row(orders.key_index(key)) for key in keys]
    world.stats.rows_served += len(rows)
    _touch_after_page(world, orders, matched)
    return world.list_data("orders", rows, token, matched[2] - matched[1])


def _filter(call: Call, as_of: int) -> Filter:
    body = call.body
    edges: dict[str, int] = {}
    for name in ("create", "update"):
        ge, lt = body.get(f"{name}_time_ge"), body.get(f"{name}_time_lt")
        if (ge is not None and ge < 0) or (lt is not None and lt < (ge or 0)):
            raise refuse(36009004, f"Invalid '{name}_time_lt': the range ends before it starts")
        edges[f"{name}_ge"] = ge or 0
        # With only a start the range ends now; with neither there is no range.
        edges[f"{name}_lt"] = lt if lt is not None else as_of if ge is not None else _FAR
    warehouses = body.get("warehouse_ids")
    return Filter(
        **edges,
        status=body.get("order_status"),
        shipping_type=body.get("shipping_type"),
        buyer_user_id=body.get("buyer_user_id"),
        is_buyer_request_cancel=body.get("is_buyer_request_cancel"),
        warehouse_ids=tuple(warehouses) if warehouses else None,
    )


def _touch_after_page(world: World, orders: ShopOrders, matched: Matched) -> None:
    """Update rows of the result behind the reader's back, as a busy shop does."""
    settings, (keys, low, high) = world.settings, matched
    world.pages_served += 1
    if not settings.touch_every_pages or world.pages_served % settings.touch_every_pages or high <= low:
        return
    now = int(world.clock.now())
    chosen = [keys[place] for place in world.random.sample(range(low, high), min(settings.touch_rows, high - low))]
    for key in chosen:
        orders.touch(orders.key_index(key), now)
