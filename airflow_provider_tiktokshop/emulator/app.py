"""Puts the emulator's rooms under one origin: control, consent pages, and the API below everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

import airflow_provider_tiktokshop.emulator.endpoints  # noqa: F401 - registers what is served
from airflow_provider_tiktokshop.emulator.consent import consent_router
from airflow_provider_tiktokshop.emulator.control import control_router
from airflow_provider_tiktokshop.emulator.control_accounts import accounts_router
from airflow_provider_tiktokshop.emulator.gateway import Gateway

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.state import Emulator
    from airflow_provider_tiktokshop.emulator.wire import Wire

__all__ = ["build_app"]


def build_app(emulator: Emulator, wire: Wire) -> FastAPI:
    """Return the ASGI application."""
    app = FastAPI(title="TikTok Shop emulator", docs_url=None, redoc_url=None, openapi_url=None)
    for router in (control_router(emulator), accounts_router(emulator), consent_router(emulator)):
        app.include_router(router)
    app.mount("/", Gateway(emulator, wire))
    return app
