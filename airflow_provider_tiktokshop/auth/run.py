"""One run of the rotation task: the seed, what waits in escrow, every authorization that is due, the roster."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.auth.escrow import EscrowError
from airflow_provider_tiktokshop.auth.fleet import RotationReport, rotate_all
from airflow_provider_tiktokshop.auth.records import Authorization, Status, authorization_id
from airflow_provider_tiktokshop.auth.rotation import LAST_DAY, Outcome, RotationResult
from airflow_provider_tiktokshop.auth.seeds import SeedOutcome, SeedResult, redeem_seed
from airflow_provider_tiktokshop.auth.stores.base import TokenStoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_tiktokshop.auth.consent import AuthorizationFlow
    from airflow_provider_tiktokshop.auth.reader import Authorizations
    from airflow_provider_tiktokshop.auth.rotation import Rotator

__all__ = ["RunReport", "run_rotation"]

log = logging.getLogger(__name__)

_ID = re.compile(r"^[0-9a-f]{16}$")
# A custom app needs TikTok Shop's review from 25 seller authorizations on: warn while there is still time to ask for it.
REVIEW_FROM = 25
WARN_FROM = 20


@dataclass(slots=True)
class RunReport:
    """What a run did, what it found, and whom a person must look after. Holds no secret.

    :param rotation: one result per authorization.
    :param seed: what became of the connection's refresh token, if it has one.
    :param authorizations: how every authorization stands after the run.
    :param now: Unix seconds at the end of the run.
    """

    rotation: RotationReport
    seed: SeedResult | None = None
    authorizations: list[Authorization] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    now: float = 0.0

    @property
    def refused(self) -> list[RotationResult]:
        """Authorizations that were refused in this run and had been alive before."""
        return [r for r in self.rotation.results if r.outcome is Outcome.REFUSED]

    @property
    def dead(self) -> list[RotationResult]:
        """Authorizations known to be dead from earlier runs."""
        return [r for r in self.rotation.results if r.outcome is Outcome.DEAD]

    @property
    def overdue(self) -> list[RotationResult]:
        """Live authorizations whose access token is in its last day (or over) and that this run could not rotate."""
        return [
            r
            for r in self.rotation.results
            if not r.outcome.good
            and r.outcome not in {Outcome.DEAD, Outcome.REFUSED}
            and (r.outcome is Outcome.STILL_STALE or (r.access_expires_at or 0) - self.now < LAST_DAY)
        ]

    def public(self) -> dict[str, Any]:
        """Return the report as a JSON object, safe for XCom.

        :return: ``{"counts", "stopped", "seed", "warnings", "results": [...], "authorizations": [...]}``.
        """
        return {
            "counts": self.rotation.counts,
            "stopped": self.rotation.stopped,
            "seed": self.seed.public() if self.seed is not None else None,
            "warnings": list(self.warnings),
            "results": [r.public() for r in self.rotation.results],
            "authorizations": [a.public() for a in self.authorizations],
        }


def run_rotation(
    rotator: Rotator,
    flow: AuthorizationFlow,
    authorizations: Authorizations,
    *,
    seed: str | None = None,
    open_ids: Sequence[str] | None = None,
    force: bool | int | Mapping[str, int] = False,
    bootstrap: bool = False,
    concurrency: int = 4,
    on_start: Callable[[int], None] | None = None,
    on_result: Callable[[RotationResult], None] | None = None,
) -> RunReport:
    """Do everything that keeps one app's authorizations alive.

    :param seed: the refresh token from the connection.
    :param open_ids: whose authorizations; ``None`` means all.
    :param force: rotate although not due: the generation to replace, or one for each id or open_id, so that a second run
        asked to replace the same generation does nothing. ``True`` means the generation found now.
    :param bootstrap: see :func:`airflow_provider_tiktokshop.auth.seeds.redeem_seed`.
    :param on_start: told how many authorizations there are, before the first is looked after.
    :param on_result: told how each ended.
    :raises StoreUnavailable: the store cannot even list what there is; nothing was sent.
    """
    seeded = redeem_seed(seed, rotator, flow, authorizations, bootstrap=bootstrap) if seed else None
    if open_ids is None:
        ids = {*authorizations.ids(), *(slot for slot in rotator.escrow.slots() if _ID.match(slot))}
    else:
        ids = {authorization_id(open_id) for open_id in open_ids}
    held = authorizations.look(sorted(ids))
    # Most urgent first: if the run is cut short, those with time left can wait for the next one.
    order = sorted(ids, key=lambda id_: (_expiry(held[id_]), id_))
    forced = _forced(force, held)
    if on_start is not None:
        on_start(len(order))
    report = rotate_all(
        rotator, order, replace_generations=forced, bootstrap=bootstrap, concurrency=concurrency, on_result=on_result
    )
    after = [found for found in authorizations.look(order).values() if found is not None]
    run = RunReport(report, seeded, after, now=rotator.clock.now())
    if after:
        try:
            authorizations.enroll(*after)
        except TokenStoreError as error:
            # Only a cache: the next run, or the command line, writes it again.
            log.warning("could not note %d authorizations in the roster: %s", len(after), error.message)
    run.warnings.extend(_warnings(rotator, run))
    return run


def _forced(force: bool | int | Mapping[str, int], held: Mapping[str, Authorization | None]) -> dict[str, int]:
    """Return the generation to replace for each id that is rotated although not due."""
    if isinstance(force, bool):
        return {id_: a.generation for id_, a in held.items() if a is not None} if force else {}
    if isinstance(force, int):
        return dict.fromkeys(held, force)
    return {key if key in held else authorization_id(key): generation for key, generation in force.items()}


def _expiry(authorization: Authorization | None) -> float:
    return float(authorization.access_expires_at or 0) if authorization is not None else 0.0


def _warnings(rotator: Rotator, run: RunReport) -> list[str]:
    texts = []
    alive = sum(a.status is not Status.REVOKED for a in run.authorizations)
    if rotator.app.app_type == "custom" and alive >= WARN_FROM:
        texts.append(
            f"this custom app has {alive} authorizations; from {REVIEW_FROM} on TikTok Shop requires a review of the app: "
            "ask for it in Partner Center, or set app_type to public"
        )
    texts.extend(
        f"authorization {a.id} ends {_days(a, run.now)}: ask the seller to renew it"
        for a in run.authorizations
        if a.expires_soon and a.status.usable
    )
    if run.seed is not None and run.seed.outcome not in {SeedOutcome.DONE_BEFORE, SeedOutcome.REDEEMED}:
        error = run.seed.error or {}
        texts.append(
            f"the connection's refresh token: {run.seed.outcome}; {error.get('text', '')} {error.get('advice') or ''}".strip()
        )
    try:
        sealed = rotator.escrow.unreadable()
    except EscrowError as error:
        texts.append(error.message)
    else:
        texts.extend(f"a sealed pair in escrow cannot be opened with this app secret: {path.name}" for path in sealed)
    return texts


def _days(authorization: Authorization, now: float) -> str:
    days = int(((authorization.authorization_expires_at or now) - now) // 86_400)
    return f"in {days} days" if days > 0 else "within a day"
