"""Waits until a seller's access token is good to go on with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseSensorOperator, PokeReturnValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tiktokshop.hooks.readiness import Readiness
    from airflow_provider_tiktokshop.hooks.wiring import AppWiring

__all__ = ["TikTokShopTokenSensor"]


class TikTokShopTokenSensor(BaseSensorOperator):
    """Wait until an authorization has an access token that lasts long enough, and return what is known of it.

    It only reads: the rotation DAG renews tokens. It fails at once, with what to do, where waiting cannot help: the seller
    must authorize again, a consent waits to be confirmed, nobody authorized the app, or the connection is wrong. While the
    token store does not answer it keeps waiting.

    .. code-block:: python

        ready = TikTokShopTokenSensor(task_id="ready", shop_id="7495…", valid_for=timedelta(hours=2), deferrable=True)

    :param open_id: whose authorization; default: the one that covers ``shop_id``, or the app's sole one.
    :param shop_id: a shop that the authorization must cover.
    :param valid_for: how long the access token must still last: as long as the work behind it takes.
    :param after_generation: wait for a pair newer than this generation, for example after asking for a rotation.
    :param tiktokshop_conn_id: the connection of the app.
    :param deferrable: wait in the triggerer, without a worker; default: ``[operators] default_deferrable``.
    :return: ``id``, ``open_id``, ``status``, ``epoch``, ``generation``, ``access_expires_at``,
        ``authorization_expires_at`` (Unix seconds) and ``shops``; no secret.
    :raises AirflowFailException: a person must act.
    :raises AirflowSensorTimeout: ``timeout`` seconds went by.
    """

    template_fields: Sequence[str] = ("tiktokshop_conn_id", "open_id", "shop_id", "after_generation")
    ui_color = "#e9fbf9"

    def __init__(
        self,
        *,
        open_id: str | None = None,
        shop_id: str | None = None,
        valid_for: timedelta = timedelta(hours=1),
        after_generation: int | str | None = None,
        tiktokshop_conn_id: str = "tiktokshop_default",
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.open_id = open_id
        self.shop_id = shop_id
        self.valid_for = valid_for
        self.after_generation = after_generation
        self.tiktokshop_conn_id = tiktokshop_conn_id
        self.deferrable = _deferred_by_default() if deferrable is None else deferrable

    def execute(self, context: Context) -> Any:
        """Look once; then wait, in the triggerer or here."""
        from airflow_provider_tiktokshop.compat import AirflowFailException, AirflowSkipException

        if not self.deferrable:
            return super().execute(context)
        try:
            found = self.poke(context)
        except AirflowFailException as error:
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(str(error)) from None
            raise
        return found.xcom_value if found else self._defer()

    def poke(self, context: Context) -> PokeReturnValue:  # noqa: ARG002
        """Look into the token store once.

        :raises AirflowFailException: a person must act.
        """
        from airflow_provider_tiktokshop.api.errors import TikTokShopError
        from airflow_provider_tiktokshop.compat import AirflowFailException
        from airflow_provider_tiktokshop.hooks.readiness import look

        try:
            found = look(
                self._wiring(),
                open_id=self.open_id or None,
                shop_id=self.shop_id or None,
                valid_for=self.valid_for.total_seconds(),
                after_generation=self._generation(),
            )
        except TikTokShopError as error:
            raise AirflowFailException(str(error)) from None
        return self._settle(found)

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any] | None:  # noqa: ARG002
        """Go on with what the trigger found."""
        from airflow_provider_tiktokshop.hooks.readiness import Readiness

        value: dict[str, Any] | None = self._settle(Readiness(**event)).xcom_value
        return value

    def _settle(self, found: Readiness) -> PokeReturnValue:
        from airflow_provider_tiktokshop.compat import AirflowFailException
        from airflow_provider_tiktokshop.hooks.readiness import READY, STUCK

        if found.state == STUCK:
            raise AirflowFailException(found.text)
        self.log.info("%s", found.text)
        return PokeReturnValue(found.state == READY, found.authorization)

    def _defer(self) -> NoReturn:
        from airflow_provider_tiktokshop.triggers.token import TikTokShopTokenTrigger

        self.defer(
            trigger=TikTokShopTokenTrigger(
                tiktokshop_conn_id=self.tiktokshop_conn_id,
                open_id=self.open_id or None,
                shop_id=self.shop_id or None,
                valid_for=self.valid_for.total_seconds(),
                after_generation=self._generation(),
                poke_interval=self.poke_interval,
            ),
            method_name="resume",
            timeout=timedelta(seconds=self.timeout),
        )

    def _generation(self) -> int | None:
        """A template renders a number as text."""
        text = str(self.after_generation).strip() if self.after_generation is not None else ""
        return int(text) if text not in {"", "None"} else None

    def _wiring(self) -> AppWiring:
        from airflow_provider_tiktokshop.hooks.wiring import wire

        # Kept between looks: a new one would open the store's database anew each time.
        wiring: AppWiring | None = getattr(self, "_kept", None)
        if wiring is None:
            wiring = self._kept = wire(self.tiktokshop_conn_id)
        return wiring


def _deferred_by_default() -> bool:
    from airflow.configuration import conf

    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
