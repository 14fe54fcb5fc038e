"""Any stream as a dlt resource, for every destination that dlt loads into. Needs the extra ``dlt``.

Imports no Airflow: usable from a plain script with a client, and from a task with a hook.
"""

from __future__ import annotations

from airflow_provider_tiktokshop.dlt_source.source import caught_up, tiktokshop_resource, tiktokshop_source

__all__ = ["caught_up", "tiktokshop_resource", "tiktokshop_source"]
