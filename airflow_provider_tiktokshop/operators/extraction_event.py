"""What an extraction tells Airflow: the assets that it updated, and what of them.

Airflow makes an asset that no DAG names when its first event comes through an alias. Where two tasks end at the same moment and
both make it, the database refuses one of them, and Airflow marks that task as failed for good, although its work is done (3.1 to
3.3). So an event goes through the alias only where no other task can be making the same asset; elsewhere it goes to the asset
itself, which reaches every DAG that names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

    from airflow_provider_tiktokshop.extract import Manifest

__all__ = ["announce", "asset_uris", "event_extra"]


def announce(task: BaseOperator, context: Context, alias: str, app_key: str, manifest: Manifest) -> None:
    """Emit the events of an extraction when its task succeeds.

    :param alias: name of an alias among the task's outlets
    """
    from airflow.sdk import Asset, AssetAlias

    stream, own = (Asset(uri) for uri in asset_uris(app_key, manifest))
    extra = event_extra(manifest)
    # The stream's asset belongs to all tasks of a mapped extraction, which often end together.
    _emit(task, context, stream, extra)
    if own not in task.outlets and _is_only_run(context):
        context["outlet_events"][AssetAlias(alias)].add(own, extra=extra)
    else:
        _emit(task, context, own, extra)


def _emit(task: BaseOperator, context: Context, asset: Any, extra: dict[str, Any]) -> None:
    if asset not in task.outlets:
        task.add_outlets([asset])
    context["outlet_events"][asset].extra = extra


def _is_only_run(context: Context) -> bool:
    """Tell whether this run is its DAG's only one at the moment: another may be extracting another day of the same shop."""
    ti = context["ti"]
    try:
        return bool(ti.get_dr_count(dag_id=ti.dag_id, states=["running"]) <= 1)
    except Exception:  # noqa: BLE001 - the rows are there: no trouble with the news of them may fail the task
        return False


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
