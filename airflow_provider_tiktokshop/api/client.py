"""The client of the Open API: signs, paces, retries, pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import orjson

from airflow_provider_tiktokshop.api.budget import RateBudgets
from airflow_provider_tiktokshop.api.clock import SYSTEM_CLOCK
from airflow_provider_tiktokshop.api.errors import InvalidRequest, PagingError
from airflow_provider_tiktokshop.api.http import Http
from airflow_provider_tiktokshop.api.paging import Page, TokenPlace, next_request, read_page
from airflow_provider_tiktokshop.api.retries import generic_path, is_repeatable
from airflow_provider_tiktokshop.api.sending import Request, Sender
from airflow_provider_tiktokshop.api.signing import QueryValue, wire_value
from airflow_provider_tiktokshop.api.tokens import Shop, StaticToken, TokenSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.clock import Clock

__all__ = ["Page", "Shop", "StaticToken", "TikTokShopClient", "TokenSource"]

# What needs no encoding in a path, so that the signed path and the sent one cannot differ.
_PLAIN: Final = frozenset("/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class TikTokShopClient:
    """Calls the Open API on behalf of one authorization. May be shared among threads.

    Every request is signed, held back until its rate budget has room, and sent again when that can help: at most five
    times, one second apart at first, then doubling, or as long as ``Retry-After`` says, never more than a minute.

    :param app: the app.
    :param tokens: gives the access token.
    :param http: the connections; shared ones are reused, otherwise the client opens its own.
    :param clock: the clock.
    :param budgets: rate budgets to share with other clients of this process; by default the client's own, at the app's
        ``requests_per_second``.
    """

    def __init__(
        self,
        app: App,
        tokens: TokenSource,
        *,
        http: Http | None = None,
        clock: Clock = SYSTEM_CLOCK,
        budgets: RateBudgets | None = None,
    ) -> None:
        self._app = app
        self._http = http or Http(clock=clock)
        self._budgets = budgets or RateBudgets(app.requests_per_second, clock)
        self._sender = Sender(app, tokens, self._http, clock)

    @property
    def requests_sent(self) -> int:
        """How many requests were sent, retries included."""
        return self._sender.requests_sent

    @property
    def requests_per_second(self) -> float:
        """The limit of each shop and endpoint, as the app is set."""
        return self._app.requests_per_second

    @property
    def clock_offset(self) -> float:
        """Seconds to add to this machine's clock to get the service's; 0 until the service refused a timestamp."""
        return self._sender.clock_offset

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, QueryValue] | None = None,
        body: Mapping[str, Any] | None = None,
        *,
        shop: Shop | None = None,
        shop_cipher: str | None = None,
        category_asset_cipher: str | None = None,
        timeout: float | None = None,
        repeatable: bool | None = None,
    ) -> dict[str, Any]:
        """Call one endpoint.

        :param method: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
        :param path: the path with version and ids: ``/order/202309/orders/search``.
        :param params: query parameters; lists are joined with commas, empty values are left out. What every request
            needs (app key, timestamp, sign) is added.
        :param body: the JSON body; an empty one is not sent. A GET has none.
        :param shop: the shop, for endpoints that need one.
        :param shop_cipher: its cipher, instead.
        :param category_asset_cipher: the cipher of a partner's category asset, for affiliate-partner endpoints.
        :param timeout: seconds to wait for the next bytes of the reply.
        :param repeatable: whether the request may be sent again when its outcome is unknown; by default every one but a
            POST that is not a search.
        :returns: ``data`` of the envelope, empty when there is none. Ids and amounts stay as they were sent.
        :raises TikTokShopError: one of :mod:`airflow_provider_tiktokshop.api.errors`.
        """
        method = method.upper()
        request = self._prepare(method, path, params, body, shop, shop_cipher, category_asset_cipher, timeout)
        if repeatable is None:
            repeatable = is_repeatable(method, path)
        data = self._sender.perform(request, repeatable=repeatable).get("data")
        return data if isinstance(data, dict) else {}

    def page(
        self,
        method: str,
        path: str,
        *,
        list_key: str | None,
        params: Mapping[str, QueryValue] | None = None,
        body: Mapping[str, Any] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        token_in: TokenPlace = "query",  # noqa: S107
        shop: Shop | None = None,
        shop_cipher: str | None = None,
        category_asset_cipher: str | None = None,
        timeout: float | None = None,
        patience: float = math.inf,
    ) -> Page:
        """Read one page of a list.

        :param method: ``GET`` or ``POST``.
        :param path: the path.
        :param list_key: where the rows are under ``data``: ``orders``, ``performance.intervals``. ``None``: ``data`` itself
            is the one row.
        :param params: query parameters; keep them unchanged while paging.
        :param body: filters.
        :param page_size: rows to ask for; ``None`` leaves it to the service.
        :param page_token: ``next_page_token`` of the page before, ``None`` for the first.
        :param token_in: where the endpoint takes size and token: ``query``, ``body``, ``body.pagination``, ``page_no``
            (the body counts pages), or ``None`` when it does not page.
        :param shop: see :meth:`call`, like the rest.
        :param shop_cipher: see :meth:`call`.
        :param category_asset_cipher: see :meth:`call`.
        :param timeout: see :meth:`call`.
        :param patience: seconds; when the service asks to wait for as long or longer (``Retry-After``), ``RateLimited`` is
            raised at once. By default a minute is waited, and the request is sent again.
        :returns: the page.
        :raises TikTokShopError: like :meth:`call`.
        """
        params, body = next_request(params, body, page_size, page_token, token_in)
        request = self._prepare(method.upper(), path, params, body, shop, shop_cipher, category_asset_cipher, timeout)
        request.patience = patience
        return read_page(self._sender.perform(request, repeatable=True), list_key, page_size, page_token, token_in)

    def pages(
        self,
        method: str,
        path: str,
        *,
        list_key: str | None,
        params: Mapping[str, QueryValue] | None = None,
        body: Mapping[str, Any] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        token_in: TokenPlace = "query",  # noqa: S107
        shop: Shop | None = None,
        shop_cipher: str | None = None,
        category_asset_cipher: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[Page]:
        """Read a list page by page until the service names no next one. Parameters as for :meth:`page`.

        :param page_token: where to go on, ``None`` to start at the beginning.
        :raises PagingError: when a page token comes a second time.
        :raises TikTokShopError: like :meth:`call`.
        """
        seen: set[str] = set()
        token = page_token
        while True:
            page = self.page(
                method,
                path,
                list_key=list_key,
                params=params,
                body=body,
                page_size=page_size,
                page_token=token,
                token_in=token_in,
                shop=shop,
                shop_cipher=shop_cipher,
                category_asset_cipher=category_asset_cipher,
                timeout=timeout,
            )
            if token is not None:
                seen.add(token)
            token = page.next_page_token
            yield page
            if token is None:
                return
            if token in seen:
                raise PagingError(
                    f"The service handed out a page token a second time after {len(seen)} pages.",
                    endpoint=f"{method.upper()} {path}",
                    request_id=page.request_id,
                    advice="Start the window anew; if it happens again, use shorter windows.",
                )

    def shops(self) -> list[Shop]:
        """Return the shops that the token covers, with their ciphers ("Get Authorized Shops").

        :raises TikTokShopError: like :meth:`call`.
        """
        rows = self.call("GET", "/authorization/202309/shops").get("shops") or []
        names = ("id", "cipher", "region", "seller_type", "code")
        return [Shop(*(str(row.get(name) or "") for name in names)) for row in rows]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _prepare(
        self,
        method: str,
        path: str,
        params: Mapping[str, QueryValue] | None,
        body: Mapping[str, Any] | None,
        shop: Shop | None,
        shop_cipher: str | None,
        category_asset_cipher: str | None,
        timeout: float | None,
    ) -> Request:
        endpoint = f"{method} {path}"
        if not path.startswith("/") or not _PLAIN.issuperset(path):
            raise InvalidRequest(
                "The path must begin with / and hold no query, space or percent sign.",
                endpoint=method,
                advice="Give query parameters as params.",
            )
        if body and method == "GET":
            raise InvalidRequest("A GET takes no body.", endpoint=endpoint, advice="Give the filters as params.")
        query = {} if not params else {key: text for key, value in params.items() if (text := wire_value(value))}
        cipher = shop_cipher or (shop.cipher if shop is not None else None)
        if cipher:
            query["shop_cipher"] = cipher
        if category_asset_cipher:
            query["category_asset_cipher"] = category_asset_cipher
        query["app_key"] = self._app.app_key
        query.pop("sign", None)
        query.pop("access_token", None)
        raw = orjson.dumps(body) if body else b"{}" if endpoint in self._sender.wants_empty_object else None
        budget = self._budgets.for_key(
            (self._app.app_key, cipher or category_asset_cipher or "-", f"{method} {generic_path(path)}")
        )
        return Request(method, path, endpoint, query, raw, budget, timeout)
