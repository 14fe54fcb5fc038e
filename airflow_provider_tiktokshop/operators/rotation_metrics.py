"""The metrics of a rotation, through whatever Airflow's ``[metrics]`` section sends them to."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.auth.rotation import Outcome

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.run import RunReport

__all__ = ["emit_metrics"]

log = logging.getLogger(__name__)

PREFIX = "tiktokshop.rotation"
DAY = 86_400
_SUCCESS = {Outcome.ROTATED, Outcome.ADOPTED, Outcome.PEER}


def emit_metrics(report: RunReport, seconds: float, *, first: bool = True) -> None:
    """Send a run's metrics. A metrics server that is down fails no rotation.

    ``tiktokshop.rotation.success``, ``.failure.<outcome>``, ``.not_due``, ``.known_dead`` count authorizations;
    ``.seconds`` times the run; ``.days_left`` is a gauge of the days that the access token next to expire still lasts.

    :param seconds: how long the run took.
    :param first: whether this is the task, or the first of the mapped ones, which holds the most urgent sellers: the
        others would overwrite the gauge with sellers who have more time left.
    """
    from airflow_provider_tiktokshop.compat import get_stats

    try:
        stats = get_stats()
        counts: Counter[str] = Counter()
        for result in report.rotation.results:
            if result.outcome in _SUCCESS:
                counts["success"] += 1
            elif result.outcome in {Outcome.NOT_DUE, Outcome.DEAD}:
                counts[str(result.outcome)] += 1
            else:
                counts[f"failure.{result.outcome}"] += 1
        for name, number in counts.items():
            stats.incr(f"{PREFIX}.{name}", number)
        stats.timing(f"{PREFIX}.seconds", timedelta(seconds=seconds))
        expiries = [
            a.access_expires_at
            for a in report.authorizations
            if a.access_expires_at is not None and not a.status.needs_person
        ]
        if first and expiries:
            stats.gauge(f"{PREFIX}.days_left", round(max(0.0, (min(expiries) - report.now) / DAY), 3))
    except Exception as error:  # noqa: BLE001 - of whichever metrics client is configured
        log.warning("the metrics of this run could not be sent: %s", type(error).__name__)
