"""Faults by switch: what a network and a service in trouble do to a caller."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import random

    from airflow_provider_tiktokshop.emulator.stats import Stats

__all__ = ["Cut", "Fault", "Faults", "Plan"]

# kind -> the params it takes
_KINDS: dict[str, frozenset[str]] = {
    "reset": frozenset({"bytes", "when"}),
    "lost_reply": frozenset({"how"}),
    "truncated": frozenset({"bytes", "content_length"}),
    "html": frozenset({"status", "when"}),
    "slow": frozenset({"seconds", "when"}),
    "hold": frozenset({"name", "when"}),
    "clock_skew": frozenset({"seconds"}),
    "no_refresh_token": frozenset(),
    "no_granted_scopes": frozenset(),
    "duplicate": frozenset({"copies"}),
    "status": frozenset({"retry_after", "code", "message", "when"}),
    "code": frozenset({"status", "message", "when"}),
}
_FIELDS = {"match", "kind", "times", "probability", "skip", "method", "params"}


@dataclass(slots=True)
class Fault:
    """One fault: where, what, how often."""

    match: str
    kind: str
    number: int = 0
    times: int | None = 1
    probability: float = 1.0
    skip: int = 0
    method: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    fired: int = 0

    @classmethod
    def parse(cls, record: Any) -> Fault:
        """Build a fault from its JSON.

        :raises ValueError: naming what is wrong with it.
        """
        if not isinstance(record, dict) or set(record) - _FIELDS:
            raise ValueError(f"a fault is an object with {sorted(_FIELDS)}, not {record!r}")
        kind, number = str(record.get("kind")), 0
        if kind.isdigit() and (kind == "429" or 500 <= int(kind) <= 599):
            kind, number = "status", int(kind)
        elif kind.startswith("code:") and kind[5:].isdigit():
            kind, number = "code", int(kind[5:])
        if kind not in _KINDS or (kind in {"status", "code"} and not number):
            raise ValueError(
                f"unknown fault kind {record.get('kind')!r}; there are: 429, 5xx, code:<n>, {', '.join(_KINDS)}"
            )
        params = record.get("params") or {}
        if not isinstance(params, dict) or set(params) - _KINDS[kind]:
            raise ValueError(f"fault {kind!r} takes the params {sorted(_KINDS[kind])}, not {params!r}")
        probability = float(record.get("probability", 1.0))
        # A fault given by probability goes on until it is taken back; any other happens once unless told otherwise.
        times = record.get("times", None if "probability" in record else 1)
        return cls(
            str(record.get("match", "/")),
            kind,
            number,
            times,
            probability,
            int(record.get("skip", 0)),
            record.get("method"),
            params,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as given, with how often it has fired."""
        kind = {"status": str(self.number), "code": f"code:{self.number}"}.get(self.kind, self.kind)
        return {
            "match": self.match,
            "kind": kind,
            "times": self.times,
            "probability": self.probability,
            "skip": self.skip,
            "method": self.method,
            "params": self.params,
            "fired": self.fired,
        }

    @property
    def late(self) -> bool:
        """Whether it strikes after the state has changed."""
        return str(self.params.get("when", "before")) == "after"


@dataclass(frozen=True, slots=True)
class Cut:
    """How the sending of an answer ends early."""

    bytes: int | None
    how: Literal["rst", "fin", "cut"]


@dataclass(slots=True)
class Plan:
    """The faults that strike one request."""

    faults: list[Fault]
    owner: Faults

    def replacement(self, *, late: bool) -> Fault | None:
        """Return the fault that answers in place of the service."""
        kinds = {"status", "code", "html"}
        return next((fault for fault in self.faults if fault.kind in kinds and fault.late == late), None)

    async def pause(self, *, late: bool) -> None:
        """Wait where a fault is slow or holds."""
        for fault in self.faults:
            if fault.late == late and fault.kind == "slow":
                await asyncio.sleep(float(fault.params.get("seconds", 1.0)))
            elif fault.late == late and fault.kind == "hold":
                await self.owner.hold(str(fault.params.get("name", "")))

    def reset_before(self) -> bool:
        """Tell whether the connection breaks before the service has done anything."""
        return any(
            fault.kind == "reset" and not fault.late and fault.params.get("bytes") is None for fault in self.faults
        )

    def cut(self) -> Cut | None:
        """Return how the answer is cut off, or None."""
        for fault in self.faults:
            if fault.kind == "lost_reply":
                return Cut(None, "fin" if fault.params.get("how") == "fin" else "rst")
            if fault.kind == "reset":
                return Cut(fault.params.get("bytes"), "rst")
            if fault.kind == "truncated":
                honest = fault.params.get("content_length", "cut") == "cut"
                return Cut(int(fault.params.get("bytes", 40)), "cut" if honest else "fin")
        return None

    def has(self, kind: str) -> bool:
        """Tell whether a fault of this kind strikes."""
        return any(fault.kind == kind for fault in self.faults)

    def skew(self) -> float:
        """Return by how many seconds the gateway's clock is off for this request."""
        return sum(float(fault.params.get("seconds", 600)) for fault in self.faults if fault.kind == "clock_skew")


@dataclass(slots=True)
class Faults:
    """The faults that are set, and the requests that are held."""

    random: random.Random
    stats: Stats
    faults: list[Fault] = field(default_factory=list)
    held: list[tuple[str, asyncio.Event]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, method: str, path: str) -> Plan:
        """Return the faults that strike this request, and count them as fired."""
        struck: list[Fault] = []
        for fault in self.faults:
            if not path.startswith(fault.match) or (fault.method and fault.method != method):
                continue
            if fault.times is not None and fault.fired >= fault.times:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.probability < 1.0 and self.random.random() >= fault.probability:
                continue
            fault.fired += 1
            self.stats.faults_fired[fault.as_dict()["kind"]] += 1
            struck.append(fault)
        return Plan(struck, self)

    async def hold(self, name: str) -> None:
        """Block a request until it is released."""
        entry = (name, asyncio.Event())
        self.held.append(entry)
        self._tell()
        try:
            await entry[1].wait()
        finally:
            self.held.remove(entry)
            self._tell()

    def release(self, name: str | None = None) -> int:
        """Let held requests go, all or those held under ``name``. Return how many."""
        released = [event for held, event in self.held if name in {None, held}]
        for event in released:
            event.set()
        return len(released)

    async def wait_held(self, count: int, timeout: float) -> bool:  # noqa: ASYNC109 - a parameter of the call
        """Wait until at least ``count`` requests are held. Return False when that took more than ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while len(self.held) < count:
                    await self.changed.wait()
        except TimeoutError:
            return False
        return True

    def _tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()
