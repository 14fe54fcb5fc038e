"""What the provider adds to Airflow's own UI. Every Airflow process loads this module, so it holds names only."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

__all__ = ["URL_PREFIX", "TikTokShopPlugin"]

URL_PREFIX = "/tiktokshop"


class TikTokShopPlugin(AirflowPlugin):
    """Adds the page "TikTok Shop" to Airflow's navigation."""

    name = "tiktokshop"

    external_views = [  # noqa: RUF012 - Airflow takes invalid views out of this list
        {
            "name": "TikTok Shop",
            "href": f"{URL_PREFIX}/",
            "destination": "nav",
            "category": "browse",
            "url_route": "tiktokshop",
        }
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The pages. Asked for by the api-server only, so that no other process imports FastAPI for them."""
        from airflow_provider_tiktokshop.plugin.app import create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "TikTok Shop"}]
