"""Waits for a token in the triggerer, without a worker."""

# mypy: disable-error-code="no-untyped-call"
# Airflow's triggers have no annotations.
from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_provider_tiktokshop.hooks.wiring import AppWiring

__all__ = ["TikTokShopTokenTrigger"]


class TikTokShopTokenTrigger(BaseTrigger):
    """Look into the token store now and then, until an authorization has a token to go on with or a person must act.

    Its arguments and its event are stored in Airflow's database: neither ever holds a token.

    :param tiktokshop_conn_id: the connection of the app.
    :param open_id: whose authorization.
    :param shop_id: or the one that covers this shop.
    :param valid_for: seconds that the access token must still last.
    :param after_generation: wait for a pair newer than this generation.
    :param poke_interval: seconds before each look: the sensor itself looked last.
    """

    def __init__(
        self,
        *,
        tiktokshop_conn_id: str,
        open_id: str | None,
        shop_id: str | None,
        valid_for: float,
        after_generation: int | None,
        poke_interval: float,
    ) -> None:
        super().__init__()
        self.tiktokshop_conn_id = tiktokshop_conn_id
        self.open_id = open_id
        self.shop_id = shop_id
        self.valid_for = valid_for
        self.after_generation = after_generation
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class's path and the arguments that make this trigger again."""
        names = ("tiktokshop_conn_id", "open_id", "shop_id", "valid_for", "after_generation", "poke_interval")
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event: ``{"state": "ready" | "stuck", "text", "authorization"}``."""
        from asgiref.sync import sync_to_async

        from airflow_provider_tiktokshop.api.errors import TikTokShopError
        from airflow_provider_tiktokshop.compat import AirflowNotFoundException
        from airflow_provider_tiktokshop.hooks.readiness import STUCK, WAITING, Readiness

        while True:
            # The sensor has just looked. Fired at once, an event can reach the scheduler of Airflow before 3.3 ahead of the
            # news that the task let go of its worker, and it then fails the task as killed.
            await asyncio.sleep(self.poke_interval)
            try:
                # The store is read in a thread: asked from the event loop itself, the Task SDK would wait for itself. It
                # must be asgiref's, which tells the SDK where the loop is.
                found = await sync_to_async(self._look)()
            except (TikTokShopError, AirflowNotFoundException) as error:
                found = Readiness(STUCK, str(error))
            if found.state != WAITING:
                yield TriggerEvent(found.public())
                return
            self.log.info("%s", found.text)

    def _look(self) -> Any:
        from airflow_provider_tiktokshop.hooks.readiness import look

        return look(
            self._wiring(),
            open_id=self.open_id,
            shop_id=self.shop_id,
            valid_for=self.valid_for,
            after_generation=self.after_generation,
        )

    def _wiring(self) -> AppWiring:
        from airflow_provider_tiktokshop.hooks.wiring import wire

        # Kept between looks: a new one would open the store's database anew each time.
        wiring: AppWiring | None = getattr(self, "_kept", None)
        if wiring is None:
            wiring = self._kept = wire(self.tiktokshop_conn_id)
        return wiring
