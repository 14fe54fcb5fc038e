"""What happened to whom that a person should hear of, and each of it once.

A run of the rotation task compares how its authorizations stand with what was told before. What was told is kept in small
records of their own (kind ``alert``), written by the rotation task only, so that neither a restart nor a run every six hours
tells the same thing again, and that a recovery is told exactly to those who heard of the trouble.
"""

from __future__ import annotations

import enum
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.errors import CODES, TikTokShopError
from airflow_provider_tiktokshop.auth.records import RecordKey
from airflow_provider_tiktokshop.auth.rotation import Outcome, RotationResult
from airflow_provider_tiktokshop.auth.seeds import SeedOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.auth.run import RunReport
    from airflow_provider_tiktokshop.auth.stores.base import TokenStore

__all__ = ["AuthorizationEvent", "EventKind", "take_events"]

log = logging.getLogger(__name__)

SCHEMA = 1
# An authorization that ends is told of this many days before, not at every run in between.
EXPIRY_MARKS = (1, 3, 7, 14, 30)
DAY = 86_400
# The ids under which what concerns no single seller is remembered.
APP, SEED = "app", "seed"
_SEED_TROUBLE = {SeedOutcome.REFUSED, SeedOutcome.UNPROVEN, SeedOutcome.UNKNOWN}


