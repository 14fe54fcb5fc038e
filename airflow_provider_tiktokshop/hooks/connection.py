"""Reads an Airflow connection of type ``tiktokshop``: one connection is one app."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.errors import ConfigurationError

__all__ = ["AppConnection", "ConnectionLike", "read_connection"]

CONN_TYPE = "tiktokshop"
FIELDS = (
    *("refresh_token", "market", "app_type", "service_id", "requests_per_second"),
    *("api_url", "auth_url", "authorize_url"),
)


class ConnectionLike(Protocol):
    """What is read of a connection: the Task SDK's class and the one of Airflow's models both have it."""

    @property
    def conn_id(self) -> str | None: ...
    @property
    def conn_type(self) -> str | None: ...
    @property
    def login(self) -> str | None: ...
    @property
    def password(self) -> str | None: ...
    @property
    def host(self) -> str | None: ...
    @property
    def port(self) -> int | None: ...
    @property
    def schema(self) -> str | None: ...
    @property
    def extra(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class AppConnection:
    """One app as a person typed it.

    :param app: key, secret, market, hosts and limits.
    :param seed: the refresh token of the connection's extra, redeemed at most once; ``None`` when sellers authorize
        through the CLI or the UI.
    :param unknown: names in the extra that mean nothing here.
    """

    conn_id: str
    app: App
    seed: str | None = field(default=None, repr=False)
    unknown: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks wrong without being certainly wrong, in words to show to a person."""
        if not self.unknown:
            return self.app.warnings
        names = ", ".join(self.unknown)
        return (
            *self.app.warnings,
            f"The extra holds {names}, which means nothing to this provider: a typing error? It knows {', '.join(FIELDS)}.",
        )


def read_connection(
    connection: ConnectionLike,
    *,
    allowed_hosts: tuple[str, ...] = (),
    requests_per_second: float | None = None,
) -> AppConnection:
    """Read the app out of a connection, whether it came from the form, from JSON or from a URI.

    :param connection: its login is the app key, its password the app secret, the rest stands in extra.
    :param allowed_hosts: hosts that the URL overrides may name besides TikTok's own and this machine.
    :param requests_per_second: replaces the connection's limit (requests per second for each shop and endpoint).
    :raises ConfigurationError: a field is missing or wrong; the message names the connection, the field and the remedy.
    """
    conn_id = connection.conn_id or "?"
    try:
        extra = _extra(connection.extra)
        overrides: dict[str, Any] = {
            name: value
            for name in ("service_id", "api_url", "auth_url", "authorize_url")
            if (value := _text(extra.get(name))) is not None
        }
        for name in ("market", "app_type"):
            if (value := _text(extra.get(name))) is not None:
                overrides[name] = value.lower()
        if requests_per_second is not None:
            overrides["requests_per_second"] = requests_per_second
        elif (text := _text(extra.get("requests_per_second"))) is not None:
            overrides["requests_per_second"] = _number("requests_per_second", text)
        app = App(
            app_key=_required(connection.login, "app key", "login"),
            app_secret=_required(connection.password, "app secret", "password"),
            allowed_hosts=allowed_hosts,
            **overrides,
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"Connection {conn_id!r}: {error.message}", advice=error.advice) from None
    unknown = tuple(sorted(name[:40] for name in extra if name not in FIELDS))
    return AppConnection(conn_id, app, _text(extra.get("refresh_token")), unknown)


def _extra(text: str | None) -> dict[str, Any]:
    # The connection's own extra_dejson turns unreadable JSON into an empty dict: a typing error would silently become
    # "no market, no overrides" and send the secret to the production hosts.
    if not text or not text.strip():
        return {}
    try:
        extra = json.loads(text)
    except ValueError:
        raise ConfigurationError(
            "Its extra is not valid JSON.", advice='Write an object such as {"market": "us"}.'
        ) from None
    if not isinstance(extra, dict):
        raise ConfigurationError("Its extra is not a JSON object.", advice='Write it like {"market": "us"}.')
    # Forms of Airflow 2 prefixed every custom field; connections exported from there still carry the prefix.
    return {key.removeprefix(f"extra__{CONN_TYPE}__"): value for key, value in extra.items()}


def _text(value: object) -> str | None:
    """Return the value as text without surrounding blanks: pasted credentials often end in a newline."""
    return None if value is None else str(value).strip() or None


def _required(value: str | None, what: str, where: str) -> str:
    text = _text(value)
    if text is None:
        raise ConfigurationError(
            f"The {what} is missing.", advice=f"Put it into the connection's {where}; Partner Center shows it."
        )
    return text


def _number(name: str, text: str) -> float:
    # In a connection URI every value is a string.
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{name} is {text!r}, which is not a number.") from None
