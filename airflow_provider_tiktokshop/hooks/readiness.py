"""Whether an authorization has a token to go on with: what the sensor asks in its task, and the trigger in the triggerer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.auth.reader import AuthorizationNotFound
from airflow_provider_tiktokshop.auth.records import RecordKey, SeedRecord, fingerprint
from airflow_provider_tiktokshop.auth.stores.base import StoreMoved, TokenStoreError
from airflow_provider_tiktokshop.hooks.wording import because, reauthorize, time_left

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.wiring import AppWiring

__all__ = ["READY", "STUCK", "WAITING", "Readiness", "look"]

READY, WAITING, STUCK = "ready", "waiting", "stuck"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What one look found. Holds no secret.

    :param state: ``ready``; ``waiting``: time may help; ``stuck``: only a person can.
    :param text: why, and what to do.
    :param authorization: when ready: ``id``, ``open_id``, ``status``, ``generation``, expiries, ``shops``.
    """

    state: str
    text: str
    authorization: dict[str, Any] | None = None

    def public(self) -> dict[str, Any]:
        """Return it as a JSON object, for a trigger's event."""
        return {"state": self.state, "text": self.text, "authorization": self.authorization}


def look(
    wiring: AppWiring,
    *,
    open_id: str | None,
    shop_id: str | None,
    valid_for: float,
    after_generation: int | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Readiness:
    """Read the store once.

    :param valid_for: seconds that the access token must still last.
    :param after_generation: wait for a pair newer than this generation.
    :raises AmbiguousAuthorization: several match.
    :raises ConfigurationError: the connection or a stored record is wrong.
    """
    try:
        found = wiring.authorizations.find(open_id=open_id, shop_id=shop_id)
    except StoreMoved as error:
        return Readiness(STUCK, str(error))
    except TokenStoreError as error:
        return Readiness(WAITING, str(error))
    except AuthorizationNotFound as error:
        if _seed_is_to_be_redeemed(wiring):
            return Readiness(WAITING, "the connection's refresh token waits for the next run of the rotation DAG")
        return Readiness(STUCK, str(error))
    return _judge(found, valid_for, after_generation, clock.now())


def _judge(found: Authorization, valid_for: float, after_generation: int | None, now: float) -> Readiness:
    who = f"open_id {found.open_id} (id {found.id})"
    if found.status.needs_person:
        todo = "" if found.status == "pending" else reauthorize(found.open_id)
        if found.status == "pending":
            todo = f"confirm the consent: `airflow tiktokshop confirm {found.id}`"
        return Readiness(STUCK, f"{who}: {found.status}{because(found.last_error, todo)}")
    state = f"{who}: {found.status}, generation {found.generation}"
    if found.access_expires_at is not None:
        state += f", access token {time_left(found.access_expires_at, now)}"
    if after_generation is not None and found.generation <= after_generation:
        return Readiness(WAITING, f"{state}; waiting for a generation after {after_generation}")
    if not found.status.usable or (found.access_expires_at or 0) - now < valid_for:
        return Readiness(WAITING, f"{state}{because(found.last_error) if found.last_error else ''}")
    names = ("id", "open_id", "status", "epoch", "generation", "access_expires_at", "authorization_expires_at", "shops")
    public = found.public()
    return Readiness(READY, state, {name: public[name] for name in names})


def _seed_is_to_be_redeemed(wiring: AppWiring) -> bool:
    seed = wiring.connection.seed
    if seed is None:
        return False
    try:
        value = wiring.store.read(RecordKey("seed", wiring.app.app_key, fingerprint(seed))).value
    except TokenStoreError:
        return True
    return value is None or SeedRecord.from_json(value).outcome is None
