"""A rotation in a process of its own that stops at a named step and waits there to be killed.

``python -m tests.support.rotate_until STEP DIRECTORY APP_JSON ID`` prints ``at STEP`` when it is there.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.rotation import FileStore, Workbench

# In the order in which the protocol reaches them.
STEPS = (
    "before_intent",
    "after_intent",
    "after_reply",
    "after_mask",
    "after_seal",
    "after_store",
    "before_test",
    "after_test",
    "after_finish",
)


def stop_here(step: str) -> None:
    print(f"at {step}", flush=True)
    threading.Event().wait()


class StoppingStore(FileStore):
    """Stops right before or right after the write that a step is named for."""

    def __init__(self, directory: Path, step: str) -> None:
        super().__init__(directory)
        self.step = step
        self.spent = ""

    def write(self, key: Any, value: dict[str, Any], expected: Any = None) -> Any:
        if key.kind != "rotated":
            return super().write(key, value, expected)
        kind = self._kind(value)
        if (kind, self.step) in {("intent", "before_intent"), ("pair", "after_seal"), ("finish", "after_test")}:
            stop_here(self.step)
        result = super().write(key, value, expected)
        if (kind, self.step) in {("intent", "after_intent"), ("pair", "after_store"), ("finish", "after_finish")}:
            stop_here(self.step)
        return result

    def _kind(self, value: dict[str, Any]) -> str:
        if value["access_token"] == self.spent:
            return "intent" if value.get("intent") else "other"
        return "finish" if value.get("verified") else "pair"


def main(step: str, directory: str, app: str, id_: str) -> None:
    emulator = SimpleNamespace(**json.loads(app))
    store = StoppingStore(Path(directory) / "store", step)
    bench = Workbench(emulator, Path(directory), store=store)
    pair = bench.authorizations.get(id_).pair
    # Told apart by the access token: in one refresh mode the refresh token stays the same.
    store.spent = pair.access_token
    rotator = bench.rotator()
    if step == "after_reply":
        # The new tokens are the only ones that the store does not hold yet.
        held = {pair.access_token, pair.refresh_token, bench.record(id_).previous_refresh_token}
        rotator.mask = lambda secret: None if secret in held else stop_here(step)
    elif step == "after_mask":
        bench.escrow.seal = lambda *_: stop_here(step)  # type: ignore[method-assign,assignment]
    elif step == "before_test":
        rotator.probe = lambda *_: stop_here(step)  # type: ignore[assignment,return-value]
    result = rotator.rotate(id_)
    print(f"ended {result.outcome}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
