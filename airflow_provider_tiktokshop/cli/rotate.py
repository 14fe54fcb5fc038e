"""``airflow tiktokshop rotate``: ask the rotation DAG for a run. Nothing is redeemed here."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from airflow.utils.cli import action_cli

from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.cli.output import fail_with_text
from airflow_provider_tiktokshop.hooks.wiring import wire

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from airflow_provider_tiktokshop.auth.records import Authorization

__all__ = ["rotate"]

UNDER_WAY = {"queued", "running"}


@action_cli(check_db=False)  # type: ignore[no-untyped-call,untyped-decorator]
@fail_with_text
def rotate(args: argparse.Namespace) -> None:
    """Start one run of the rotation DAG, or find the one that was asked for before."""
    authorizations = wire(args.conn_id).authorizations
    held = [authorizations.find(open_id=o) for o in args.open_id] if args.open_id else authorizations.all()
    generations = {a.open_id: a.generation for a in held}
    conf: dict[str, Any] = {}
    if args.open_id:
        conf["open_ids"] = list(generations)
    if args.force:
        _refuse_dead(held)
        # Each named by the generation to replace: whoever was rotated meanwhile is left alone.
        conf["force"] = generations
    run_id, state = _start(args.dag_id, _name(generations, force=args.force), conf)
    result = {"dag_id": args.dag_id, "run_id": run_id, "state": state, "conf": conf}
    if args.output == "json":
        print(json.dumps(result, indent=2))
        return
    if state == "already_asked":
        print(f"This was asked for before, and the run is under way: {run_id}")
    else:
        print(f"Started run {run_id} of DAG {args.dag_id}.")
    if _paused(args.dag_id):
        print(f"The DAG is paused: the run waits until `airflow dags unpause {args.dag_id}`.")


def _refuse_dead(held: list[Authorization]) -> None:
    if held and all(a.status.needs_person for a in held):
        raise TikTokShopError(
            "all of these sellers must authorize the app again; a rotation cannot help",
            advice="`airflow tiktokshop authorize`",
        )


def _name(generations: Mapping[str, int], *, force: bool) -> str:
    """Return the part of the run id that is the same whenever the same is asked for."""
    # Without force a run is for what is due at its time: asked again a minute later, it is another question.
    asked = json.dumps([sorted(generations.items()), force or int(time.time() // 60)])
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def _start(dag_id: str, name: str, conf: dict[str, Any]) -> tuple[str, str]:
    """Start a run under a deterministic id, which Airflow accepts once; a finished one gets a successor."""
    from airflow.api.client import get_current_api_client
    from airflow.exceptions import DagNotFound, DagRunAlreadyExists
    from airflow.models.dagrun import DagRun

    attempt = 1
    while True:
        run_id = f"tiktokshop__{name}__{attempt}"
        try:
            get_current_api_client().trigger_dag(dag_id=dag_id, run_id=run_id, conf=conf)
            return run_id, "started"
        except DagNotFound:
            raise TikTokShopError(
                f"there is no DAG {dag_id!r}",
                advice="put dags/tiktokshop_rotate_tokens.py into the DAGs folder, or name yours with --dag-id",
            ) from None
        except DagRunAlreadyExists:
            found = DagRun.find(dag_id=dag_id, run_id=run_id)
            if not found or str(found[0].state) in UNDER_WAY:
                return run_id, "already_asked"
        attempt += 1


def _paused(dag_id: str) -> bool:
    from airflow.models.dag import DagModel

    model = DagModel.get_dagmodel(dag_id)
    return bool(model is not None and model.is_paused)
