"""Keep the tokens of every TikTok Shop seller alive.

An access token lives seven days. This DAG looks every six hours and renews each one that has less than three days left, so
that a bad weekend leaves a dozen more tries. It is the only place that spends refresh tokens: everything else reads.

Make one copy for each app (each connection), and set:

- ``max_active_runs=1``: two runs at once could present one refresh token twice. The operator adds ``retries=0`` and
  ``max_active_tis_per_dag=1``: the next run is the retry.
- an alert on failure (``on_failure_callback``): the task fails only when a person must do something, and says what.

To renew at once, trigger it with ``force``: ``true`` renews everything, ``{"<open_id>": 7}`` replaces generation 7 of one
seller, however often it is asked for. Airflow 3.1 and 3.2 cannot prove that the connection's refresh token was never redeemed
before: there, trigger the first run with ``bootstrap`` set.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param

from airflow_provider_tiktokshop.operators.rotate_token import TikTokShopRotateTokenOperator

with DAG(
    dag_id="tiktokshop_rotate_tokens",
    schedule="17 */6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "open_ids": Param(None, type=["null", "array"], minItems=1, description="Whose tokens; null: everybody's."),
        "force": Param(None, type=["null", "boolean", "integer", "object"], description="Renew although not due."),
        "bootstrap": Param(False, type="boolean", description="First run on Airflow 3.1 or 3.2, with a refresh token."),
    },
    doc_md=__doc__,
    tags=["tiktokshop"],
) as dag:
    TikTokShopRotateTokenOperator(
        task_id="rotate",
        tiktokshop_conn_id="tiktokshop_default",
        open_ids="{{ params.open_ids | tojson }}",
        force="{{ params.force | tojson }}",
        bootstrap="{{ params.bootstrap }}",
        advisory=timedelta(days=3),
        execution_timeout=timedelta(minutes=30),
    )
