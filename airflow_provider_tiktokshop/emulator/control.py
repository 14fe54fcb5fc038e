"""The control endpoints: what a test or a demo may see and change. None of them exists at TikTok."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request

from airflow_provider_tiktokshop.emulator.errors import Refusal
from airflow_provider_tiktokshop.emulator.faults import Fault
from airflow_provider_tiktokshop.emulator.truth import truth
from airflow_provider_tiktokshop.emulator.webhooks import build_event, deliver

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.orders import ShopOrders
    from airflow_provider_tiktokshop.emulator.state import Emulator, World

__all__ = ["control_router", "json_body", "json_object"]

_FAR = 1 << 37


def control_router(emulator: Emulator) -> APIRouter:
    """Return the routes under ``/_emulator`` that concern the emulator as a whole."""
    router = APIRouter(prefix="/_emulator")
    _observing(router, emulator)
    _faults(router, emulator)
    _time_and_data(router, emulator)
    return router


def _observing(router: APIRouter, emulator: Emulator) -> None:
    @router.get("/ready")
    async def ready() -> dict[str, Any]:
        return emulator.world.ready(emulator.url)

    @router.get("/stats")
    async def stats() -> dict[str, Any]:
        world = emulator.world
        return {**world.stats.as_dict(), "held": len(world.faults.held), "now": world.clock.now()}

    @router.get("/secrets")
    async def secrets() -> dict[str, Any]:
        return {"secrets": emulator.secrets()}

    @router.get("/truth/orders")
    async def true_orders(shop_id: str, cursor: str = "update_time", ge: int = 0, lt: int = _FAR) -> dict[str, Any]:
        if cursor not in {"update_time", "create_time"}:
            raise HTTPException(422, "cursor is update_time or create_time")
        return {"rows": _shop_orders(emulator.world, shop_id).truth(cursor, ge, lt)}

    @router.get("/truth/{resource}")
    async def true_rows(resource: str, request: Request) -> dict[str, Any]:
        try:
            return {"rows": truth(emulator.world, resource, dict(request.query_params))}
        except LookupError as error:
            raise HTTPException(404, str(error.args[0])) from None
        except Refusal as refusal:
            raise HTTPException(422, refusal.message) from None

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        emulator.reset()
        return emulator.world.ready(emulator.url)


def _faults(router: APIRouter, emulator: Emulator) -> None:
    @router.get("/faults")
    async def list_faults() -> dict[str, Any]:
        faults = emulator.world.faults
        return {"faults": [fault.as_dict() for fault in faults.faults], "held": len(faults.held)}

    @router.post("/faults")
    async def set_faults(request: Request) -> dict[str, Any]:
        body = await json_body(request)
        records = body.get("faults") if isinstance(body, dict) else body
        if not isinstance(records, list):
            raise HTTPException(422, "send a list of faults")
        try:
            faults = [Fault.parse(record) for record in records]
        except (TypeError, ValueError) as error:
            raise HTTPException(422, str(error)) from None
        emulator.world.faults.faults = faults
        return {"faults": [fault.as_dict() for fault in faults]}

    @router.post("/release")
    async def release(request: Request) -> dict[str, Any]:
        body = await json_object(request)
        return {"released": emulator.world.faults.release(body.get("name"))}

    @router.get("/held")
    async def held(count: int = 1, timeout: float = 10.0) -> dict[str, Any]:  # noqa: ASYNC109 - a query parameter
        world = emulator.world
        reached = await world.faults.wait_held(count, timeout)
        return {"held": len(world.faults.held), "reached": reached}


def _time_and_data(router: APIRouter, emulator: Emulator) -> None:
    @router.get("/settings")
    async def settings() -> dict[str, Any]:
        return emulator.world.settings.as_dict()

    @router.post("/settings")
    async def change_settings(request: Request) -> dict[str, Any]:
        try:
            emulator.world.settings.update(await json_object(request))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return emulator.world.settings.as_dict()

    @router.post("/clock")
    async def clock(request: Request) -> dict[str, Any]:
        own, body = emulator.world.clock, await json_object(request)
        if set(body) - {"advance", "set", "skew"} or not all(type(value) in {int, float} for value in body.values()):
            raise HTTPException(422, "send advance, set or skew, in seconds")
        if "set" in body:
            own.set(float(body["set"]))
        own.advance(float(body.get("advance", 0)))
        own.skew = float(body.get("skew", own.skew))
        return {"now": own.now(), "skew": own.skew, "advanced": own.advanced}

    @router.post("/orders")
    async def change_orders(request: Request) -> dict[str, Any]:
        world, body = emulator.world, await json_object(request)
        orders = _shop_orders(world, str(body.get("shop_id")))
        now = int(world.clock.now())
        added = orders.add(int(body.get("add", 0)), now)
        touched = _to_touch(world, orders, body)
        for index in touched:
            orders.touch(index, now)
        return {
            "added": [str(orders.order_id(index)) for index in added],
            "touched": [str(orders.order_id(index)) for index in touched],
            "at": now,
        }

    @router.post("/webhooks")
    async def webhooks(request: Request) -> dict[str, Any]:
        world, body = emulator.world, await json_object(request)
        plan = world.faults.plan("POST", "/webhooks")
        copies = int(body.get("copies", 1)) + sum(
            int(fault.params.get("copies", 1)) for fault in plan.faults if fault.kind == "duplicate"
        )
        try:
            raw, headers = build_event(world, body)
            deliveries = await deliver(world, str(body["url"]), raw, headers, copies) if "url" in body else []
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return {"body": raw.decode(), "headers": headers, "deliveries": deliveries}


def _to_touch(world: World, orders: ShopOrders, body: dict[str, Any]) -> list[int]:
    indexes: list[int] = []
    for order_id in body.get("ids", ()):
        index = orders.index_of(str(order_id))
        if index is None:
            raise HTTPException(404, f"no order {order_id!r} in this shop")
        indexes.append(index)
    return indexes + world.random.sample(range(len(orders)), min(int(body.get("touch", 0)), len(orders)))


def _shop_orders(world: World, shop_id: str) -> ShopOrders:
    shop = world.shops.get(shop_id)
    if shop is None:
        raise HTTPException(404, f"no shop {shop_id!r}")
    return world.orders(shop)


async def json_body(request: Request) -> Any:
    """Return the JSON of a request; no body counts as an empty object."""
    raw = await request.body()
    try:
        return json.loads(raw) if raw else {}
    except ValueError:
        raise HTTPException(422, "the body is no JSON") from None


async def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise HTTPException(422, "send a JSON object")
    return body
