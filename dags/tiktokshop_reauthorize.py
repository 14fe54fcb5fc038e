"""Authorize a TikTok Shop seller, or authorize one again, inside Airflow.

Trigger it by hand. The task waits as a *required action*: open the link there as the seller (or send it to them), agree, and
paste the address that the browser shows afterwards. The tokens are kept; the rotation DAG takes them up at its next run.

- ``open_id``: who is expected. Failed rotations name it, ``airflow tiktokshop status`` lists it. Anybody else's consent is not
  used. Leave it empty for a new seller.
- Without an answer within a day the task fails and nothing changes. On a code that does not work it fails and says why. Clear
  the task for a new link.

On Airflow 3.1 and 3.2 the waiting needs a running triggerer. Several runs may wait at once: raise ``max_active_runs``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_provider_tiktokshop.operators.authorize import TikTokShopAuthorizeOperator

with DAG(
    dag_id="tiktokshop_reauthorize",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"open_id": Param(None, type=["null", "string"], description="Who is expected; empty: a new seller.")},
    doc_md=__doc__,
    tags=["tiktokshop"],
) as dag:
    TikTokShopAuthorizeOperator(
        task_id="authorize",
        tiktokshop_conn_id="tiktokshop_default",
        open_id="{{ params.open_id or '' }}",
        response_timeout=timedelta(days=1),
    )
