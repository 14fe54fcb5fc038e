"""What an extraction tells Airflow: the assets that it updated, and what of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.extract import Manifest

__all__ = ["asset_uris", "event_extra"]


def asset_uris(app_key: str, manifest: Manifest) -> tuple[str, str]:
    """Return the URIs of the assets that an extraction updates: the app's stream, and the part of it that is one subject's.

    :returns: ``tiktokshop://<app_key>/orders`` and ``tiktokshop://<app_key>/orders/shop_id=7495…``: steps as in the paths of
        the files, so that who knows one knows the other.
    """
    stream = f"tiktokshop://{app_key}/{manifest.stream}"
    return stream, "/".join((stream, *manifest.owner))


def event_extra(manifest: Manifest) -> dict[str, Any]:
    """Return what the events say. Everybody who may see assets can read it: counts, ids and places only."""
    return {
        "stream": manifest.stream,
        "shop_id": manifest.shop_id,
        "open_id": manifest.open_id,
        "category_asset": manifest.category_asset,
        "start": manifest.start,
        "end": manifest.end,
        "complete_until": manifest.complete_until,
        "rows": manifest.rows,
        "files": len(manifest.files),
        "cursor_field": manifest.cursor_field,
        "min_cursor": manifest.min_cursor,
        "max_cursor": manifest.max_cursor,
        "manifest_path": manifest.manifest_path,
    }
