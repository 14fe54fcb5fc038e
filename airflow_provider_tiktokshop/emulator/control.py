"""The control endpoints: what a test or a demo may see and change. None of them exists at TikTok."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request

from airflow_provider_tiktokshop.emulator.faults import Fault

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.state import Emulator, World

__all__ = ["control_router"]


def control_router(emulator: Emulator) -> APIRouter:
    """Return the routes under ``/_emulator``."""
    router = APIRouter(prefix="/_emulator")

    @router.get("/ready")
    async def ready() -> dict[str, Any]:
        return emulator.world.ready(emulator.url)

    @router.get("/stats")
    async def stats() -> dict[str, Any]:
        world = emulator.world
        return {**world.stats.as_dict(), "held": len(world.faults.held), "now": world.clock.now()}

    @router.get("/secrets")
    async def secrets() -> dict[str, Any]:
        return {"secrets": emulator.world.secrets()}

    @router.post("/reset")
    async def reset() -> dict[str, Any]:
        emulator.reset()
        return emulator.world.ready(emulator.url)

    @router.get("/faults")
    async def list_faults() -> dict[str, Any]:
        faults = emulator.world.faults
        return {"faults": [fault.as_dict() for fault in faults.faults], "held": len(faults.held)}

    @router.post("/faults")
    async def set_faults(request: Request) -> dict[str, Any]:
        body = await request.json()
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
        body = await _json(request)
        return {"released": emulator.world.faults.release(body.get("name"))}

    @router.get("/held")
    async def held(count: int = 1, timeout: float = 10.0) -> dict[str, Any]:  # noqa: ASYNC109 - a query parameter
        world = emulator.world
        reached = await world.faults.wait_held(count, timeout)
        return {"held": len(world.faults.held), "reached": reached}

    @router.get("/settings")
    async def settings() -> dict[str, Any]:
        return emulator.world.settings.as_dict()

    @router.post("/settings")
    async def change_settings(request: Request) -> dict[str, Any]:
        try:
            emulator.world.settings.update(await _json(request))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return emulator.world.settings.as_dict()

    @router.post("/clock")
    async def clock(request: Request) -> dict[str, Any]:
        own, body = emulator.world.clock, await _json(request)
        if set(body) - {"advance", "set", "skew"} or not all(
            isinstance(value, (int, float)) for value in body.values()
        ):
            raise HTTPException(422, "send advance, set or skew, in seconds")
        if "set" in body:
            own.set(float(body["set"]))
        own.advance(float(body.get("advance", 0)))
        own.skew = float(body.get("skew", own.skew))
        return {"now": own.now(), "skew": own.skew, "advanced": own.advanced}

    @router.get("/truth/orders")
    async def true_orders(shop_id: str, cursor: str = "update_time", ge: int = 0, lt: int = 1 << 37) -> dict[str, Any]:
        if cursor not in {"update_time", "create_time"}:
            raise HTTPException(422, "cursor is update_time or create_time")
        return {"rows": _shop_orders(emulator.world, shop_id).truth(cursor, ge, lt)}

    return router


async def _json(request: Request) -> dict[str, Any]:
    raw = await request.body()
    body = await request.json() if raw else {}
    if not isinstance(body, dict):
        raise HTTPException(422, "send a JSON object")
    return body


def _shop_orders(world: World, shop_id: str) -> Any:
    shop = world.shops.get(shop_id)
    if shop is None:
        raise HTTPException(404, f"no shop {shop_id!r}")
    return world.orders(shop)