class EventKind(enum.StrEnum):
    """What happened."""

    REFUSED = "refused"
    OVERDUE = "overdue"
    EXPIRING = "expiring"
    RECOVERED = "recovered"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class AuthorizationEvent:
    """One thing that a person should hear of. Holds no secret and nobody's name.

    :param id: the authorization's id; ``app`` or ``seed`` for what concerns all sellers or the connection's refresh token.
    :param error: the last error: ``code``, ``request_id``, ``text``, ``advice``.
    :param meaning: what the code means, in this provider's words; empty where there is no code or it is unknown.
    :param access_expires_at: Unix seconds.
    :param authorization_expires_at: Unix seconds.
    """

    kind: EventKind
    app_key: str
    id: str
    at: float
    open_id: str | None = None
    shop_ids: tuple[str, ...] = ()
    status: str = ""
    outcome: str = ""
    error: dict[str, Any] | None = None
    meaning: str = ""
    access_expires_at: int | None = None
    authorization_expires_at: int | None = None

    def public(self) -> dict[str, Any]:
        """Return the event as a JSON object, safe for XCom."""
        names = ("app_key", "id", "at", "open_id", "status", "outcome", "error", "meaning")
        return {
            "kind": str(self.kind),
            **{name: getattr(self, name) for name in (*names, "access_expires_at", "authorization_expires_at")},
            "shop_ids": list(self.shop_ids),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> AuthorizationEvent:
        """Read an event from its JSON object."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        return cls(**{**known, "kind": EventKind(value["kind"]), "shop_ids": tuple(value.get("shop_ids") or ())})


def take_events(report: RunReport, store: TokenStore, app_key: str) -> list[AuthorizationEvent]:
    """Return what is new in a run, and remember that it was told.

    :return: newly refused sellers, sellers newly overdue, authorizations that pass 30, 14, 7, 3 and 1 days before their end,
        what stopped the run, and recoveries of any of these (but of an approaching end).
    """
    memory = _Memory(store, app_key, report.now)
    return [*_of_the_app(report, memory, app_key), *_of_sellers(report, memory, app_key)]


class _Memory:
    """What was told before, by id."""

    def __init__(self, store: TokenStore, app_key: str, now: float) -> None:
        self._store = store
        self._app_key = app_key
        self._now = now
        self._told: dict[str, dict[str, Any]] = {}
        try:
            known = store.ids("alert", app_key)
        except TikTokShopError:
            known = None
        # Without a list every record is looked up; with one, only those that exist: in a healthy fleet, none.
        self._known = None if known is None else set(known)

    def of(self, id_: str) -> dict[str, Any]:
        if id_ not in self._told:
            self._told[id_] = self._read(id_)
        return self._told[id_]

    def tell(self, id_: str, **changes: Any) -> None:
        value = {"schema": SCHEMA, **self.of(id_), **changes, "at": int(self._now)}
        self._told[id_] = value
        try:
            self._store.write(RecordKey("alert", self._app_key, id_), value)
        except TikTokShopError as error:
            # Told twice is better than not at all.
            log.warning("could not note that a person was told of %s: %s", id_, error.message)

    def _read(self, id_: str) -> dict[str, Any]:
        if self._known is not None and id_ not in self._known:
            return {}
        try:
            value = self._store.read(RecordKey("alert", self._app_key, id_)).value or {}
        except TikTokShopError:
            return {}
        return {} if "moved_to" in value else value


def _of_the_app(report: RunReport, memory: _Memory, app_key: str) -> Iterator[AuthorizationEvent]:
    if stopped := report.rotation.stopped:
        cause = next((r.error for r in report.rotation.results if r.outcome is Outcome.CONFIGURATION and r.error), None)
        error = {"text": stopped, **{name: (cause or {}).get(name) for name in ("code", "request_id", "advice")}}
        if memory.of(APP).get("condition") != EventKind.STOPPED:
            memory.tell(APP, condition=str(EventKind.STOPPED))
            yield _event(EventKind.STOPPED, app_key, APP, report.now, error=error)
    elif any(r.outcome is Outcome.ROTATED for r in report.rotation.results) and memory.of(APP).get("condition"):
        memory.tell(APP, condition=None)
        yield _event(EventKind.RECOVERED, app_key, APP, report.now)
    seed = report.seed
    if seed is None:
        return
    if seed.outcome in _SEED_TROUBLE:
        if memory.of(SEED).get("condition") != seed.outcome:
            memory.tell(SEED, condition=str(seed.outcome))
            yield _event(
                EventKind.REFUSED, app_key, SEED, report.now, error=seed.error or {}, outcome=str(seed.outcome)
            )
    elif memory.of(SEED).get("condition") and seed.outcome in {SeedOutcome.REDEEMED, SeedOutcome.DONE_BEFORE}:
        memory.tell(SEED, condition=None)
        yield _event(EventKind.RECOVERED, app_key, SEED, report.now)


def _of_sellers(report: RunReport, memory: _Memory, app_key: str) -> Iterator[AuthorizationEvent]:
    held = {authorization.id: authorization for authorization in report.authorizations}
    overdue = {result.id for result in report.overdue}
    for result in report.rotation.results:
        authorization = held.get(result.id)
        condition = _condition(result, authorization, overdue=result.id in overdue, stopped=report.rotation.stopped)
        told = memory.of(result.id).get("condition")
        if condition is not None and condition != told:
            memory.tell(result.id, condition=str(condition))
            yield _event(condition, app_key, result.id, report.now, result, authorization)
        if condition is None and told and result.outcome.good and authorization and authorization.status.usable:
            memory.tell(result.id, condition=None)
            yield _event(EventKind.RECOVERED, app_key, result.id, report.now, result, authorization, error={})
        if authorization is not None and _passes_a_mark(authorization, memory, report.now):
            yield _event(EventKind.EXPIRING, app_key, result.id, report.now, result, authorization, error={})


def _condition(
    result: RotationResult, authorization: Authorization | None, *, overdue: bool, stopped: str | None
) -> EventKind | None:
    if result.outcome is Outcome.REFUSED:
        # Where the run stopped because the app is suspected, nobody was marked and the app's own event tells.
        spared = authorization is not None and not authorization.status.needs_person
        return None if spared and stopped else EventKind.REFUSED
    if stopped and result.outcome in {Outcome.STOPPED, Outcome.CONFIGURATION}:
        return None
    return EventKind.OVERDUE if overdue else None


def _passes_a_mark(authorization: Authorization, memory: _Memory, now: float) -> bool:
    ends = authorization.authorization_expires_at
    if ends is None or not authorization.expires_soon or not authorization.status.usable:
        return False
    mark = next((days for days in EXPIRY_MARKS if ends - now <= days * DAY), EXPIRY_MARKS[-1])
    told = memory.of(authorization.id)
    if told.get("ends") == ends and int(told.get("mark") or EXPIRY_MARKS[-1]) <= mark:
        return False
    memory.tell(authorization.id, ends=ends, mark=mark)
    return True


def _event(
    kind: EventKind,
    app_key: str,
    id_: str,
    now: float,
    result: RotationResult | None = None,
    authorization: Authorization | None = None,
    *,
    error: dict[str, Any] | None = None,
    outcome: str = "",
) -> AuthorizationEvent:
    error = error if error is not None else (result.error if result is not None else None)
    info = CODES.get((error or {}).get("code") or -1)
    return AuthorizationEvent(
        kind=kind,
        app_key=app_key,
        id=id_,
        at=now,
        open_id=(result.open_id if result else None) or (authorization.open_id if authorization else None),
        shop_ids=tuple(shop.id for shop in authorization.shops) if authorization else (),
        status=str(authorization.status) if authorization else "",
        outcome=outcome or (str(result.outcome) if result else ""),
        error=error or None,
        meaning=info.meaning if info is not None else "",
        access_expires_at=(result.access_expires_at if result else None)
        or (authorization.access_expires_at if authorization else None),
        authorization_expires_at=authorization.authorization_expires_at if authorization else None,
    )
