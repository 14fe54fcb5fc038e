"""A state machine over everything that can happen to an authorization, in any order, on two machines.

The network is played by :class:`Service`, a model of TikTok Shop's token host and of one signed read, spoken to by the real
HTTP-level client; everything else is the real thing. Two stores are held to what each promises: SQL, a true
compare-and-swap, under any interleaving; Variables, last writer wins, under one sender at a time (the scheduler's promise),
where a frozen sender may wake up when others have gone on.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.pool import StaticPool

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.errors import AccessTokenInvalid, ReplyLost, RequestNotSent
from airflow_provider_tiktokshop.api.http import HttpReply
from airflow_provider_tiktokshop.api.oauth import OAuthClient
from airflow_provider_tiktokshop.auth import owner
from airflow_provider_tiktokshop.auth.consent import AuthorizationFlow
from airflow_provider_tiktokshop.auth.escrow import Escrow
from airflow_provider_tiktokshop.auth.reader import Authorizations
from airflow_provider_tiktokshop.auth.records import (
    ConsentRecord,
    NoticeRecord,
    RecordKey,
    RotatedRecord,
    ShopRecord,
    authorization_id,
)
from airflow_provider_tiktokshop.auth.rotation import Rotator
from airflow_provider_tiktokshop.auth.stores.base import StoreUnavailable, TokenStore
from airflow_provider_tiktokshop.auth.stores.memory import MemoryStore
from airflow_provider_tiktokshop.auth.stores.sql import SqlStore, fernet_cipher

DAY = 86_400
OPEN_ID = "EMU_open_1"
ID = authorization_id(OPEN_ID)
HOSTS = ("worker-a", "worker-b")
KEY = Fernet.generate_key().decode()

_here = threading.local()


class Killed(BaseException):
    """SIGKILL, as far as one process can play it: nothing below may catch it and go on."""


class Clock:
    def __init__(self):
        self.time = 1_800_000_000.0

    def now(self):
        return self.time

    boottime = now

    def sleep(self, seconds):
        self.time += seconds


class Service:
    """One seller's tokens at TikTok Shop. A refresh token works once; presenting a spent one is refused."""

    def __init__(self, clock, mode):
        self.clock = clock
        self.mode = mode
        self.issued = 0
        self.refresh = {}
        self.access = {}
        self.next_fault = None
        self.in_flight = 0
        self.most_in_flight = 0
        self.presented = []
        self.attempted = []
        self.hasty = []
        self.lock = threading.Lock()

    def grant(self):
        with self.lock:
            return self._grant()

    def _grant(self):
        self.issued += 1
        access, refresh = f"EMU_access_{self.issued}", f"EMU_refresh_{self.issued}"
        for token in self.refresh:
            if self.mode == "family":
                self.refresh[token] = "spent"
        self.refresh[refresh] = "live"
        self.access[access] = int(self.clock.now()) + 2 * DAY + self.issued
        return {
            "access_token": access,
            "access_token_expire_in": self.access[access],
            "refresh_token": refresh,
            "refresh_token_expire_in": int(self.clock.now()) + 365 * DAY,
            "open_id": OPEN_ID,
            "user_type": 0,
        }

    def exchange(self, token):
        with self.lock:
            self.presented.append(token)
            if self.refresh.get(token) != "live":
                return {"code": 36004005, "message": "can not find related auth record", "request_id": "r"}
            self.refresh[token] = "spent"
            return {"code": 0, "message": "success", "data": self._grant(), "request_id": "r"}

    def read(self, access, _user_type):
        if self.clock.now() >= self.access.get(access, 0):
            raise AccessTokenInvalid("access token is invalid", code=105001, request_id="r")
        return (ShopRecord("7494049642642441621", "EMU_cipher", "GB", "LOCAL", "GB1"),)


class Wire:
    """The HTTP seam: where requests are lost, refused, answered too late, or their sender dies."""

    def __init__(self, service, gate):
        self.service = service
        self.gate = gate

    def send(self, _method, url, **_options):
        token = parse_qs(urlsplit(url).query)["refresh_token"][0]
        fault, self.service.next_fault = self.service.next_fault, None
        self.before_sending(token)
        if fault == "not_sent":
            raise RequestNotSent("connection refused")
        self.service.attempted.append(token)
        with self.service.lock:
            self.service.in_flight += 1
            self.service.most_in_flight = max(self.service.most_in_flight, self.service.in_flight)
        try:
            if fault == "lost_before":
                raise ReplyLost("connection reset")
            answer = self.service.exchange(token)
        finally:
            with self.service.lock:
                self.service.in_flight -= 1
        if fault == "lost_after":
            raise ReplyLost("connection reset")
        self.gate("reply")
        body = json.dumps(answer).encode()
        if fault == "cut_off" and answer["code"] == 0:
            whole = body.index(b'"refresh_token_expire_in"')
            body = body[:whole]
        return HttpReply(200, {}, body)


