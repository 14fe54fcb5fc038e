"""The sidecar of an unfinished extraction: what a later run needs to go on where this one stopped.

It lies beside the data as ``_checkpoint.json`` until the manifest replaces it. It describes only what is already safe:
pages that the operating system has (local files), or parts that the object store has.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from airflow_provider_tiktokshop.extract.errors import AnotherRunError
from airflow_provider_tiktokshop.extract.parts import Part
from airflow_provider_tiktokshop.extract.position import Position

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.clock import Clock
    from airflow_provider_tiktokshop.extract.filesystem import Directory

__all__ = ["SIDECAR", "Checkpoint", "WindowState"]

SIDECAR: Final = "_checkpoint.json"
_FORMAT: Final = 2
# Rows read long ago may have changed since, and a run that mixes them with fresh ones would bring old versions back. Two
# days outlast a daily quota and any sensible retry delay.
_KEEPS: Final = 48 * 3600


class WindowState:
    """What is recorded of one window."""

    def __init__(self, position: Position | None = None, parts: list[Part] | None = None) -> None:
        self.position = position
        self.parts = parts or []

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {
            "position": self.position.to_dict() if self.position else None,
            "parts": [part.to_dict() for part in self.parts],
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> WindowState:
        """Read it back."""
        position = saved["position"]
        return cls(Position(**position) if position else None, [Part(**part) for part in saved["parts"]])


class Checkpoint:
    """Records the progress of a run. Thread-safe.

    :param directory: the interval's directory.
    :param fingerprint: changes when anything changes that decides which rows are read and how they are written.
    :param clock: the clock.
    """

    def __init__(self, directory: Directory, fingerprint: str, clock: Clock) -> None:
        self.owner = uuid.uuid4().hex[:12]
        self.until = 0
        self.cut: list[tuple[int, int]] | None = None
        self.attempts = 1
        self.requests_before = 0
        self.requests = 0
        self.gone_before = 0
        self.gone = 0
        self.windows: list[WindowState] = []
        self.files: list[dict[str, Any]] | None = None
        self._directory, self._fingerprint, self._clock = directory, fingerprint, clock
        self._lock = threading.Lock()
        self._changes = 0
        self._saved = 0

    def load(self) -> bool:
        """Take over what an earlier run left, if it did the same and not too long ago.

        :returns: whether it did. ``until``, ``cut``, ``windows``, ``files`` and ``attempts`` are then filled in.
        """
        try:
            saved = orjson.loads(self._directory.read(SIDECAR) or b"null")
            if (
                not isinstance(saved, dict)
                or saved["format"] != _FORMAT
                or saved["fingerprint"] != self._fingerprint
                or not -_KEEPS < self._clock.now() - saved["saved_at"] < _KEEPS
            ):
                return False
            self.windows = [WindowState.from_dict(window) for window in saved["windows"]]
            self.until, self.files = saved["until"], saved["files"]
            self.cut = [(start, end) for start, end in saved["cut"]] if saved["cut"] else None
            self.attempts, self.requests_before = saved["attempts"] + 1, saved["requests"]
            self.gone_before = saved["gone"]
        except (ValueError, KeyError, TypeError):
            return False
        return True

    def start(self, until: int, windows: int, cut: list[tuple[int, int]] | None = None) -> None:
        """Begin anew: nothing is recorded of any window.

        :param until: where reading ends.
        :param windows: how many there are.
        :param cut: where they start and end, if they are not those that the interval has by itself.
        """
        self.until, self.cut, self.files = until, cut, None
        self.windows = [WindowState() for _ in range(windows)]

    def update(self, number: int, position: Position | None, parts: list[Part], requests: int, gone: int = 0) -> None:
        """Record a window's progress, and save it.

        :param number: which window.
        :param position: how far it has been read.
        :param parts: its parts, all of whose recorded bytes are safe.
        :param requests: requests of this run so far.
        :param gone: parents that the service knew no more, in this run so far.
        """
        # The open part goes on growing: what is recorded must be what it was at this position.
        state = WindowState(position, [*parts[:-1], *(replace(part) for part in parts[-1:])])
        with self._lock:
            self.windows[number] = state
            self.requests = max(self.requests, requests)
            self.gone = max(self.gone, gone)
            self._changes += 1
            mine = self._changes
        self.save(mine)

    def save(self, change: int | None = None, *, take_over: bool = False) -> None:
        """Write the sidecar; if another thread has written it since ``change``, that will do.

        :param take_over: become the owner, whoever that was before.
        :raises AnotherRunError: a later run has taken over.
        """
        with self._lock:
            if change is not None and self._saved >= change:
                return
            # Asking costs a read each time.
            if not take_over and not self._directory.locked:
                self._check_owner()
            self._directory.replace(SIDECAR, orjson.dumps(self._content()))
            self._saved = self._changes

    def remove(self) -> None:
        """Remove the sidecar: the manifest stands."""
        self._directory.remove(SIDECAR)

    def _content(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "fingerprint": self._fingerprint,
            "owner": self.owner,
            "until": self.until,
            "cut": self.cut,
            "attempts": self.attempts,
            "requests": self.requests_before + self.requests,
            "gone": self.gone_before + self.gone,
            "saved_at": self._clock.now(),
            "windows": [window.to_dict() for window in self.windows],
            "files": self.files,
        }

    def _check_owner(self) -> None:
        try:
            owner = orjson.loads(self._directory.read(SIDECAR) or b"{}").get("owner")
        except (ValueError, AttributeError):
            owner = None
        if owner != self.owner:
            raise AnotherRunError(
                f"Another run has taken over {self._directory.url()}.",
                advice="Leave it to that run; this one stops without touching the manifest.",
            )
