"""Read authorizations: everybody but the rotation task does only this."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK, Clock
from airflow_provider_tiktokshop.api.errors import TikTokShopError
from airflow_provider_tiktokshop.auth.keeping import check_identity
from airflow_provider_tiktokshop.auth.records import (
    DEFAULT_ADVISORY,
    Authorization,
    ConsentRecord,
    NoticeRecord,
    RecordKey,
    RecordKind,
    RotatedRecord,
    Status,
    authorization_id,
    effective,
    moved,
)
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.auth.stores.base import Snapshot, TokenStore

__all__ = ["AmbiguousAuthorization", "AuthorizationNotFound", "AuthorizationUnusable", "Authorizations", "StoredToken"]

# How long a reader that was refused waits for a rotation that is under way, and how often it looks.
WAIT_FOR_ROTATION = 60.0
LOOK_EVERY = 2.0
READ_TOGETHER = 500
# The records that an authorization is read from, in the order that _combine takes them.
_PARTS: tuple[RecordKind, ...] = ("rotated", "consent", "notice")

_ADVICE = {
    Status.EXPIRED: "run the rotation DAG (tiktokshop_rotate_tokens) and see why it fails or does not run",
    Status.REAUTHORIZATION_REQUIRED: "the seller must authorize the app again: `airflow tiktokshop authorize`",
    Status.REVOKED: "the seller withdrew the authorization; they must authorize the app again: `airflow tiktokshop authorize`",
    Status.PENDING: "somebody with permission to edit the connection must confirm this authorization first",
}


class AuthorizationNotFound(TikTokShopError):
    """No authorization of the app matches."""


class AmbiguousAuthorization(TikTokShopError):
    """Several authorizations match where one is needed."""


class AuthorizationUnusable(TikTokShopError):
    """The authorization has no access token that could be presented now."""


class Authorizations:
    """The authorizations of one app, as the store holds them at the moment of each call.

    :param mask: told each access token before it is handed out.
    """

    def __init__(
        self,
        app: App,
        store: TokenStore,
        *,
        clock: Clock = SYSTEM_CLOCK,
        mask: Callable[[str], None] = lambda _: None,
        advisory: float = DEFAULT_ADVISORY,
    ) -> None:
        self._app = app
        self._store = store
        self._clock = clock
        self._mask = mask
        self._advisory = advisory

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all authorizations, sorted.

        Where the store cannot list (tasks on Airflow before 3.3), the roster tells.

        :raises StoreUnavailable: the store does not answer.
        """
        rotated, consents = (self._store.ids(kind, self._app.app_key) for kind in ("rotated", "consent"))
        if rotated is not None and consents is not None:
            return tuple(sorted({*rotated, *consents}))
        return tuple(sorted(self._roster()))

    def all(self) -> list[Authorization]:
        """Return every authorization, sorted by id.

        :raises StoreUnavailable: the store does not answer, or cannot tell whether there are any.
        """
        ids = self.ids()
        if not ids:
            self._check_proven(
                self._store.read(RecordKey("roster", self._app.app_key)), "the list of its authorizations"
            )
        return [one for part in self.parts(ids) for one in part]

    def parts(self, ids: Sequence[str], size: int = READ_TOGETHER) -> Iterator[list[Authorization]]:
        """Yield the authorizations of ``ids``, ``size`` of them at a time, for whoever cannot wait for all of a large fleet.

        :raises StoreUnavailable: the store does not answer.
        """
        # A fleet's records are read together where the store can, but not all at once: memory stays flat.
        for start in range(0, len(ids), size):
            part = ids[start : start + size]
            found = self._read(part)
            # Whoever extracts for all of them must not silently leave out one whose records did not come.
            self._check_absent([id_ for id_, one in zip(part, found, strict=True) if one is None])
            yield [one for one in found if one is not None]

    def look(self, ids: Sequence[str]) -> dict[str, Authorization | None]:
        """Return the authorizations with these ids; ``None`` for whom there is none, or whose records cannot be read now.

        For whoever looks after many: one record that cannot be read must not stop the others.
        """
        found: dict[str, Authorization | None] = {}
        for start in range(0, len(ids), READ_TOGETHER):
            part = ids[start : start + READ_TOGETHER]
            try:
                found |= zip(part, self._read(part), strict=True)
            except (TikTokShopError, ValueError):
                found |= {id_: self._look(id_) for id_ in part}
        return found

    def _look(self, id_: str) -> Authorization | None:
        try:
            return self.get(id_)
        except (TikTokShopError, ValueError):
            return None

    def get(self, id: str) -> Authorization | None:  # noqa: A002
        """Return the authorization with this id (not open_id), or ``None``.

        :raises StoreUnavailable: the store does not answer.
        :raises ConfigurationError: the record belongs to another app or another auth host.
        """
        return self._read([id])[0]

    def _read(self, ids: Sequence[str]) -> list[Authorization | None]:
        keys = [RecordKey(kind, self._app.app_key, id_) for id_ in ids for kind in _PARTS]
        values = [snapshot.value for snapshot in self._store.read_many(keys)]
        return [self._combine(*values[n : n + len(_PARTS)]) for n in range(0, len(values), len(_PARTS))]

    def _combine(
        self, rotated: dict[str, Any] | None, consent: dict[str, Any] | None, notice: dict[str, Any] | None
    ) -> Authorization | None:
        found = effective(
            RotatedRecord.from_json(rotated) if rotated else None,
            ConsentRecord.from_json(consent) if consent else None,
            NoticeRecord.from_json(notice) if notice else None,
            now=self._clock.now(),
            advisory=self._advisory,
        )
        if found is not None:
            check_identity(self._app, found.app_key, found.issuer)
        return found

    def find(self, open_id: str | None = None, shop_id: str | None = None) -> Authorization:
        """Return the one authorization that is meant.

        :param open_id: whose; may be left out when ``shop_id`` tells, or when there is only one authorization.
        :param shop_id: a shop that the authorization must cover.
        :raises AuthorizationNotFound: none matches.
        :raises AmbiguousAuthorization: several match.
        :raises StoreUnavailable: the store does not answer, or cannot tell whether there is one.
        """
        if open_id is not None:
            id_ = authorization_id(open_id)
            found = self.get(id_)
            if found is None:
                self._check_absent([id_])
                raise AuthorizationNotFound(
                    f"app {self._app.app_key!r} holds no authorization of open_id {open_id!r}",
                    advice="list what there is with `airflow tiktokshop status`, or authorize with `airflow tiktokshop authorize`",
                )
            if shop_id is not None and found.shops and shop_id not in {shop.id for shop in found.shops}:
                raise AuthorizationNotFound(
                    f"the authorization of open_id {open_id!r} does not cover shop {shop_id}",
                    advice="the seller must tick this shop on the consent page: authorize again",
                )
            return found
        everything = self.all()
        matching = [a for a in everything if shop_id is None or shop_id in {shop.id for shop in a.shops}]
        # A shop that was authorized twice (two accounts of one seller): the usable one is meant.
        usable = [a for a in matching if a.status.usable]
        candidates = usable if len(matching) > 1 and usable else matching
        what = f"shop {shop_id}" if shop_id is not None else "the app's sole authorization"
        if not candidates:
            raise AuthorizationNotFound(
                f"app {self._app.app_key!r} holds no authorization for {what} ({len(everything)} held in all)",
                advice="authorize a seller: `airflow tiktokshop authorize`, or put a refresh token into the connection",
            )
        if len(candidates) > 1:
            raise AmbiguousAuthorization(
                f"{len(candidates)} authorizations of app {self._app.app_key!r} match {what}",
                advice="name one: pass open_id or shop_id; `airflow tiktokshop status` lists them",
            )
        return candidates[0]

    def _check_absent(self, ids: Sequence[str]) -> None:
        """Raise ``StoreUnavailable`` unless the store vouches that these authorizations do not exist."""
        keys = [RecordKey(kind, self._app.app_key, id_) for id_ in ids for kind in ("rotated", "consent")]
        for key, snapshot in zip(keys, self._store.read_many(keys), strict=True):
            self._check_proven(snapshot, f"the records of authorization {key.id}")

    def _check_proven(self, snapshot: Snapshot, what: str) -> None:
        if snapshot.value is None and not snapshot.proven:
            # Not AuthorizationNotFound, which nobody tries again: an API server that is restarting looks just like this.
            raise StoreUnavailable(
                f"app {self._app.app_key!r}: {what} did not come; Airflow before 3.3 cannot tell whether they are missing, or "
                "whether its API server did not answer",
                advice="it is worth another try; if it stays so, see `airflow-tiktokshop status` for what there is, or let the "
                "seller authorize: `airflow-tiktokshop authorize`",
            )

    def token_source(self, authorization: Authorization) -> StoredToken:
        """Return a token source that reads this authorization's access token at each use."""
        return StoredToken(self, authorization.id, clock=self._clock, mask=self._mask)

    def check_not_moved(self) -> None:
        """Refuse to go on where the app's records were moved to another store: what is new would be put where nobody looks.

        :raises StoreMoved: they were.
        :raises StoreUnavailable: the store does not answer.
        """
        self._roster()

    def _roster(self) -> dict[str, Any]:
        value = self._store.read(RecordKey("roster", self._app.app_key)).value or {}
        if "moved_to" in value:
            raise moved(value)
        return dict(value.get("authorizations") or {})

    def enroll(self, *authorizations: Authorization) -> None:
        """Note authorizations in the roster, the list that tasks on Airflow before 3.3 depend on.

        :raises StoreUnavailable: the store did not take it.
        """
        before = self._roster()
        roster = dict(before)
        for kind in ("rotated", "consent"):
            for id_ in self._store.ids(kind, self._app.app_key) or ():
                roster.setdefault(id_, {})
        for authorization in authorizations:
            shop_ids = [shop.id for shop in authorization.shops]
            roster[authorization.id] = {"open_id": authorization.open_id, "shop_ids": shop_ids}
        if roster != before:
            self._store.write(RecordKey("roster", self._app.app_key), {"schema": 1, "authorizations": roster})


