"""The pages' web application. It runs inside the api-server, under Airflow's own login and permissions."""

from __future__ import annotations

from pathlib import Path

from airflow.api_fastapi.core_api.security import requires_access_connection
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, Response

__all__ = ["create_app"]

_HERE = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Nothing may run or load but our own two files, and no other site may frame the page.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'",
}

_STATIC = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}


def create_app() -> FastAPI:
    """Return the application with its routes.

    Airflow does not ask a plugin's visitors to log in: every route that shows anything of the deployment asks for the
    permission to read connections itself.
    """
    app = FastAPI(title="TikTok Shop", docs_url=None, redoc_url=None, openapi_url=None)
    may_read = [Depends(requires_access_connection(method="GET"))]

    # Not async: reading the store takes time, and the server's event loop must not wait for it.
    @app.get("/", dependencies=may_read, response_class=HTMLResponse)
    def status_page() -> HTMLResponse:
        from airflow_provider_tiktokshop.plugin.page import render
        from airflow_provider_tiktokshop.plugin.report import app_reports

        return HTMLResponse(render(app_reports()), headers=_HEADERS)

    @app.get("/page.css")
    def stylesheet() -> Response:
        return Response((_HERE / "page.css").read_bytes(), media_type="text/css", headers=_STATIC)

    @app.get("/page.js")
    def script() -> Response:
        return Response((_HERE / "page.js").read_bytes(), media_type="text/javascript", headers=_STATIC)

    return app
