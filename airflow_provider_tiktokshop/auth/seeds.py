"""Redeem the seed, the refresh token typed into a connection: once, ever; its result is a consent.

A seed that was redeemed before, or that is known from any record, is never presented. Whether it was is only known when the
store can prove that something is absent: "not there" is also what an unreachable or undecryptable store says.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.errors import ExchangeError, ExchangeNotSpent, ExchangeRefused, TikTokShopError
from airflow_provider_tiktokshop.auth import keeping, owner
from airflow_provider_tiktokshop.auth.outcomes import describe
from airflow_provider_tiktokshop.auth.records import ConsentRecord, RecordKey, RotatedRecord, SeedRecord, fingerprint
from airflow_provider_tiktokshop.auth.rotation import INTENT_FRESH_FOR, Rotator
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreConflict, TokenStoreError

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.auth.consent import AuthorizationFlow
    from airflow_provider_tiktokshop.auth.reader import Authorizations
    from airflow_provider_tiktokshop.auth.records import Authorization

__all__ = ["SeedOutcome", "SeedResult", "redeem_seed"]


class SeedOutcome(enum.StrEnum):
    """How one run ended for the seed."""

    DONE_BEFORE = "done_before"
    REDEEMED = "redeemed"
    REFUSED = "refused"
    TRANSIENT = "transient"
    UNKNOWN = "outcome_unknown"
    WAITING = "waiting"
    UNPROVEN = "absence_not_proven"
    STORE = "store_unavailable"


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What happened to the seed. Holds no secret."""

    outcome: SeedOutcome
    authorization: Authorization | None = None
    error: dict[str, Any] | None = None
    newly: bool = False

    def public(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "outcome": str(self.outcome),
            "id": self.authorization.id if self.authorization else None,
            "error": self.error,
        }


def redeem_seed(
    seed: str, rotator: Rotator, flow: AuthorizationFlow, authorizations: Authorizations, *, bootstrap: bool = False
) -> SeedResult:
    """Turn a seed that was never seen before into a consent.

    :param seed: the refresh token from the connection.
    :param bootstrap: redeem although the store cannot prove that the seed was never used (Airflow before 3.3).
    :return: always a result; the store's and the service's failures are in it.
    """
    try:
        return _Seed(seed, rotator, flow, authorizations).redeem(bootstrap=bootstrap)
    except StoreConflict as error:
        return SeedResult(SeedOutcome.WAITING, error=describe(error))
    except TokenStoreError as error:
        return SeedResult(SeedOutcome.STORE, error=describe(error))