class StoredToken:
    """Hands the API client the access token that the store holds now, and a newer one after a refusal."""

    def __init__(self, authorizations: Authorizations, id_: str, *, clock: Clock, mask: Callable[[str], None]) -> None:
        self._authorizations = authorizations
        self._id = id_
        self._clock = clock
        self._mask = mask
        self._token: str | None = None
        self._lock = threading.Lock()

    def current(self) -> str:
        """Return the access token, read from the store at the first use and after each refusal.

        :raises AuthorizationUnusable: it has expired, or a person must act.
        """
        with self._lock:
            if self._token is None:
                self._token = self._usable(self._load())
            return self._token

    def after_refusal(self, refused_token: str) -> str:
        """Return a token other than the refused one, waiting up to 60 s for a rotation that is under way.

        :raises AuthorizationUnusable: there is none.
        """
        with self._lock:
            # Of many threads that were refused the same token, the first asks the store; the others find its answer.
            if self._token is not None and self._token != refused_token:
                return self._token
            return self._newer(refused_token)

    def _newer(self, refused_token: str) -> str:
        deadline = self._clock.boottime() + WAIT_FOR_ROTATION
        while True:
            held = self._load()
            if held.pair is not None and held.pair.access_token != refused_token and held.status.usable:
                self._token = self._usable(held)
                return self._token
            if not held.rotating or self._clock.boottime() >= deadline:
                break
            self._clock.sleep(LOOK_EVERY)
        self._token = None
        raise AuthorizationUnusable(
            f"TikTok Shop refuses the access token of authorization {self._id}, and the store holds no newer one "
            f"(status {held.status}, generation {held.generation})",
            advice=_ADVICE.get(held.status)
            or "the seller may have withdrawn the authorization; the next run of the rotation DAG tells, and says what to do",
        )

    def _load(self) -> Authorization:
        found = self._authorizations.get(self._id)
        if found is None:
            raise AuthorizationUnusable(
                f"the token store reports authorization {self._id} absent; it was there before",
                advice="check that the store answers and that its encryption key is the right one",
            )
        return found

    def _usable(self, held: Authorization) -> str:
        if held.pair is None or not held.status.usable:
            raise AuthorizationUnusable(
                f"authorization {held.id} has no usable access token: {held.status}",
                code=(held.last_error or {}).get("code"),
                request_id=(held.last_error or {}).get("request_id"),
                advice=_ADVICE.get(held.status, ""),
            )
        self._mask(held.pair.access_token)
        return held.pair.access_token
