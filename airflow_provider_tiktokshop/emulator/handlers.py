"""What the endpoints answer. A handler gets a checked call and returns ``data`` as JSON; ``*`` stands for any version."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from airflow_provider_tiktokshop.emulator.call import Call
from airflow_provider_tiktokshop.emulator.errors import refuse
from airflow_provider_tiktokshop.emulator.orders import Filter, ShopOrders, shop_number_of
from airflow_provider_tiktokshop.emulator.paging import Position, binding, open_token, seal_token
from airflow_provider_tiktokshop.emulator.state import World

if TYPE_CHECKING:
    from array import array

__all__ = ["Handler", "find_handler", "serves"]

Handler = Callable[[World, Call], bytes]
_HANDLERS: dict[tuple[str, str], Handler] = {}
_FAR = 1 << 38


def serves(method: str, template: str) -> Callable[[Handler], Handler]:
    """Register a handler for every documented version of a path."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[method, template] = handler
        return handler

    return register


def find_handler(method: str, template: str) -> Handler | None:
    """Return the handler of an endpoint, or None when the emulator does not serve it."""
    return _HANDLERS.get((method, template))


@serves("GET", "/authorization/*/shops")
def authorized_shops(_world: World, call: Call) -> bytes:
    """Get Authorized Shops: only those that were ticked at consent."""
    return orjson.dumps({"shops": [shop.public() for shop in call.shops]})


@serves("GET", "/authorization/*/category_assets")
def category_assets(_world: World, call: Call) -> bytes:
    """Get Authorized Category Assets."""
    return orjson.dumps({"category_assets": [asset.public() for asset in call.account.assets]})


@serves("GET", "/seller/*/shops")
def active_shops(_world: World, call: Call) -> bytes:
    """Get Active Shops."""
    return orjson.dumps({"shops": [{"id": shop.id, "region": shop.region} for shop in call.shops if shop.active]})


@serves("GET", "/seller/*/permissions")
def permissions(_world: World, call: Call) -> bytes:
    """Get Seller Permissions: cross-border sellers manage global products."""
    cross_border = any(shop.seller_type == "CROSS_BORDER" for shop in call.shops)
    return orjson.dumps({"permissions": ["MANAGE_GLOBAL_PRODUCT"] if cross_border else []})


@serves("GET", "/order/*/orders")
def order_detail(world: World, call: Call) -> bytes:
    """Get Order Detail: up to 50 ids, all of this shop."""
    if call.shop is None:
        raise refuse(106013)
    orders = world.orders(call.shop)
    rows: list[bytes] = []
    for order_id in call.query["ids"]:
        index = orders.index_of(order_id)
        if index is None:
            number = shop_number_of(order_id)
            owner = next((shop for shop in world.shops.values() if shop.number == number), None)
            elsewhere = (
                owner is not None and owner is not call.shop and world.orders(owner).index_of(order_id) is not None
            )
            raise refuse(21008111 if elsewhere else 21001001)
        rows.append(orders.row(index, detail=True))
    world.stats.rows_served += len(rows)
    return b'{"orders":[' + b",".join(rows) + b"]}"


@serves("POST", "/order/*/orders/search")
def order_search(world: World, call: Call) -> bytes:
    """Get Order List."""
    if call.shop is None:
        raise refuse(106013)
    settings, orders, query = world.settings, world.orders(call.shop), call.query
    field = query.get("sort_field", "create_time")
    ascending = query.get("sort_order", "DESC") == "ASC"
    size = query["page_size"]
    unchanging = sorted((name, value) for name, value in query.items() if name != "page_token")
    bound_to = binding(
        call.endpoint.path, call.shop.id, unchanging, orjson.dumps(call.body, option=orjson.OPT_SORT_KEYS)
    )
    now = world.clock.now()
    position = Position(-1, int(now), now, 0)
    if query.get("page_token"):
        position = open_token(world.app_secret, query["page_token"], bound_to, now, settings.page_token_ttl)
    if settings.page_tokens == "snapshot" and position.place >= 0:
        keys = world.snapshots[position.place]
        low, high = 0, len(keys)
    else:
        keys, low, high = orders.matching(_filter(call, position.as_of), field)
    matched = keys, low, high
    if settings.page_tokens == "keyset" and position.place >= 0:
        if ascending:
            low = bisect_right(keys, position.place, low, high)
        else:
            high = bisect_left(keys, position.place, low, high)
    elif ascending:
        low = min(high, low + position.served)
    else:
        high = max(low, high - position.served)
    page = keys[low : min(high, low + size)] if ascending else keys[max(low, high - size) : high][::-1]
    token = ""
    if high - low > len(page):
        place = _place(world, position, matched, page)
        token = seal_token(
            world.app_secret, Position(place, position.as_of, now, position.served + len(page)), bound_to
        )
    rows = [orders.row(orders.key_index(key)) for key in page]
    world.stats.rows_served += len(rows)
    _touch_after_page(world, orders, matched)
    data: dict[str, object] = {"next_page_token": token, "total_count": matched[2] - matched[1]}
    if not token and settings.last_page == "no_token":
        del data["next_page_token"]
    head = orjson.dumps(data)
    if not rows and settings.empty_list == "absent":
        return head
    return head[:-1] + b',"orders":[' + b",".join(rows) + b"]}"


def _place(world: World, position: Position, matched: tuple[array[int], int, int], page: array[int]) -> int:
    if world.settings.page_tokens == "keyset":
        return page[-1]
    if world.settings.page_tokens == "offset":
        return 0
    if position.place >= 0:
        return position.place
    keys, low, high = matched
    world.snapshots.append(keys[low:high])
    return len(world.snapshots) - 1


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


def _touch_after_page(world: World, orders: ShopOrders, matched: tuple[array[int], int, int]) -> None:
    """Update rows of the result behind the reader's back, as a busy shop does."""
    settings, (keys, low, high) = world.settings, matched
    world.pages_served += 1
    if not settings.touch_every_pages or world.pages_served % settings.touch_every_pages or high <= low:
        return
    now = int(world.clock.now())
    chosen = [keys[place] for place in world.random.sample(range(low, high), min(settings.touch_rows, high - low))]
    for key in chosen:
        orders.touch(orders.key_index(key), now)
