"""An access token that another process keeps fresh, as the rotation does for an extraction in Airflow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TokenFile"]


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A ``TokenSource``: the content of a file is the newest token."""

    path: Path
    patience: float = 60.0

    def current(self) -> str:
        """Return the newest token."""
        return self.path.read_text()

    def after_refusal(self, refused_token: str) -> str:
        """Return the token that replaces a refused one, as soon as it is there."""
        until = time.monotonic() + self.patience
        while (token := self.current()) == refused_token and time.monotonic() < until:
            time.sleep(0.05)
        return token
