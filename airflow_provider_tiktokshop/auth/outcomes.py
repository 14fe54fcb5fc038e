"""How a run ended for one authorization."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.errors import TikTokShopError
    from airflow_provider_tiktokshop.auth.records import RotatedRecord

__all__ = ["Outcome", "RotationResult", "describe"]


class Outcome(enum.StrEnum):
    """How one run ended for one authorization."""

    NOT_DUE = "not_due"
    ROTATED = "rotated"
    ADOPTED = "adopted"
    PEER = "rotated_by_peer"
    DEAD = "known_dead"
    REFUSED = "refused"
    UNKNOWN = "outcome_unknown"
    WAITING = "waiting"
    TRANSIENT = "transient"
    CONFIGURATION = "configuration"
    STORE = "store_unavailable"
    ESCROWED = "in_escrow"
    UNVERIFIED = "unverified"
    STILL_STALE = "still_stale"
    STOPPED = "not_attempted"
    FAILED = "failed"

    @property
    def good(self) -> bool:
        """Whether the authorization is in order, as far as this run could do anything about it."""
        return self in {Outcome.NOT_DUE, Outcome.ROTATED, Outcome.ADOPTED, Outcome.PEER}


@dataclass(frozen=True, slots=True)
class RotationResult:
    """What happened to one authorization. Holds no secret."""

    id: str
    outcome: Outcome
    open_id: str | None = None
    epoch: int = 0
    generation: int = 0
    access_expires_at: int | None = None
    error: dict[str, Any] | None = None
    recovered: bool = False
    presented: bool = False
    # Presented once more after an exchange of unknown outcome: that it is refused says that it was spent then, and no more.
    again: bool = False
    # What a refusal would write, decided only when the whole run is known: many refusals at once are the app's fault.
    refusal: RotatedRecord | None = field(default=None, repr=False)

    def public(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "id": self.id,
            "open_id": self.open_id,
            "outcome": str(self.outcome),
            "epoch": self.epoch,
            "generation": self.generation,
            "access_expires_at": self.access_expires_at,
            "error": self.error,
            "recovered": self.recovered,
        }


def describe(error: TikTokShopError) -> dict[str, Any]:
    """Return what of an error is kept in a record: no secret is in any of its parts."""
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "request_id": error.request_id,
        "text": error.message,
        "advice": error.advice,
    }
