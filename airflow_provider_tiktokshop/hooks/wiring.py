"""Puts together what one app needs in this Airflow: its connection, token store, escrow and clients.

Hook, operators, commands and pages all start here, so that each of them stays thin.
"""

from __future__ import annotations

import hmac
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop import config
from airflow_provider_tiktokshop.auth.stores.airflow_variables import SUPERVISOR_LOCK, in_task
from airflow_provider_tiktokshop.hooks.connection import AppConnection, read_connection

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.api.app import App
    from airflow_provider_tiktokshop.api.client import TikTokShopClient, TokenSource
    from airflow_provider_tiktokshop.api.http import Http
    from airflow_provider_tiktokshop.api.oauth import OAuthClient
    from airflow_provider_tiktokshop.auth.consent import AuthorizationFlow
    from airflow_provider_tiktokshop.auth.escrow import Escrow
    from airflow_provider_tiktokshop.auth.reader import Authorizations
    from airflow_provider_tiktokshop.auth.records import ShopRecord
    from airflow_provider_tiktokshop.auth.rotation import Rotator
    from airflow_provider_tiktokshop.auth.stores.base import TokenStore
    from airflow_provider_tiktokshop.hooks.connection import ConnectionLike

# What creators and partners can read about themselves; sellers have their shops.
_SELF = {1: "/affiliate_creator/202508/profiles", 3: "/authorization/202405/category_assets"}

__all__ = ["AppWiring", "find_connection", "mask", "open_token_store", "read_self", "wire"]


def find_connection(conn_id: str) -> ConnectionLike:
    """Return an Airflow connection wherever this process runs.

    :raises AirflowNotFoundException: there is none.
    """
    from airflow.sdk import BaseHook

    if in_task():
        with SUPERVISOR_LOCK:
            connection: ConnectionLike = BaseHook.get_connection(conn_id)
        return connection
    try:
        # Airflow 3.3's connection tester hands the connection over in memory, and only the Task SDK knows of it.
        connection = BaseHook.get_connection(conn_id)
    except Exception:  # noqa: BLE001 - outside a task anything from "not found" to a failed import, by version
        # The api-server and the CLI have no Task SDK behind them; what is deprecated in tasks is right for them.
        from airflow.models import connection as models

        connection = models.Connection.get_connection_from_secrets(conn_id)
    return connection


def mask(secret: str) -> None:
    """Keep a secret out of this process's task log."""
    from airflow.sdk.log import mask_secret

    # The masker tells the supervisor, over a channel that Task SDKs before 1.2 do not lock.
    with SUPERVISOR_LOCK:
        mask_secret(secret)


def open_token_store(name: str) -> TokenStore:
    """Return a token store by its name in ``[tiktokshop] token_store``: ``variable``, ``sql`` or a dotted path.

    :raises ConfigurationError: there is no such store, or it cannot be opened.
    """
    if name == "sql":
        from airflow_provider_tiktokshop.hooks.sql_store import open_sql_store

        return open_sql_store()
    from airflow_provider_tiktokshop.auth.stores import open_store

    return open_store(name)


def wire(conn_id: str, *, requests_per_second: float | None = None) -> AppWiring:
    """Return everything that belongs to the app of an Airflow connection.

    :param requests_per_second: replaces the connection's limit for each shop and endpoint.
    :raises AirflowNotFoundException: no such connection.
    :raises ConfigurationError: a field of the connection is missing or wrong.
    """
    return AppWiring(
        read_connection(
            find_connection(conn_id), allowed_hosts=config.allowed_hosts(), requests_per_second=requests_per_second
        )
    )


def read_self(client: TikTokShopClient, user_type: int) -> tuple[ShopRecord, ...]:
    """Make the one read that every authorization of a user type allows, and return the shops that it covers.

    :param user_type: 0 seller (Get Authorized Shops), 1 creator, 3 partner: those read their profile or categories.
    """
    from airflow_provider_tiktokshop.auth.records import ShopRecord

    if (path := _SELF.get(user_type)) is not None:
        client.call("GET", path)
        return ()
    return tuple(ShopRecord(s.id, s.cipher, s.region, s.seller_type, s.code) for s in client.shops())


class AppWiring:
    """One app and what serves it, each made when first asked for.

    :param connection: the app as a person typed it.
    """

    def __init__(self, connection: AppConnection) -> None:
        self.connection = connection
        mask(connection.app.app_secret)
        if connection.seed:
            mask(connection.seed)

    @property
    def app(self) -> App:
        """The app: key, secret, market, hosts, limits."""
        return self.connection.app

    @cached_property
    def http(self) -> Http:
        """One pool of connections for all requests of this process to this app."""
        from airflow_provider_tiktokshop.api.http import Http

        return Http()

    @cached_property
    def store(self) -> TokenStore:
        """The token store that ``[tiktokshop] token_store`` names."""
        return open_token_store(config.token_store())

    @cached_property
    def escrow(self) -> Escrow:
        """Where new pairs wait, sealed, until the store has them."""
        from airflow_provider_tiktokshop.auth.escrow import Escrow

        return Escrow(config.escrow_dir(), self.app.app_key, self.app.app_secret)

    @cached_property
    def oauth(self) -> OAuthClient:
        """The token endpoints and the consent page's link."""
        from airflow_provider_tiktokshop.api.oauth import OAuthClient

        return OAuthClient(self.app, self.http)

    @cached_property
    def authorizations(self) -> Authorizations:
        """The app's authorizations, read only."""
        from airflow_provider_tiktokshop.auth.reader import Authorizations

        return Authorizations(self.app, self.store, mask=mask)

    @property
    def pii_key(self) -> bytes:
        """The key that personal fields are hashed with: the same value gives the same hash, run after run."""
        configured = config.pii_key()
        if configured:
            return configured.encode()
        return hmac.digest(self.app.app_secret.encode(), b"tiktokshop-personal-fields", "sha256")

    def client(self, tokens: TokenSource) -> TikTokShopClient:
        """Return a client that presents ``tokens``."""
        from airflow_provider_tiktokshop.api.client import TikTokShopClient

        return TikTokShopClient(self.app, tokens, http=self.http)

    def rotator(self, *, advisory: float) -> Rotator:
        """Return what redeems refresh tokens. Only the rotation task may ask for it.

        :param advisory: seconds before an access token's expiry from which on it is rotated.
        """
        from airflow_provider_tiktokshop.api.budget import RateBudget
        from airflow_provider_tiktokshop.auth.rotation import Rotator

        # TikTok Shop publishes no limit for its auth host: what the connection allows for a shop and endpoint is used.
        budget = RateBudget(self.app.requests_per_second)
        return Rotator(
            self.app, self.store, self.escrow, self.oauth, self.probe, mask=mask, advisory=advisory, budget=budget
        )

    def flow(self) -> AuthorizationFlow:
        """Return what turns a consent into a stored authorization."""
        from airflow_provider_tiktokshop.auth.consent import AuthorizationFlow

        return AuthorizationFlow(
            self.app, self.store, self.escrow, self.oauth, self.authorizations, self.probe, mask=mask
        )

    def probe(self, access_token: str, user_type: int) -> tuple[ShopRecord, ...]:
        """Make one signed read with an access token, and return the shops that it covers (sellers only).

        :param user_type: 0 seller, 1 creator, 3 partner.
        :raises TikTokShopError: what the service answered.
        """
        from airflow_provider_tiktokshop.api.client import StaticToken

        return read_self(self.client(StaticToken(access_token)), user_type)

    def __getstate__(self) -> Any:
        msg = "an app's wiring holds its secret and is never pickled"
        raise TypeError(msg)
