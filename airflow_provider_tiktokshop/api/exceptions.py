"""The exception classes of :mod:`airflow_provider_tiktokshop.api.errors`, which is where to import them from."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AccessTokenExpired",
    "AccessTokenInvalid",
    "AccessTokenRefused",
    "ApiError",
    "AppKeyRefused",
    "ClockSkewed",
    "ConfigurationError",
    "ExchangeError",
    "ExchangeNotSpent",
    "ExchangeRefused",
    "ExchangeUnknown",
    "InvalidRequest",
    "IpNotAllowed",
    "PagingError",
    "QuotaExhausted",
    "RateLimited",
    "ReplyLost",
    "RequestNotSent",
    "ResultWindowTooLarge",
    "ScopeMissing",
    "ServiceUnavailable",
    "ShopCipherError",
    "ShopInactive",
    "SignatureRefused",
    "TemporaryOrderError",
    "TikTokShopError",
    "VersionRetired",
]


class TikTokShopError(Exception):
    """Something about TikTok Shop went wrong.

    :param message: what happened, in one sentence.
    :param code: the ``code`` of the service's envelope.
    :param meaning: what the code stands for, in plain words.
    :param advice: what to do next.
    :param request_id: the service's id of the request; its support asks for it.
    :param endpoint: method and path: ``POST /order/202309/orders/search``. Never a query.
    :param http_status: the HTTP status of the answer.
    """

    retryable: ClassVar[bool] = False
    """Whether sending the same request again, later, may succeed."""

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        meaning: str = "",
        advice: str = "",
        request_id: str | None = None,
        endpoint: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.meaning = meaning
        self.advice = advice
        self.request_id = request_id
        self.endpoint = endpoint
        self.http_status = http_status

    def __str__(self) -> str:
        """Return the whole story in one line: what, where, code, what it means, what to do."""
        where = f"{self.endpoint}: " if self.endpoint else ""
        sentences = [text for text in (self.meaning, self.message, self.advice) if text]
        if self.meaning and self.message:
            sentences[1] = f'The service said: "{self.message}".'
        facts = [
            f"{name} {value}"
            for name, value in (("code", self.code), ("HTTP", self.http_status), ("request_id", self.request_id))
            if value is not None
        ]
        tail = f" ({', '.join(facts)})" if facts else ""
        # A message need not end like a sentence; without a mark between them, two would read as one that makes no sense.
        told = [text if text[-1] in '.!?"' else f"{text};" for text in sentences[:-1]] + sentences[-1:]
        return f"{where}{' '.join(told) or type(self).__name__}{tail}"


class ConfigurationError(TikTokShopError):
    """A value that a person typed is missing or cannot work; nothing was sent because of it."""


class RequestNotSent(TikTokShopError):
    """No byte of the request left this machine for the service: refused, no such host, connect timeout, failed TLS."""

    retryable = True


class ReplyLost(TikTokShopError):
    """The request went out and no whole answer came back, so whether it took effect is unknown."""

    # A slot is neither pickled nor listed by vars(): what was received stays out of every report.
    __slots__ = ("_partial",)

    retryable = True

    _partial: bytes


class ServiceUnavailable(TikTokShopError):
    """The service failed on its side (5xx, 36009003, 36009007)."""

    retryable = True


class RateLimited(TikTokShopError):
    """Too many requests (429, 36009002, or 503 that names a time to come back).

    :param retry_after: seconds that the service asks to wait, ``None`` when it does not say.
    """

    retryable = True

    def __init__(self, message: str = "", *, retry_after: float | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.retry_after = retry_after


class QuotaExhausted(TikTokShopError):
    """An hourly (36009037) or daily (45101004) quota is used up; asking again soon is pointless.

    :param resume_after: seconds after which the quota is certainly fresh.
    """

    def __init__(self, message: str = "", *, resume_after: float = 3600.0, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.resume_after = resume_after


class AccessTokenRefused(TikTokShopError):
    """The access token was not accepted."""


class AccessTokenExpired(AccessTokenRefused):
    """The access token is past its expiry (105002)."""


class AccessTokenInvalid(AccessTokenRefused):
    """The access token is wrong, or the seller withdrew the authorization (105001)."""


class ScopeMissing(TikTokShopError):
    """The app has not been granted the scope of this endpoint (105005)."""


class SignatureRefused(TikTokShopError):
    """The signature does not match the request (106001)."""


class ClockSkewed(TikTokShopError):
    """The request's timestamp is outside the service's window: this machine's clock is wrong."""


class ShopCipherError(TikTokShopError):
    """The shop cipher is missing, not wanted here, or does not belong to the token (106013, 101000, 36009004)."""


class IpNotAllowed(TikTokShopError):
    """This machine's public IP address is not in the app's allow list (36009033)."""


class ShopInactive(TikTokShopError):
    """The shop or its seller is not active (36009043, 36009044)."""


class VersionRetired(TikTokShopError):
    """The version in the path is unknown or has been switched off (36009014)."""


class ResultWindowTooLarge(TikTokShopError):
    """The filter matches more than the 10,000 products that can be paged through (12052180)."""


class InvalidRequest(TikTokShopError):
    """The service refused the request as written."""


class AppKeyRefused(ConfigurationError, InvalidRequest):
    """The service does not know the app key (36009004)."""


class TemporaryOrderError(TikTokShopError):
    """Order detail could not be read just now; documented as temporary (10002014 and others)."""

    retryable = True


class PagingError(TikTokShopError):
    """The service handed out a page token that it had handed out before; paging on would never end."""


class ApiError(TikTokShopError):
    """Any other refusal; ``code`` says which."""


class ExchangeError(TikTokShopError):
    """Redeeming an auth code or a refresh token did not give a token pair."""


class ExchangeNotSpent(ExchangeError):
    """The code or refresh token is certainly unspent: the request did not get there, or was turned away at the door.

    :param configuration: a person must correct the app's settings first, and every seller of the app is affected.
    """

    retryable = True

    def __init__(self, message: str = "", *, configuration: bool = False, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.configuration = configuration


class ExchangeRefused(ExchangeError):
    """The code or refresh token is dead (36004001, 36004004, 36004005): the user must authorize again."""


class ExchangeUnknown(ExchangeError):
    """Whether the code or refresh token was spent is unknown. Never send it again on the spot."""
