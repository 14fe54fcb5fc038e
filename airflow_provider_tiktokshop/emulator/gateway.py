"""The API's front door: one ASGI application for every signed endpoint and the two token endpoints."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from airflow_provider_tiktokshop.emulator.asgi import Receive, Scope, Send, read_body
from airflow_provider_tiktokshop.emulator.call import Received
from airflow_provider_tiktokshop.emulator.checks import check_call, find_endpoint
from airflow_provider_tiktokshop.emulator.errors import REFUSALS, Refusal
from airflow_provider_tiktokshop.emulator.registry import find_handler
from airflow_provider_tiktokshop.emulator.token_endpoints import TOKEN_PATHS, exchange, presented_token

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.faults import Fault, Plan
    from airflow_provider_tiktokshop.emulator.state import Emulator, World
    from airflow_provider_tiktokshop.emulator.wire import Wire

__all__ = ["Gateway"]

_JSON = "application/json"
_HTML = b"<html><head><title>Bad gateway</title></head><body><h1>Something went wrong</h1></body></html>"


@dataclass(slots=True)
class _Reply:
    status: int
    body: bytes
    outcome: str
    content_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = ()


class Gateway:
    """Answers API requests, and lets faults strike them."""

    def __init__(self, emulator: Emulator, wire: Wire) -> None:
        self._emulator = emulator
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request (ASGI)."""
        if scope["type"] != "http":
            return
        world = self._emulator.world
        received = Received(
            scope["method"],
            (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0],
            scope["query_string"],
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            await read_body(receive),
        )
        label = f"{received.method} {_label(received)}"
        with world.stats.request(), presented_token(world, received):
            plan = world.faults.plan(received.method, received.path)
            await plan.pause(late=False)
            if world.settings.latency_ms:
                await asyncio.sleep(world.settings.latency_ms / 1000)
            if plan.reset_before():
                world.stats.count(label, "reset")
                await self._wire.reset(scope, receive)
                return
            reply = self._answer(world, received, plan)
            await plan.pause(late=True)
            cut = plan.cut()
            world.stats.count(label, reply.outcome if cut is None else f"{reply.outcome} cut")
            world.stats.bytes_served += len(reply.body)
            headers = [
                (b"content-type", reply.content_type.encode()),
                (b"date", world.clock.date_header(plan.skew()).encode()),
                *((name.encode(), value.encode()) for name, value in reply.headers),
            ]
            await self._wire.send(scope, receive, send, reply.status, headers, reply.body, cut)

    def _answer(self, world: World, received: Received, plan: Plan) -> _Reply:
        """Do what the request asks for: every change of state happens in here, without a pause."""
        early = plan.replacement(late=False)
        if early is not None:
            return _replaced(world, early)
        reply = (
            _token_reply(world, received, plan) if received.path in TOKEN_PATHS else _api_reply(world, received, plan)
        )
        late = plan.replacement(late=True)
        return reply if late is None else _replaced(world, late)


def _label(received: Received) -> str:
    if received.path in TOKEN_PATHS:
        return received.path
    try:
        return find_endpoint(received)[0].path
    except Refusal:
        return "(unknown path)"


def _token_reply(world: World, received: Received, plan: Plan) -> _Reply:
    if received.method != "GET":
        return _Reply(404, b"404 page not found", "404", "text/plain; charset=utf-8")
    try:
        return _success(world, exchange(world, received, plan), b"success")
    except Refusal as refusal:
        return _refused(world, refusal)


def _api_reply(world: World, received: Received, plan: Plan) -> _Reply:
    try:
        call = check_call(world, received, plan.skew())
        handler = find_handler(call.endpoint.method, call.endpoint.template)
        if handler is None:
            text = f"The emulator does not serve {call.endpoint.method} {call.endpoint.path} yet."
            return _Reply(501, text.encode(), "501", "text/plain; charset=utf-8")
        return _success(world, handler(world, call), b"Success")
    except Refusal as refusal:
        return _refused(world, refusal)


def _success(world: World, data: bytes, message: bytes) -> _Reply:
    request_id = world.request_id().encode()
    body = b'{"code":0,"data":' + data + b',"message":"' + message + b'","request_id":"' + request_id + b'"}'
    return _Reply(200, body, "0")


def _refused(world: World, refusal: Refusal) -> _Reply:
    body = orjson.dumps(
        {"code": refusal.code, "message": refusal.message, "data": None, "request_id": world.request_id()}
    )
    return _Reply(refusal.status, body, str(refusal.code), headers=refusal.headers)


def _replaced(world: World, fault: Fault) -> _Reply:
    params = fault.params
    if fault.kind == "html":
        return _Reply(int(params.get("status", 502)), _HTML, "html", "text/html; charset=utf-8")
    headers = (("retry-after", str(params["retry_after"])),) if "retry_after" in params else ()
    if fault.kind == "code":
        status, message = REFUSALS.get(fault.number, (200, "Error"))
        return _refused(
            world, Refusal(fault.number, params.get("message", message), int(params.get("status", status)), headers)
        )
    known = {429: 36009002, 500: 36009003, 504: 36009007}.get(fault.number)
    code = params.get("code", known)
    if code is None:
        # Overload is documented without a code: plain text, as a balancer in front of the service would send.
        return _Reply(fault.number, b"Service Unavailable", str(fault.number), "text/plain", headers)
    message = params.get("message", REFUSALS.get(int(code), (0, "Error"))[1])
    return _refused(world, Refusal(int(code), message, fault.number, headers))