class _Seed:
    def __init__(self, seed: str, rotator: Rotator, flow: AuthorizationFlow, authorizations: Authorizations) -> None:
        self._seed = seed
        self._rotator = rotator
        self._flow = flow
        self._authorizations = authorizations
        self._app = rotator.app
        self._store = rotator.store
        self._clock = rotator.clock
        self._fingerprint = fingerprint(seed)
        self._consent_id = f"seed-{self._fingerprint}"
        self._key = RecordKey("seed", self._app.app_key, self._fingerprint)

    def redeem(self, *, bootstrap: bool) -> SeedResult:
        base = self._store.read(self._key)
        record = SeedRecord.from_json(base.value) if base.value is not None else None
        if record is not None:
            keeping.check_identity(self._app, record.app_key, record.issuer)
            if record.outcome == "refused":
                return SeedResult(SeedOutcome.REFUSED, error=record.last_error)
            if record.outcome is not None:
                return SeedResult(SeedOutcome.DONE_BEFORE)
        self._authorizations.check_not_moved()
        rescued = self._adopt_escrow(base)
        if rescued is not None:
            return rescued
        if self._known():
            self._write(base, outcome="known")
            return SeedResult(SeedOutcome.DONE_BEFORE)
        attempt = 1
        if record is not None and record.intent is not None:
            if not owner.sender_is_gone(record.intent, self._clock):
                return SeedResult(SeedOutcome.WAITING, error={"text": "another process is redeeming this seed"})
            attempt = record.intent.attempt + 1
        elif record is None and not base.proven:
            base = self._prove_absence(bootstrap=bootstrap)
            if not base.proven:
                text = "this store cannot prove that the connection's refresh token was never redeemed before"
                advice = "if this is the first run with it, run the rotation once with bootstrap=True"
                return SeedResult(SeedOutcome.UNPROVEN, error={"text": text, "advice": advice})
        return self._announce_and_redeem(base, attempt)

    def _announce_and_redeem(self, base: Snapshot, attempt: int) -> SeedResult:
        self._rotator.escrow.check()
        intent = owner.announce(self._clock, self._fingerprint, attempt)
        try:
            # Looked at again where the store does not compare: a peer may have redeemed the seed since.
            announced = self._record(intent=intent).to_json()
            base = keeping.write_over_seen(self._rotator, self._key, announced, base)
            if self._clock.boottime() - intent.boot_at > INTENT_FRESH_FOR:
                self._write(base)
                return SeedResult(SeedOutcome.TRANSIENT, error={"text": "given up unsent, 30 s after announcing it"})
            try:
                grant = self._rotator.oauth.redeem_refresh_token(self._seed)
            except ExchangeNotSpent as error:
                self._write(base, last_error=describe(error))
                return SeedResult(SeedOutcome.TRANSIENT, error=describe(error))
            except ExchangeRefused as error:
                self._write(base, outcome="refused", last_error=describe(error))
                return SeedResult(SeedOutcome.REFUSED, error=describe(error), newly=True)
            except ExchangeError as error:
                self._write(base, intent=intent, last_error=describe(error))
                return SeedResult(SeedOutcome.UNKNOWN, error=describe(error))
            keeping.mask_all(self._rotator.mask, grant.access_token, grant.refresh_token)
            if grant.refresh_token is None and grant.complete:
                grant = replace(grant, refresh_token=self._seed)
            try:
                consent = self._flow.consent_of(grant, source="seed", consent_id=self._consent_id)
            except TikTokShopError as error:
                self._write(base, intent=intent, last_error=describe(error))
                return SeedResult(SeedOutcome.UNKNOWN, error=describe(error))
            return self._keep(base, consent)
        finally:
            owner.finished(intent)

    def _keep(self, base: Snapshot, consent: ConsentRecord) -> SeedResult:
        # Sealed here too, under the seed's own name: the tombstone must follow even if we die between the two writes.
        sealed = keeping.seal(self._rotator.escrow, self._consent_id, "consent", consent)
        authorization = self._flow.keep(consent)
        self._write(base, outcome="redeemed", open_id=consent.open_id)
        if sealed is not None:
            self._rotator.escrow.erase(sealed)
        return SeedResult(SeedOutcome.REDEEMED, authorization, newly=True)

    def _adopt_escrow(self, base: Snapshot) -> SeedResult | None:
        for sealed in self._rotator.escrow.found(self._consent_id):
            consent = ConsentRecord.from_json(sealed.content.get("record") or {})
            held = self._held(consent.id)
            if held is None or held.at < consent.at:
                result = self._keep(base, consent)
            else:
                self._write(base, outcome="redeemed", open_id=consent.open_id)
                result = SeedResult(SeedOutcome.DONE_BEFORE)
            self._rotator.escrow.erase(sealed.path)
            return result
        return None

    def _held(self, id_: str) -> ConsentRecord | None:
        value = self._store.read(RecordKey("consent", self._app.app_key, id_)).value
        return ConsentRecord.from_json(value) if value is not None else None

    def _known(self) -> bool:
        """Whether any record shows that this token was redeemed, or holds it already."""
        for id_ in self._authorizations.ids():
            value = self._store.read(RecordKey("rotated", self._app.app_key, id_)).value
            if value is not None:
                record = RotatedRecord.from_json(value)
                tokens = (record.refresh_token, record.previous_refresh_token)
                if record.consent_id == self._consent_id or self._seed in tokens:
                    return True
            consent = self._held(id_)
            if consent is not None and (consent.consent_id == self._consent_id or consent.refresh_token == self._seed):
                return True
        return False

    def _prove_absence(self, *, bootstrap: bool) -> Snapshot:
        """Prove that the seed's record is absent, where the store alone cannot.

        A canary record that reads back as written shows that the store answers and decrypts at this moment. The first
        canary is written only on the operator's word, ``bootstrap``: without an older one, a wrong encryption key would
        make every record look absent.
        """
        key = RecordKey("canary", self._app.app_key)
        if self._store.read(key).value is None:
            if not bootstrap:
                return Snapshot(None, proven=False)
            self._store.write(key, {"schema": 1, "at": int(self._clock.now())})
        again = self._store.read(self._key)
        if again.value is not None:
            msg = "the seed's record was absent and is there now: the store answers unreliably"
            raise TokenStoreError(msg, advice="nothing was sent; the next run looks again")
        return replace(again, proven=True)

    def _write(self, base: Snapshot, **changes: Any) -> Snapshot:
        return self._store.write(self._key, self._record(**changes).to_json(), base)

    def _record(self, **changes: Any) -> SeedRecord:
        return SeedRecord(
            app_key=self._app.app_key,
            issuer=self._app.issuer,
            fingerprint=self._fingerprint,
            updated_at=self._clock.now(),
            **changes,
        )