class WatchedStore(TokenStore):
    """Passes everything on, and is where outages happen and where frozen and killed senders stop."""

    def __init__(self, inner, gate):
        self.inner = inner
        self.strict = inner.strict
        self.gate = gate
        self.down_for = 0

    def _answer(self):
        if self.down_for > 0:
            self.down_for -= 1
            raise StoreUnavailable("the store does not answer")

    def read(self, key):
        self._answer()
        found = self.inner.read(key)
        if key.kind == "rotated":
            self.gate("read")
        return found

    def write(self, key, value, expected=None):
        self._answer()
        what = _kind_of_write(value) if key.kind == "rotated" else key.kind
        if self.strict:
            self.gate(f"before_{what}")
        done = self.inner.write(key, value, expected)
        self.gate(f"after_{what}")
        return done

    def ids(self, kind, app_key):
        return self.inner.ids(kind, app_key)


def _kind_of_write(value):
    if value.get("intent") and not value["intent"].get("answered"):
        return "intent"
    return "finish" if value.get("verified") else "pair"


class WatchedEscrow(Escrow):
    gate = staticmethod(lambda _point: None)
    kept = None

    def seal(self, slot, content):
        path = super().seal(slot, content)
        record = content.get("record") or {}
        if record.get("refresh_token"):
            self.kept(record)
            self.gate("sealed")
        return path


CRASH_POINTS = st.sampled_from(
    [
        "read",
        "before_intent",
        "after_intent",
        "sealed",
        "before_pair",
        "after_pair",
        "before_finish",
        "after_finish",
        "after_seed",
        "after_consent",
    ]
)
# Without compare-and-swap nothing helps a sender that freezes inside the write itself: those points are SQL's alone.
FREEZE_POINTS = st.sampled_from(
    ["read", "after_intent", "reply", "sealed", "before_intent", "before_pair", "after_pair"]
)


class Sender:
    """A worker process: where it is told to stop, and its thread while it is stopped."""

    def __init__(self):
        self.die_at = None
        self.freeze_at = None
        self.frozen = threading.Event()
        self.go = threading.Event()
        self.thread = None


