"""One signed request to TikTok Shop, for what no stream or other operator covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = ["TikTokShopApiOperator"]


class TikTokShopApiOperator(BaseOperator):
    """Make one signed request and return the ``data`` of its answer.

    Reads are tried again after passing failures. A write whose reply was lost is not: whether it took effect is for you to
    look up. The result becomes an XCom, which Airflow stores unencrypted: do not fetch personal data with this operator.

    :param method: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
    :param path: path with its version: ``/order/202309/orders``.
    :param query: query parameters, without ``app_key``, ``timestamp``, ``sign`` and ``shop_cipher``. (``params`` is every
        Airflow task's own: it holds the DAG's params.)
    :param body: JSON body.
    :param shop_id: the shop to act on; the request then carries its cipher. Leave it out for endpoints that TikTok
        documents without ``shop_cipher``.
    :param open_id: whose authorization to use; default: the one that covers ``shop_id``, or the sole one.
    :param tiktokshop_conn_id: the connection of the app.
    :return: the ``data`` object of the answer.
    :raises TikTokShopError: the typed error for the answer's code; its text says what to do.
    """

    template_fields: Sequence[str] = ("tiktokshop_conn_id", "method", "path", "query", "body", "shop_id", "open_id")
    template_fields_renderers = {"query": "json", "body": "json"}  # noqa: RUF012 - the type that BaseOperator declares
    ui_color = "#f2f0ff"

    def __init__(
        self,
        *,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        shop_id: str | None = None,
        open_id: str | None = None,
        tiktokshop_conn_id: str = "tiktokshop_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.shop_id = shop_id
        self.open_id = open_id
        self.tiktokshop_conn_id = tiktokshop_conn_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Make the request and return its ``data``."""
        from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

        hook = TikTokShopHook(self.tiktokshop_conn_id, open_id=self.open_id or None, shop_id=self.shop_id or None)
        return hook.call(self.method.upper(), self.path, self.query, self.body)
