"""Redeem a refresh token for a new pair, and keep it: the one place where a refresh token is spent.

1. read the effective record: is it due?
2. write the intent and read it back: this is the lock, and it proves that the store is writable before anything is spent
3. redeem once, unless more than 30 s went by since the intent
4. mask, seal to escrow, write the pair, read it back, erase the escrow; nothing else runs in between
5. test the pair with one signed read
6. mark it verified, clear the intent

An exchange ends *not spent* (clear the intent, try again next run), *refused* (a person must act) or *unknown* (the intent
stays open, and the token is presented again only when the sender is provably gone and the access token is refused or has
less than 24 hours left).
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK, Clock
from airflow_provider_tiktokshop.api.errors import (
    AccessTokenRefused,
    ConfigurationError,
    ExchangeNotSpent,
    ExchangeRefused,
    ExchangeUnknown,
    ScopeMissing,
    TikTokShopError,
)
from airflow_provider_tiktokshop.auth import keeping, owner
from airflow_provider_tiktokshop.auth.escrow import EscrowError
from airflow_provider_tiktokshop.auth.outcomes import Outcome, RotationResult, describe
from airflow_provider_tiktokshop.auth.records import (
    DEFAULT_ADVISORY,
    ConsentRecord,
    Intent,
    NoticeRecord,
    RecordKey,
    RotatedRecord,
    ShopRecord,
    adopt,
    unseen,
)
from airflow_provider_tiktokshop.auth.stores.base import Snapshot, StoreConflict, TokenStore, TokenStoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.budget import RateBudget
    from airflow_provider_tiktokshop.api.oauth import OAuthClient, TokenGrant
    from airflow_provider_tiktokshop.auth.escrow import Escrow

__all__ = ["Outcome", "RotationResult", "Rotator"]

log = logging.getLogger(__name__)

# A sender that was frozen (a suspended VM, SIGSTOP) between announcing and sending must not wake up and send: by then
# somebody else may have decided that it is gone.
INTENT_FRESH_FOR = 30.0
# A token whose outcome is unknown is presented again only this close to the end of its access token.
LAST_DAY = 86_400
# TikTok Shop's code for "too many requests", which it may send with HTTP status 200.
RATE_LIMITED = 36009002


class Rotator:
    """Rotates authorizations of one app, one at a time per call; safe to call from several threads.

    :param probe: makes one signed read with an access token of a user type, and returns the shops it covers
        (empty for creators and partners). Raises what the API raises.
    :param mask: told every new token right after each exchange, before anything else.
    :param advisory: seconds before the access token's expiry from which on it is rotated.
    :param budget: paces the exchanges, which all go to one host; without one they go as fast as threads allow.
    """

    def __init__(
        self,
        app: App,
        store: TokenStore,
        escrow: Escrow,
        oauth: OAuthClient,
        probe: Callable[[str, int], tuple[ShopRecord, ...]],
        *,
        clock: Clock = SYSTEM_CLOCK,
        mask: Callable[[str], None] = lambda _: None,
        advisory: float = DEFAULT_ADVISORY,
        budget: RateBudget | None = None,
    ) -> None:
        self.app = app
        self.store = store
        self.escrow = escrow
        self.oauth = oauth
        self.probe = probe
        self.clock = clock
        self.mask = mask
        self.advisory = advisory
        self.budget = budget
        self._escrow_lock = threading.Lock()
        self._escrow_proven = False
        # Set when the process has been told to end: persisting then stops retrying once the pair is safe in escrow.
        self.interrupted = threading.Event()

    def rotate(self, id: str, *, replace_generation: int | None = None, bootstrap: bool = False) -> RotationResult:  # noqa: A002
        """Rotate one authorization if it is due.

        :param id: the authorization's id (not its open_id).
        :param replace_generation: rotate although not due, but only while this is the current generation.
        :param bootstrap: take the store's word that there is no rotated record yet (stores that cannot prove absence).
        :return: always a result: failures of one authorization never stop the others.
        """
        try:
            return self._rotate(id, replace_generation, bootstrap)
        except StoreConflict as error:
            return RotationResult(id, Outcome.WAITING, error=describe(error))
        except TokenStoreError as error:
            return RotationResult(id, Outcome.STORE, error=describe(error))
        except (ConfigurationError, EscrowError) as error:
            return RotationResult(id, Outcome.CONFIGURATION, error=describe(error))
        except Exception as error:
            # A record of a newer version, a bug of ours: this authorization fails, loudly, and the others go on.
            log.exception("authorization %s could not be looked after", id)
            return RotationResult(id, Outcome.FAILED, error={"text": f"{type(error).__name__}: see this task's log"})

    # -- 1: read ------------------------------------------------------------------------------------------------------

    def _rotate(self, id_: str, replace_generation: int | None, bootstrap: bool) -> RotationResult:
        key = RecordKey("rotated", self.app.app_key, id_)
        base, given = self.store.read_many([key, RecordKey("consent", self.app.app_key, id_)])
        record = RotatedRecord.from_json(base.value) if base.value is not None else None
        consent = ConsentRecord.from_json(given.value) if given.value is not None else None
        for held in (record, consent):
            if held is not None:
                keeping.check_identity(self.app, held.app_key, held.issuer)

        rescued, base = keeping.adopt_escrow(self, id_, record, base, consent)
        adopted = rescued is not record
        record = rescued
        new = unseen(record, consent)
        if new is not None and new.pair is None:
            if record is not None and record.status == "active":
                forgotten = replace(
                    record, status="revoked", consent_id=new.consent_id, intent=None, updated_at=self._now
                )
                keeping.write_over_seen(self, key, forgotten.to_json(), base)
            return RotationResult(id_, Outcome.DEAD, new.open_id)
        if new is not None:
            if (
                record is None
                and not base.proven
                and not bootstrap
                and self._left(new.access_expires_at) < self.advisory
            ):
                # An unreachable record looks absent too. A pair this old may have been rotated, and its refresh token spent.
                text = "the store cannot prove that this authorization was never rotated, and its consent is not new"
                advice = "check that the store answers and the Fernet key is right; then run once with bootstrap=True"
                return RotationResult(id_, Outcome.STORE, new.open_id, error={"text": text, "advice": advice})
            record = adopt(record, new, self._now)
            base = keeping.write_over_seen(self, key, record.to_json(), base)
            adopted = True
        if record is None:
            return RotationResult(id_, Outcome.DEAD, consent.open_id if consent else None)
        if record.status != "active":
            return self._result(record, Outcome.DEAD, error=record.last_error)

        attempt = 1
        if (intent := record.open_intent) is not None:
            waiting = self._still_open(record, intent)
            if waiting is not None:
                return waiting
            attempt = intent.attempt + 1
        elif not self._due(record, replace_generation):
            return self._look_after(key, record, base, adopted=adopted)
        return self._announce_and_redeem(key, record, base, attempt)

    @property
    def _now(self) -> float:
        return self.clock.now()

    def _left(self, expires_at: int | None) -> float:
        return (expires_at or 0) - self._now

    def _due(self, record: RotatedRecord, replace_generation: int | None) -> bool:
        if replace_generation is not None:
            return record.generation == replace_generation
        return self._left(record.access_expires_at) < self.advisory

    def _still_open(self, record: RotatedRecord, intent: Intent) -> RotationResult | None:
        """Return why the token of an open intent is not presented again now, or ``None`` when it may be."""
        if not owner.sender_is_gone(intent, self.clock):
            return self._result(
                record, Outcome.WAITING, error={"text": "another process is rotating this authorization"}
            )
        if self._left(record.access_expires_at) < LAST_DAY or self._refused(record):
            return None
        text = (
            "the outcome of an earlier exchange is unknown; its access token still works, so the refresh token is not "
            "presented again before the last 24 hours"
        )
        return self._result(record, Outcome.UNKNOWN, error=record.last_error or {"text": text})

    def _refused(self, record: RotatedRecord) -> bool:
        try:
            self.probe(record.access_token, record.user_type)
        except AccessTokenRefused:
            return True
        except TikTokShopError:
            return False
        return False

    def _look_after(self, key: RecordKey, record: RotatedRecord, base: Snapshot, *, adopted: bool) -> RotationResult:
        """A pair that is not due may still await its verification, or a webhook may have said that it is dead."""
        value = self.store.read(RecordKey("notice", self.app.app_key, record.id)).value
        notice = NoticeRecord.from_json(value) if value is not None else None
        suspected = notice is not None and notice.type in {6, 20} and notice.at > record.pair_at
        outcome = Outcome.ADOPTED if adopted else Outcome.NOT_DUE
        if record.verified and not suspected:
            return self._result(record, outcome)
        try:
            shops = self._probe(record)
        except AccessTokenRefused as error:
            if suspected:
                dead = self._failed(record, describe(error), status="revoked")
                return self._result(dead, Outcome.REFUSED, error=describe(error), refusal=dead)
            # The pair never worked: its refresh token is the only thing left to try.
            return self._announce_and_redeem(key, record, base, 1)
        except TikTokShopError as error:
            return self._result(record, Outcome.UNVERIFIED, error=describe(error))
        done = replace(record, verified=True, shops=shops or record.shops, intent=None, updated_at=self._now)
        self._amend(key, record, base, done)
        return self._result(done, outcome)

    def _prove_escrow(self) -> None:
        """Seal and erase something, once a run and again after a failure, before anything is spent."""
        with self._escrow_lock:
            if not self._escrow_proven:
                self.escrow.check()
                self._escrow_proven = True

    # -- 2 and 3: announce, redeem ------------------------------------------------------------------------------------

    def _announce_and_redeem(
        self, key: RecordKey, record: RotatedRecord, base: Snapshot, attempt: int
    ) -> RotationResult:
        try:
            self._prove_escrow()
        except EscrowError as error:
            if self._left(record.access_expires_at) >= LAST_DAY:
                return self._result(record, Outcome.CONFIGURATION, error=describe(error))
            # Without a disk the pair has only the store; without a new pair this seller's data stops within a day.
            log.error("%s", error)  # noqa: TRY400 - the text says it all
        # Before the intent: an intent that waits in a queue would grow too old to send.
        if self.budget is not None:
            self.budget.acquire()
        if self.interrupted.is_set():
            # Told to end while waiting for its turn: nothing was sent, and nothing is begun any more.
            return self._result(record, Outcome.STOPPED)
        # The record's tokens are about to pass through Airflow's supervisor, which logs what it is sent at DEBUG.
        keeping.mask_all(self.mask, record.access_token, record.refresh_token, record.previous_refresh_token)
        intent = owner.announce(self.clock, record.pair.fingerprint, attempt)
        try:
            announced = replace(record, intent=intent, updated_at=self._now)
            stored = self._write_over(key, record, announced, base)
            if stored is None:
                return self._result(record, Outcome.WAITING, error={"text": "another process was here first"})
            base = stored
            if self.interrupted.is_set():
                # Told to end just now: what is begun here would be killed in the middle.
                self._amend(key, announced, base, record)
                return self._result(record, Outcome.STOPPED)
            if self.clock.boottime() - intent.boot_at > INTENT_FRESH_FOR:
                text = "more than 30 s went by between announcing and sending: given up unsent"
                return self._not_spent(key, announced, base, {"text": text}, Outcome.TRANSIENT)
            return self._redeem(key, announced, base)
        finally:
            owner.finished(intent)

    def _redeem(self, key: RecordKey, record: RotatedRecord, base: Snapshot) -> RotationResult:
        try:
            grant = self.oauth.redeem_refresh_token(record.refresh_token)
        except ExchangeNotSpent as error:
            if self.budget is not None and (error.http_status == 429 or error.code == RATE_LIMITED):
                self.budget.throttled()
            outcome = Outcome.CONFIGURATION if error.configuration else Outcome.TRANSIENT
            return self._not_spent(key, record, base, describe(error), outcome)
        except ExchangeRefused as error:
            return self._refusal(key, record, error)
        except ExchangeUnknown as error:
            return self._unknown(key, record, base, describe(error))
        if self.budget is not None:
            self.budget.succeeded()
        return self._keep(key, record, base, grant)

    def _not_spent(
        self, key: RecordKey, record: RotatedRecord, base: Snapshot, error: dict[str, Any], outcome: Outcome
    ) -> RotationResult:
        cleared = replace(self._failed(record, error), intent=None, transient_failures=record.transient_failures + 1)
        # Where this fails the intent stays, and the recovery rule will find that its sender is gone.
        self._amend(key, record, base, cleared)
        return self._result(cleared, outcome, error=error)

    def _refusal(self, key: RecordKey, record: RotatedRecord, error: ExchangeRefused) -> RotationResult:
        # "Invalid token" may mean that a peer won. If the record moved meanwhile, that is success.
        current = self.store.read(key)
        if current.value is not None:
            now_held = RotatedRecord.from_json(current.value)
            if now_held.pair.fingerprint != record.pair.fingerprint:
                return self._result(now_held, Outcome.PEER, presented=True)
            if (now_held.intent and now_held.intent.owner) != (record.intent and record.intent.owner):
                # A peer announced over us, which only stores without compare-and-swap allow: its answer decides, not ours.
                text = "another process is rotating this authorization, and was answered first"
                return self._result(record, Outcome.WAITING, error={"text": text}, presented=True)
        refusal = self._failed(record, describe(error), status="reauthorization_required")
        again = record.intent is not None and record.intent.attempt > 1
        told = describe(error)
        return self._result(record, Outcome.REFUSED, error=told, presented=True, again=again, refusal=refusal)

    def _unknown(self, key: RecordKey, record: RotatedRecord, base: Snapshot, error: dict[str, Any]) -> RotationResult:
        noted = self._failed(record, error)
        self._amend(key, record, base, noted)
        return self._result(noted, Outcome.UNKNOWN, error=error, presented=True)

    def settle(self, result: RotationResult, *, accept: bool) -> None:
        """Write what a refusal means, now that the whole run is known.

        :param accept: mark the authorization; else only note the error and clear the intent, since nothing was spent.
        """
        refusal = result.refusal
        if refusal is None:
            return
        key = RecordKey("rotated", self.app.app_key, result.id)
        decided = (
            replace(refusal, intent=None) if accept else replace(refusal, intent=None, status="active", alerted=False)
        )
        try:
            base = self.store.read(key)
            if base.value is not None and RotatedRecord.from_json(base.value).pair == refusal.pair:
                self._amend(key, refusal, base, decided)
        except TokenStoreError as failure:
            log.warning("could not note the refusal of %s: %s", result.id, failure.message)

    def _amend(self, key: RecordKey, mine: RotatedRecord, base: Snapshot, changed: RotatedRecord) -> None:
        """Write a change that is worth having but not worth failing for."""
        try:
            self._write_over(key, mine, changed, base)
        except TokenStoreError as failure:
            log.warning("could not update the record of %s: %s", mine.id, failure.message)

    def _write_over(
        self, key: RecordKey, seen: RotatedRecord, changed: RotatedRecord, base: Snapshot
    ) -> Snapshot | None:
        """Write where the store still holds the pair and the intent that were seen; ``None``: it has moved on.

        A sender that slept for minutes must not write its old view over what others did, and nobody clears another's
        intent. A strict store compares by itself; before any other, look again right before writing.
        """
        if self.store.strict:
            try:
                return self.store.write(key, changed.to_json(), base)
            except StoreConflict:
                return None
        while True:
            looked_at = self.clock.boottime()
            current = self.store.read(key)
            held = RotatedRecord.from_json(current.value) if current.value is not None else None
            if held is None or (held.epoch, held.pair) != (seen.epoch, seen.pair):
                return None
            if (held.intent and held.intent.owner) != (seen.intent and seen.intent.owner):
                return None
            if self.clock.boottime() - looked_at < keeping.VIEW_FRESH_FOR:
                return self.store.write(key, changed.to_json(), current)

    def _failed(self, record: RotatedRecord, error: dict[str, Any], status: str | None = None) -> RotatedRecord:
        entry = {"at": int(self._now), "what": status or "failed", "code": error.get("code"), "kind": error.get("kind")}
        changes: dict[str, Any] = {"alerted": True, "status": status} if status else {}
        stamped = {**error, "at": int(self._now)}
        return replace(record, last_error=stamped, history=record.remember(entry), updated_at=self._now, **changes)

    # -- 4 to 6: keep, test, finish -----------------------------------------------------------------------------------

    def _keep(self, key: RecordKey, record: RotatedRecord, base: Snapshot, grant: TokenGrant) -> RotationResult:
        keeping.mask_all(self.mask, grant.access_token, grant.refresh_token)
        kept = keeping.with_grant(record, grant, self._now)
        sealed = keeping.seal(self.escrow, record.id, "rotation", kept)
        if sealed is None:
            self._escrow_proven = False
        stored = keeping.persist(self, key, kept, base, sealed=sealed is not None)
        if stored is None:
            text = "the store did not take the new pair; it is sealed in escrow and the next run adopts it"
            return self._result(kept, Outcome.ESCROWED, error={"text": text}, presented=True)
        if sealed is not None:
            self.escrow.erase(sealed)
        current = RotatedRecord.from_json(stored.value or {})
        if current.pair != kept.pair:
            return self._result(current, Outcome.PEER, presented=True)
        if current.open_intent is not None:
            # Only the access token of a truncated reply was whole: whether the refresh token changed is not known.
            text = "the reply was cut off before the refresh token; the new access token is kept"
            return self._result(current, Outcome.UNKNOWN, error={"text": text}, presented=True)
        return self._verify(key, record, current, stored)

    def _verify(self, key: RecordKey, before: RotatedRecord, kept: RotatedRecord, base: Snapshot) -> RotationResult:
        recovered = before.last_error is not None or before.transient_failures > 0
        try:
            shops = self._probe(kept)
        except TikTokShopError as error:
            return self._result(kept, Outcome.UNVERIFIED, error=describe(error), presented=True)
        done = replace(
            kept,
            verified=True,
            intent=None,
            shops=shops or kept.shops,
            last_error=None,
            transient_failures=0,
            alerted=False,
            updated_at=self._now,
        )
        self._amend(key, kept, base, done)
        if self._left(done.access_expires_at) < min(self.advisory, LAST_DAY):
            text = f"TikTok Shop answered with an access token that has only {int(self._left(done.access_expires_at))} s left"
            error_ = {
                "text": text,
                "advice": "compare this machine's clock with the service's; rotating again will not help",
            }
            return self._result(done, Outcome.STILL_STALE, error=error_, presented=True)
        return self._result(done, Outcome.ROTATED, recovered=recovered, presented=True)

    def _probe(self, record: RotatedRecord) -> tuple[ShopRecord, ...]:
        try:
            return self.probe(record.access_token, record.user_type)
        except ScopeMissing:
            # The token was accepted, the app merely may not ask this: that is all the test is for.
            return ()

    def _result(self, record: RotatedRecord, outcome: Outcome, **more: Any) -> RotationResult:
        return RotationResult(
            record.id,
            outcome,
            record.open_id,
            record.epoch,
            record.generation,
            record.access_expires_at,
            **more,
        )
