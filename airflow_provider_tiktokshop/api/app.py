"""One Partner Center app, and the hosts that its secret may be sent to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from airflow_provider_tiktokshop.api.errors import ConfigurationError

__all__ = ["App", "is_loopback"]

_TIKTOK_DOMAINS: Final = ("tiktokglobalshop.com", "tiktok-shops.com", "tiktokshop.com", "tiktokshops.us", "tiktok.com")
_SERVICE_ID: Final = "The service id is the long number under the app's name in the Partner Center."
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
# What the records of an app are named by; a real key is a dozen letters and digits.
_APP_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
# Anything else in a host is read in more than one way: the resolver, for one, stops at a NUL and looks up what is before it.
_HOST_AND_PORT: Final = re.compile(r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")


@dataclass(frozen=True, slots=True)
class App:
    """One app of the Partner Center: what it takes to sign requests and to exchange tokens.

    :param app_key: the short alphanumeric key, sent with every request.
    :param app_secret: the secret that signs. Sent only to ``auth_url``.
    :param service_id: the long decimal number printed under the app's name in the Partner Center; needed only in the
        links that sellers and partners authorize with.
    :param market: ``us`` for an app of the US Partner Center, ``global`` for every other.
    :param app_type: ``custom`` (authorized by link) or ``public`` (listed in the App Store).
    :param api_url: base of the Open API; change it only for an emulator or a proxy of your own.
    :param auth_url: base of the token endpoints.
    :param authorize_url: the consent page, without a query, if it is not the market's usual one.
    :param requests_per_second: requests per second, for each shop and endpoint.
    :param allowed_hosts: hosts beside TikTok's and loopback that may receive requests signed by this app, as ``host`` or
        ``host:port``. They come from the deployment's configuration, not from the connection.
    :raises ConfigurationError: when a value is missing or a URL is not one the secret may be sent to.
    """

    app_key: str
    app_secret: str = field(repr=False)
    service_id: str | None = None
    market: Literal["us", "global"] = "global"
    app_type: Literal["custom", "public"] = "custom"
    api_url: str = "https://open-api.tiktokglobalshop.com"
    auth_url: str = "https://auth.tiktok-shops.com"
    authorize_url: str | None = None
    requests_per_second: float = 10.0
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check everything once, so that a wrong value is met where it was typed."""
        if not self.app_key.strip():
            raise ConfigurationError(
                "The app key is empty.", advice="Copy it from the app's page in the Partner Center."
            )
        if not self.app_secret.strip():
            raise ConfigurationError(
                "The app secret is empty.", advice="Copy it from the app's page in the Partner Center."
            )
        if self.app_key != self.app_key.strip() or self.app_secret != self.app_secret.strip():
            raise ConfigurationError(
                "The app key or the app secret begins or ends with a space, so no signature would match.",
                advice="Remove the space.",
            )
        if not _APP_KEY.fullmatch(self.app_key):
            raise ConfigurationError(
                "The app key holds a character that no app key has, or is far too long.",
                advice="Copy it anew from the app's page in the Partner Center: it is a dozen letters and digits.",
            )
        _one_of("market", self.market, ("us", "global"))
        _one_of("app_type", self.app_type, ("custom", "public"))
        # Written this way round, so that NaN fails too.
        if not self.requests_per_second > 0:
            raise ConfigurationError(
                f"requests_per_second is {self.requests_per_second}, which would send nothing.",
                advice="Give a number above zero; 10 is the default.",
            )
        for name in ("api_url", "auth_url", "authorize_url"):
            url = getattr(self, name)
            if url is not None:
                _check_url(name, url, self.allowed_hosts)
                object.__setattr__(self, name, url.rstrip("/"))

    @property
    def issuer(self) -> str:
        """The host that issues this app's tokens: ``auth.tiktok-shops.com``, with ``:port`` when it is not the default."""
        return _host_and_port(urlsplit(self.auth_url))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks wrong without being certainly wrong, in words to show to a person."""
        if self.service_id == self.app_key:
            return (f"The service id is the same as the app key: the consent page will not know it. {_SERVICE_ID}",)
        if self.service_id is not None and not (self.service_id.isascii() and self.service_id.isdigit()):
            return (f"The service id is not a number: it may be the app key by mistake. {_SERVICE_ID}",)
        return ()


def is_loopback(host: str | None) -> bool:
    """Tell whether a URL's host is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}.", advice=f"Use one of: {', '.join(allowed)}.")


def _host_and_port(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme):
        return host
    return f"{host}:{parts.port}"


def _check_url(name: str, url: str, allowed_hosts: tuple[str, ...]) -> None:
    # The value itself stays out of every message: a URL may hold a password or a token that somebody pasted.
    try:
        parts = urlsplit(url)
        host_and_port = _host_and_port(parts)
    except ValueError:
        raise ConfigurationError(f"{name} is not a URL.", advice="Write it like https://host.example.") from None
    host = host_and_port if parts.port is None else (parts.hostname or "").rstrip(".")
    if not host or parts.scheme not in {"http", "https"} or not url.isprintable() or " " in url or "\\" in url:
        raise ConfigurationError(
            f"{name} is not an http(s) URL with a host.", advice="Write it like https://host.example."
        )
    if "@" in parts.netloc:
        raise ConfigurationError(f"{name} contains a user name or password.", advice="Remove everything before the @.")
    if not _HOST_AND_PORT.fullmatch(parts.netloc):
        raise ConfigurationError(
            f"{name} has a host that is not written in plain letters, digits, dots and hyphens.",
            advice="Write it like https://host.example; a name in another script in its xn-- form.",
        )
    if "?" in url or "#" in url:
        raise ConfigurationError(
            f"{name} contains a query or a fragment, which the provider writes itself.",
            advice="Remove everything from the ? or # on; a service id has its own field.",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError(
            f"{name} is plain http to {host_and_port}, which would show the app secret to the network.",
            advice="Use https. Plain http is accepted for this machine only (127.0.0.1, localhost).",
        )
    is_tiktok = any(host == domain or host.endswith("." + domain) for domain in _TIKTOK_DOMAINS)
    if (
        not is_tiktok
        and not is_loopback(parts.hostname)
        and not {host, host_and_port} & {h.lower() for h in allowed_hosts}
    ):
        raise ConfigurationError(
            f"{name} points to {host_and_port}, which is neither TikTok's nor this machine: "
            "whoever may edit a connection could send the app secret there.",
            advice="If this is meant, an administrator lists the host in [tiktokshop] allowed_hosts in airflow.cfg.",
        )
