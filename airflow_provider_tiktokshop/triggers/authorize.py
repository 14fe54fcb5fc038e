"""Waits for the answer to a re-authorization where Airflow waits with a trigger: before 3.3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.triggers.hitl import HITLTrigger
from airflow.triggers.base import TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["TikTokShopAuthorizeTrigger", "unseal"]


class TikTokShopAuthorizeTrigger(HITLTrigger):
    """Airflow's own trigger, whose answer leaves it sealed.

    The triggerer writes every event, whole, into the task's log, and the answer holds an authorization code.

    :param key: a Fernet key that only this wait uses.
    """

    def __init__(self, *, key: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key = key

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return how Airflow makes this trigger again."""
        _, kwargs = super().serialize()
        return f"{type(self).__module__}.{type(self).__name__}", {**kwargs, "key": self.key}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait for the answer or the end of the time given, and tell with nothing readable of the answer."""
        from cryptography.fernet import Fernet

        async for event in super().run():
            told = dict(event.payload)
            if told.get("params_input"):
                told["params_input"] = Fernet(self.key).encrypt(json.dumps(told["params_input"]).encode()).decode()
            if told.get("error_type") == "validation":
                # Airflow's text repeats what was typed.
                told["error"] = "The answer is not of the form that was asked for."
            yield TriggerEvent(told)  # type: ignore[no-untyped-call]


def unseal(sealed: str, key: str) -> dict[str, Any]:
    """Return the answer that a :class:`TikTokShopAuthorizeTrigger` told with ``key``."""
    from cryptography.fernet import Fernet

    return dict(json.loads(Fernet(key).decrypt(sealed)))
