"""The hook: TikTok Shop from a task, with tokens that somebody else keeps fresh."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from airflow_provider_tiktokshop.api.client import Shop, TikTokShopClient
    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.wiring import AppWiring
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["TikTokShopHook"]

# These describe the authorization itself; TikTok Shop refuses a shop's cipher on them.
_WITHOUT_SHOP = ("/authorization/", "/seller/")


class TikTokShopHook(BaseHook):
    """Call TikTok Shop as one authorized seller, creator or partner.

    The hook only reads tokens: the rotation DAG keeps them fresh. After a refusal it reads the store once more, because a
    rotation may just have happened.

    :param tiktokshop_conn_id: the connection of the app.
    :param open_id: whose authorization to use. Default: the one that covers ``shop_id``, or the app's sole one.
    :param shop_id: the shop to act on; requests then carry its cipher.
    :param requests_per_second: replaces the connection's limit for each shop and endpoint.
    """

    conn_name_attr = "tiktokshop_conn_id"
    default_conn_name = "tiktokshop_default"
    conn_type = "tiktokshop"
    hook_name = "TikTok Shop"

    def __init__(
        self,
        tiktokshop_conn_id: str = default_conn_name,
        open_id: str | None = None,
        shop_id: str | None = None,
        *,
        requests_per_second: float | None = None,
    ) -> None:
        super().__init__()
        self.tiktokshop_conn_id = tiktokshop_conn_id
        self.open_id = open_id
        self.shop_id = shop_id
        self.requests_per_second = requests_per_second

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the custom fields of the connection form for Airflow 3.1, built from provider.yaml."""
        from airflow_provider_tiktokshop.hooks.form import form_widgets

        return form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return labels and hidden fields of the connection form for Airflow 3.1, built from provider.yaml."""
        from airflow_provider_tiktokshop.hooks.form import ui_field_behaviour

        return ui_field_behaviour()

    @cached_property
    def wiring(self) -> AppWiring:
        """The app of the connection with its store and clients, put together at first use, never when a DAG is parsed."""
        from airflow_provider_tiktokshop.hooks.wiring import wire

        return wire(self.tiktokshop_conn_id, requests_per_second=self.requests_per_second)

    @cached_property
    def _authorization(self) -> Authorization:
        return self.wiring.authorizations.find(open_id=self.open_id, shop_id=self.shop_id)

    @cached_property
    def _client(self) -> TikTokShopClient:
        return self.wiring.client(self.wiring.authorizations.token_source(self._authorization))

    def authorization(self) -> Authorization:
        """Return the authorization that this hook uses: its status, expiries and shops, as read at the first call.

        :raises AuthorizationNotFound: none matches ``open_id`` and ``shop_id``.
        :raises AmbiguousAuthorization: several match: name one.
        """
        return self._authorization

    def get_conn(self) -> TikTokShopClient:
        """Return a client that signs, paces and retries, and always presents the newest access token.

        :raises AuthorizationNotFound: no authorization matches ``open_id`` and ``shop_id``.
        :raises AmbiguousAuthorization: several match: name one.
        """
        return self._client

    def get_access_token(self) -> str:
        """Return the access token, for software that calls TikTok Shop itself. It is masked in this task's log.

        Use it at once and do not keep it: it may be rotated at any time.

        :raises AuthorizationUnusable: it has expired, or a person must act.
        """
        return self.wiring.authorizations.token_source(self._authorization).current()

    def authorizations(self) -> list[dict[str, Any]]:
        """Return what is known of every authorization of the app, without secrets.

        :return: for each: ``id``, ``open_id``, ``user_type``, ``region``, ``status``, ``generation``,
            ``access_expires_at`` and ``authorization_expires_at`` (Unix seconds), ``shops`` (``id``, ``region``,
            ``seller_type``), ``last_error``, and more.
        :raises StoreUnavailable: the token store does not answer.
        """
        return [authorization.public() for authorization in self.wiring.authorizations.all()]

    def authorization_chunks(self, size: int = 50, *, only_due: bool = False) -> list[list[str]]:
        """Return disjoint lists of open_ids, the most urgent first, to map the rotation task over.

        Sellers who must authorize again are left out. There are never more lists than ``[core] max_map_length`` allows:
        rather, they get longer.

        :param size: authorizations a list. A task handles about 50 well: the log masker slows down with each secret.
        :param only_due: leave out whoever a rotation would find in order: fewer tasks where most are.
        :return: ``[["<open_id>", …], …]``, for ``TikTokShopRotateTokenOperator.partial(…).expand(open_ids=…)``.
        :raises StoreUnavailable: the token store does not answer.
        """
        from airflow.configuration import conf

        from airflow_provider_tiktokshop.hooks.chunks import chunk_open_ids, emit_fleet_metrics

        held = self.wiring.authorizations.all()
        emit_fleet_metrics(held)
        limit = conf.getint("core", "max_map_length", fallback=1024)
        return chunk_open_ids(held, size=size, limit=limit, only_due=only_due)

    def shops(self, *, include_dead: bool = False) -> list[dict[str, str]]:
        """Return every shop of the app once, ready for ``expand_kwargs``.

        A shop whose access token has merely expired is included: its own task then fails and says so, instead of being
        left out in silence.

        Sellers who must authorize again are left out with a warning, and so is one whose shops are not known yet and who is
        refused when they are looked up: nobody else has to wait for them.

        :param include_dead: also the shops of sellers who must authorize again first.
        :return: ``[{"open_id": …, "shop_id": …}]``, sorted, so that a shop keeps its map index from run to run.
        """
        chosen: dict[str, Authorization] = {}
        for authorization in self.wiring.authorizations.all():
            dead = authorization.status.needs_person
            if authorization.user_type != 0 or (dead and not include_dead):
                if dead:
                    self.log.warning(
                        "Leaving out open_id %s: %s. Its shops: %s.",
                        authorization.open_id,
                        authorization.status,
                        ", ".join(shop.id for shop in authorization.shops) or "none known",
                    )
                continue
            for shop_id in self._shop_ids(authorization):
                # Two accounts of one seller may cover the same shop; the one that works is the one to use.
                if shop_id not in chosen or not chosen[shop_id].status.usable:
                    chosen[shop_id] = authorization
        return [{"open_id": chosen[shop_id].open_id, "shop_id": shop_id} for shop_id in sorted(chosen)]

    def targets(self, stream: str) -> list[dict[str, str]]:
        """Return everybody whose rows a stream has, ready for ``expand_kwargs`` of the extract operator.

        :param stream: for example ``orders`` or ``affiliate_creator_orders``.
        :return: what :meth:`shops` returns, for a stream that belongs to shops; else ``[{"open_id": …}]`` of each seller,
            creator or partner, whoever the stream takes, with ``category_asset`` for affiliate partners' streams.
        """
        from airflow_provider_tiktokshop import streams
        from airflow_provider_tiktokshop.hooks.subject import targets_of

        return targets_of(self, streams.get(stream))

    def backfill(
        self,
        stream: str,
        start: Any,
        end: Any,
        *,
        chunk: timedelta,
        cursor_field: str | None = None,
        filters: Mapping[str, Any] | None = None,
        only: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Deal a long period out to tasks, ready for ``expand_kwargs`` of the extract operator.

        Everything is checked here, before the first task of what may be thousands starts. The same arguments give the same
        list, so that a backfill that is started again replaces its own files, or goes on where it stopped.

        :param stream: one that has a past: not one that only tells its present state.
        :param start: start of the period, included: an aware datetime, or ISO 8601 text with a zone.
        :param end: its end, excluded; now at the latest.
        :param chunk: how much of the period a task reads. The last one gets the rest.
        :param cursor_field: the time that the period is about. Default: ``create_time`` where the stream has it, because a
            row's never changes; else the stream's own.
        :param filters: more conditions, as the endpoint names them.
        :param only: shops (or open_ids) to read. Default: what :meth:`targets` returns.
        :return: ``[{"open_id": …, "shop_id": …, "start": …, "end": …, "cursor_field": …}]``.
        :raises UnknownStreamError: there is no such stream.
        :raises OptionError: one of the arguments cannot work, or there would be more tasks than Airflow maps.
        """
        import time

        from airflow.configuration import conf

        from airflow_provider_tiktokshop import streams
        from airflow_provider_tiktokshop.hooks.backfill import backfill_of

        return backfill_of(
            self,
            streams.get(stream),
            start,
            end,
            chunk=chunk,
            cursor_field=cursor_field or None,
            filters=filters or {},
            only=only,
            now=time.time(),
            limit=conf.getint("core", "max_map_length", fallback=1024),
        )

    def subjects(self, stream: Stream, targets: Iterable[Mapping[str, str]] | None = None) -> list[dict[str, Any]]:
        """Return what it takes to read a stream of several shops, sellers, creators or partners in one process.

        :param stream: the stream.
        :param targets: some of what :meth:`targets` returns. Default: this hook's own shop or authorization where it names
            one, else everybody whose rows the stream has.
        :return: for each ``client``, ``shop``, ``open_id`` and ``category_asset``; the last two may be ``None``.
        :raises AuthorizationNotFound: none matches.
        :raises OptionError: an authorization is of another kind of user than the stream takes.
        """
        from airflow_provider_tiktokshop.hooks.subject import subjects_of

        return subjects_of(self, stream, targets)

    def shop(self) -> Shop:
        """Return the shop that this hook acts on: the one named, or the authorization's only one.

        :raises AuthorizationNotFound: the authorization does not cover the shop named.
        :raises AmbiguousAuthorization: none is named and the authorization covers several.
        """
        from airflow_provider_tiktokshop.auth.reader import AmbiguousAuthorization, AuthorizationNotFound

        authorization = self._authorization
        known = {shop.id: shop for shop in self._known_shops(authorization)}
        if self.shop_id is not None and self.shop_id not in known:
            # Ticked on the consent page after the last rotation: the service knows, the record does not yet.
            known = {shop.id: shop for shop in self.get_conn().shops()}
        if self.shop_id is not None:
            if self.shop_id in known:
                return known[self.shop_id]
            raise AuthorizationNotFound(
                f"The authorization of open_id {authorization.open_id!r} does not cover shop {self.shop_id}.",
                advice=f"It covers: {', '.join(sorted(known)) or 'no shop'}. The seller must tick the shop on the consent page.",
            )
        if not known:
            known = {shop.id: shop for shop in self.get_conn().shops()}
        if len(known) != 1:
            raise AmbiguousAuthorization(
                f"The authorization of open_id {authorization.open_id!r} covers {len(known)} shops.",
                advice=f"Pass shop_id, one of: {', '.join(sorted(known)) or '-'}.",
            )
        return next(iter(known.values()))

    def call(
        self, method: str, path: str, params: dict[str, Any] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make one signed request and return the ``data`` of the answer.

        With ``shop_id`` given to the hook the request carries that shop's cipher, which shop endpoints need. Leave
        ``shop_id`` out (and name ``open_id``) for endpoints that TikTok documents without ``shop_cipher``: they refuse it.

        :param path: with its version: ``/order/202309/orders``.
        :param params: query parameters, without ``app_key``, ``timestamp``, ``sign`` and ``shop_cipher``.
        :param body: JSON body.
        :raises TikTokShopError: the typed error for the answer's code; its text says what to do.
        """
        with_shop = self.shop_id is not None and not path.startswith(_WITHOUT_SHOP)
        return self.get_conn().call(method, path, params, body, shop=self.shop() if with_shop else None)

    def records(self, stream: str, start: datetime, end: datetime, **filters: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows of a stream in [start, end) one by one, for code that does not want files.

        :param stream: for example ``orders``.
        :param filters: conditions, as the endpoint names them: ``order_status="COMPLETED"``.
        """
        from airflow_provider_tiktokshop import streams
        from airflow_provider_tiktokshop.extract import records
        from airflow_provider_tiktokshop.hooks.subject import subject_of

        found = streams.get(stream)
        subject = subject_of(self, found, filters.pop("category_asset", None))
        return records(found, self.get_conn(), subject.pop("shop"), start, end, **subject, **filters)

    def test_connection(self) -> tuple[bool, str]:
        """Test the app and its authorizations with read-only requests; what the form's Test button shows.

        :return: whether it works, and a text without secrets: shops, status, time left on both tokens, clock offset.
        """
        from airflow_provider_tiktokshop.hooks.checkup import check_connection

        return check_connection(self.tiktokshop_conn_id)

    def _known_shops(self, authorization: Authorization) -> list[Shop]:
        from airflow_provider_tiktokshop.api.client import Shop

        return [Shop(s.id, s.cipher, s.region, s.seller_type, s.code) for s in authorization.shops]

    def _shop_ids(self, authorization: Authorization) -> list[str]:
        if authorization.shops or not authorization.status.usable:
            return [shop.id for shop in authorization.shops]
        # Authorized a moment ago and not yet seen by the rotation task, which is what looks the shops up.
        from airflow_provider_tiktokshop.hooks.subject import unless_refused

        return [shop.id for shop in unless_refused(self, authorization, lambda client: client.shops())]
