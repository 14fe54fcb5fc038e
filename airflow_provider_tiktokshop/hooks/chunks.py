"""Deals the authorizations of a large app out to mapped rotation tasks."""

from __future__ import annotations

import logging
import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tiktokshop.auth.records import Authorization

__all__ = ["chunk_open_ids", "emit_fleet_metrics"]

log = logging.getLogger(__name__)


def chunk_open_ids(
    authorizations: Sequence[Authorization], *, size: int, limit: int, only_due: bool = False
) -> list[list[str]]:
    """Return disjoint lists of open_ids, the most urgent first.

    :param size: authorizations a list; more where there would be more than ``limit`` lists.
    :param limit: how many lists at most: Airflow maps no task over more than ``[core] max_map_length``.
    :param only_due: leave out whoever a rotation would find in order.
    """
    alive = [a for a in authorizations if not a.status.needs_person]
    chosen = [a for a in alive if not only_due or _needs_a_look(a)]
    # The open_id breaks ties, so that the lists of a retried task are the same.
    chosen.sort(key=lambda a: (a.access_expires_at or 0, a.open_id))
    size = max(size, math.ceil(len(chosen) / limit), 1)
    log.info(
        "%d authorizations in lists of up to %d; left out: %d who must authorize again, %d not due",
        len(chosen),
        size,
        len(authorizations) - len(alive),
        len(alive) - len(chosen),
    )
    return [[a.open_id for a in chosen[start : start + size]] for start in range(0, len(chosen), size)]


def emit_fleet_metrics(authorizations: Sequence[Authorization]) -> None:
    """Send one gauge for each status: ``tiktokshop.authorizations.fresh``, …, zero included."""
    from airflow_provider_tiktokshop.auth.records import Status
    from airflow_provider_tiktokshop.compat import get_stats

    counts = Counter(a.status for a in authorizations)
    try:
        stats = get_stats()
        for status in Status:
            stats.gauge(f"tiktokshop.authorizations.{status}", counts[status])
    except Exception as error:  # noqa: BLE001 - of whichever metrics client is configured
        log.warning("the metrics of the fleet could not be sent: %s", type(error).__name__)


def _needs_a_look(authorization: Authorization) -> bool:
    return (
        authorization.status != "fresh"
        or not authorization.verified
        or authorization.rotating
        or authorization.deauthorization_noticed
        or authorization.expires_soon
        or authorization.last_error is not None
    )