class RotationMachine(RuleBasedStateMachine):
    strict = True

    @initialize(mode=st.sampled_from(["rotate", "family"]))
    def begin(self, mode):
        self.home = Path(tempfile.mkdtemp(prefix="rotation-machine-"))
        self.clock = Clock()
        self.service = Service(self.clock, mode)
        self.senders = {host: Sender() for host in HOSTS}
        self.stored = {}
        self.consents = []
        self.generations = []
        self.violations = []
        self.received = []
        self.app = App(
            app_key="EMU_app", app_secret="EMU_secret", api_url="http://127.0.0.1:9", auth_url="http://127.0.0.1:9"
        )
        if self.strict:
            self.engine = sqlalchemy.create_engine(
                "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
            )
            inner = SqlStore(self.engine, fernet_cipher(KEY))
        else:
            self.engine, inner = None, MemoryStore()
        self.inner = inner
        self.store = WatchedStore(inner, self.gate)
        self.seed = self.service.grant()["refresh_token"]
        self._presented = 0
        self._newest = None

    # -- where a sender is stopped -----------------------------------------------------------------------------------

    def gate(self, point):
        sender = self.senders.get(getattr(_here, "host", None))
        if sender is None:
            return
        if sender.freeze_at == point:
            sender.freeze_at = None
            sender.frozen.set()
            sender.go.wait()
        if sender.die_at == point:
            sender.die_at = None
            raise Killed(point)

    def wired(self, host):
        escrow = WatchedEscrow(self.home / host, self.app.app_key, self.app.app_secret)
        escrow.gate = self.gate
        escrow.kept = lambda record: self.received.append(
            (record.get("epoch", 0), record["access_expires_at"], record["refresh_token"])
        )
        wire = Wire(self.service, self.gate)
        wire.before_sending = self.before_sending
        oauth = OAuthClient(self.app, wire, self.clock)
        authorizations = Authorizations(self.app, self.store, clock=self.clock)
        rotator = Rotator(self.app, self.store, escrow, oauth, self.service.read, clock=self.clock)
        flow = AuthorizationFlow(
            self.app, self.store, escrow, oauth, authorizations, self.service.read, clock=self.clock
        )
        return rotator, flow, authorizations

    def work(self, host, seed):
        _here.host = host
        rotator, flow, authorizations = self.wired(host)
        try:
            # One authorization, so no thread pool: the sender's host is this thread's.
            run_alone(rotator, flow, authorizations, seed)
        except Killed:
            pass
        except StoreUnavailable:
            pass
        finally:
            _here.host = None

    def before_sending(self, token):
        """Note a second presentation of a token whose access token still works and has more than a day left."""
        held = self.held()
        if held is None or token not in self.service.attempted or held.refresh_token != token:
            return
        if self.service.access.get(held.access_token, 0) - self.clock.now() >= DAY:
            self.service.hasty.append(token)

    # -- what can happen ---------------------------------------------------------------------------------------------

    def free(self):
        return [host for host in HOSTS if self.senders[host].thread is None]

    def may_run(self):
        return bool(self.free())

    @precondition(lambda self: self.may_run())
    @rule(host=st.sampled_from(HOSTS), die_at=st.none() | CRASH_POINTS)
    def rotate(self, host, die_at):
        sender = self.senders[host]
        if sender.thread is not None:
            return
        sender.die_at = die_at
        self.work(host, self.seed)
        sender.die_at = None
        self.look()

    @precondition(lambda self: self.may_run())
    @rule(host=st.sampled_from(HOSTS), point=FREEZE_POINTS)
    def freeze(self, host, point):
        sender = self.senders[host]
        if sender.thread is not None or (not self.strict and (self.frozen() or point.startswith("before_"))):
            return
        sender.freeze_at = point
        sender.frozen.clear()
        sender.go.clear()
        thread = threading.Thread(target=self.work, args=(host, self.seed))
        thread.start()
        while thread.is_alive() and not sender.frozen.wait(0.005):
            pass
        sender.freeze_at = None
        if thread.is_alive():
            sender.thread = thread
        self.look()

    @rule(
        point=FREEZE_POINTS,
        seconds=st.sampled_from([10, 31, 20 * 60, DAY + 60, 5 * DAY]),
        fault=st.sampled_from([None, None, "lost_after", "cut_off"]),
    )
    def a_sender_sleeps_through_a_peers_run(self, point, seconds, fault):
        """The steps of which the worst incidents are made, in one: at random they seldom follow each other."""
        if self.frozen():
            self.thaw()
        self.freeze("worker-a", point)
        self.clock.time += seconds
        self.service.next_fault = fault
        self.rotate("worker-b", None)
        self.thaw()

    def frozen(self):
        return [host for host in HOSTS if self.senders[host].thread is not None]

    @precondition(lambda self: bool(self.frozen()))
    @rule()
    def thaw(self):
        for host in self.frozen():
            sender = self.senders[host]
            sender.go.set()
            sender.thread.join(30)
            assert not sender.thread.is_alive()
            sender.thread = None
        self.look()

    @rule(fault=st.sampled_from(["not_sent", "lost_before", "lost_after", "cut_off"]))
    def the_next_exchange_fails(self, fault):
        self.service.next_fault = fault

    # Rare, or nothing else would ever get far enough to go wrong.
    @rule(answers=st.integers(1, 12), chance=st.integers(0, 3))
    def the_store_does_not_answer(self, answers, chance):
        self.store.down_for = answers if chance == 0 else 0

    @rule(seconds=st.sampled_from([10, 31, 3600, 6 * 3600, 20 * 60, DAY, 5 * DAY]))
    def time_goes_by(self, seconds):
        self.clock.time += seconds

    @rule(chance=st.integers(0, 2))
    def the_seller_consents_again(self, chance):
        if chance:
            return
        _here.host = None
        self.store.down_for = 0
        _, flow, _ = self.wired("api-server")
        data = self.service.grant()
        from airflow_provider_tiktokshop.api.oauth import TokenGrant

        token_grant = TokenGrant(
            open_id=OPEN_ID,
            access_token=data["access_token"],
            access_expires_at=data["access_token_expire_in"],
            refresh_token=data["refresh_token"],
            refresh_expires_at=data["refresh_token_expire_in"],
            user_type=0,
            granted_scopes=None,
            region=None,
            received_at=self.clock.now(),
            request_id="r",
        )
        record = flow.consent_of(token_grant, source="callback")
        flow.keep(record)
        self.consents.append(record)
        self.look()

    @rule(type=st.sampled_from([6, 7]))
    def a_webhook_arrives(self, type):  # noqa: A002
        notice = NoticeRecord(
            app_key="EMU_app", id=ID, type=type, at=self.clock.now(), expires_at=int(self.clock.now()) + DAY
        )
        self.inner.write(RecordKey("notice", "EMU_app", ID), notice.to_json())

    @rule(chance=st.integers(0, 9))
    def a_new_seed_is_pasted(self, chance):
        if chance:
            return
        self.seed = self.service.grant()["refresh_token"]

    # -- what must hold ----------------------------------------------------------------------------------------------

    def held(self):
        value = self.inner.read(RecordKey("rotated", "EMU_app", ID)).value
        return RotatedRecord.from_json(value) if value is not None else None

    def look(self):
        """Note what the store knows now; whoever presents one of these spent tokens later had the chance to know."""
        held = self.held()
        if held is None:
            return
        self.generations.append((held.epoch, held.generation))
        if held.previous_refresh_token and held.previous_refresh_token != held.refresh_token:
            self.stored.setdefault(held.previous_refresh_token, len(self.service.presented))

    @invariant()
    def a_token_known_to_be_spent_is_never_presented(self):
        if not hasattr(self, "service"):
            return
        for number, token in enumerate(self.service.presented):
            assert number < self.stored.get(token, number + 1), (
                f"{token} was presented after the store knew its successor"
            )

    @invariant()
    def a_token_whose_outcome_is_unknown_is_not_presented_again_in_haste(self):
        if hasattr(self, "service"):
            assert self.service.hasty == []

    @invariant()
    def at_most_one_presentation_is_in_flight(self):
        if hasattr(self, "service"):
            assert self.service.most_in_flight <= 1

    @invariant()
    def the_generation_never_goes_back_within_an_epoch(self):
        if hasattr(self, "service"):
            assert self.generations == sorted(self.generations)

    @invariant()
    def the_newest_consent_is_neither_overwritten_nor_lost(self):
        if not hasattr(self, "service") or not self.consents:
            return
        newest = self.consents[-1]
        value = self.inner.read(RecordKey("consent", "EMU_app", ID)).value
        stored = ConsentRecord.from_json(value)
        assert stored.consent_id == newest.consent_id or stored.source == "seed"

    def teardown(self):
        if not hasattr(self, "service"):
            return
        try:
            for sender in self.senders.values():
                if sender.thread is not None:
                    sender.go.set()
                    sender.thread.join(30)
                    sender.thread = None
            self.look()
            self.nothing_received_is_lost()
        finally:
            if self.engine is not None:
                self.engine.dispose()
            shutil.rmtree(self.home, ignore_errors=True)

    def nothing_received_is_lost(self):
        """After one quiet run on each machine, every pair that was received is held, or a later one that replaced it."""
        self.store.down_for, self.service.next_fault = 0, None
        for host in HOSTS:
            _here.host = None
            rotator, flow, authorizations = self.wired(host)
            rotator.advisory = 0
            run_alone(rotator, flow, authorizations, None)
        held = self.held()
        if held is None or not self.received:
            return
        best = max((entry for entry in self.received if entry[0] == held.epoch), default=None)
        if best is not None:
            assert held.access_expires_at >= best[1], "a pair that was received and sealed is gone"


def run_alone(rotator, flow, authorizations, seed):
    """What the rotation task does for one authorization, in this thread."""
    from airflow_provider_tiktokshop.auth.seeds import redeem_seed

    if seed is not None:
        redeem_seed(seed, rotator, flow, authorizations)
    result = rotator.rotate(ID)
    rotator.settle(result, accept=True)


class VariableMachine(RotationMachine):
    strict = False


@pytest.fixture(autouse=True)
def _hosts(monkeypatch):
    monkeypatch.setattr(owner.socket, "gethostname", lambda: getattr(_here, "host", None) or "api-server")


@pytest.mark.parametrize("machine", [RotationMachine, VariableMachine], ids=["sql", "variables"])
def test_whatever_happens_in_whatever_order(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=150,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
