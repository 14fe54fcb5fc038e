"""Who announces an intent, and how another process tells that the announcer is gone."""

from __future__ import annotations

import functools
import os
import socket
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_tiktokshop.auth.records import Intent

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.clock import Clock

__all__ = ["SENDER_GONE_AFTER", "announce", "finished", "sender_is_gone"]

# Airflow kills a task whose server froze after about 250 s, and its zombie check after 300 s; one exchange takes at most
# 60 s. Fifteen minutes after the intent, a sender on another machine can have nothing in flight.
SENDER_GONE_AFTER = 15 * 60.0

_in_flight: set[str] = set()
_lock = threading.Lock()


def announce(clock: Clock, token_fingerprint: str, attempt: int = 1) -> Intent:
    """Return a new intent of this process, to be written before the token is spent."""
    intent = Intent(
        owner=uuid.uuid4().hex,
        fingerprint=token_fingerprint,
        at=clock.now(),
        boot_at=clock.boottime(),
        host=_host(),
        boot_id=_boot_id(),
        pid=os.getpid(),
        pid_started=_own_start(os.getpid()),
        attempt=attempt,
    )
    with _lock:
        _in_flight.add(intent.owner)
    return intent


def finished(intent: Intent) -> None:
    """Say that this process will send nothing more for ``intent``."""
    with _lock:
        _in_flight.discard(intent.owner)


def sender_is_gone(intent: Intent, clock: Clock) -> bool:
    """Tell whether whoever wrote ``intent`` can provably send nothing any more.

    On the same machine and boot the process is looked up (its start time tells a reused pid apart); after a reboot it
    is gone; on another machine only time proves it.
    """
    if intent.host != _host():
        return clock.now() - intent.at > SENDER_GONE_AFTER
    if intent.boot_id != _boot_id():
        return True
    if intent.pid == os.getpid() and intent.pid_started == _own_start(intent.pid):
        with _lock:
            return intent.owner not in _in_flight
    started = _started(intent.pid)
    return started is None or started != intent.pid_started


def _host() -> str:
    """Return where this process's id means something: containers of one name on one machine number theirs apart."""
    return f"{socket.gethostname()}{_pid_namespace()}"


@functools.cache
def _pid_namespace() -> str:
    try:
        return f" {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        # No Linux, or no leave to look: as before there were containers.
        return ""


@functools.cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # No Linux: one boot is as good as another here, the process look-up decides.
        return "unknown"


@functools.lru_cache(maxsize=1)
def _own_start(pid: int) -> float:
    """Return when this process started. Its pid is part of the question, because a fork takes the cached answer along."""
    return _started(pid) or 0.0


def _started(pid: int) -> float | None:
    """Return when ``pid`` started, in a unit that no clock change moves, or ``None`` when there is no such process."""
    try:
        # The command, the second field, may itself hold spaces and parentheses: read behind its last one.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        # A zombie sends nothing any more, whether or not its parent has looked.
        return None if fields[0] in {"Z", "X"} else float(fields[19])
    except (OSError, IndexError, ValueError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return 0.0
    return 0.0
