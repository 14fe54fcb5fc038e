"""What each ``code`` of the service means, and what to do about it. Data only; :mod:`.errors` decides with it.

From "Common errors" and the error lists of the endpoint pages in the Partner Center documentation.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from airflow_provider_tiktokshop.api import exceptions as exc

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CODES", "PARAMETER_CASES", "CodeInfo"]


class CodeInfo(NamedTuple):
    """One row of the table: the exception class, what the code means, what to do."""

    error: type[exc.TikTokShopError]
    meaning: str
    advice: str


_REAUTHORIZE = (
    "The user must authorize the app again: `airflow tiktokshop authorize` or the TikTok Shop page in Airflow."
)
_CHECK_REQUEST = "Check the parameters against the endpoint's API page."
_LATER = "Try again later; if it lasts, give the request_id to TikTok Shop's support."
_FEWER = "Ask for fewer ids per request."
_CLOCK = "Set this machine's clock (NTP). The service accepts 5 minutes behind to 30 seconds ahead."
_CIPHER = "Read the shops again (GET /authorization/202309/shops) and use the cipher that belongs to this token."
_APP_KEY = "Check the app key, the app secret and the market in the connection."
_NOT_FOUND = "Check the id and the shop it is asked of."
_TEMPORARY = CodeInfo(exc.TemporaryOrderError, "The order cannot be read just now.", _LATER)


def _table() -> dict[int, CodeInfo]:
    info = CodeInfo
    return {
        # Token endpoints
        36004001: info(exc.ExchangeRefused, "The refresh token has expired.", _REAUTHORIZE),
        36004004: info(
            exc.ExchangeRefused,
            "The auth code is wrong, has been used, or is older than 30 minutes.",
            "Start the authorization again and finish it within 30 minutes.",
        ),
        36004005: info(
            exc.ExchangeRefused,
            "The refresh token is unknown to the service: revoked, replaced, or issued to another app.",
            _REAUTHORIZE,
        ),
        98001004: info(exc.InvalidRequest, "The service found a parameter invalid.", _APP_KEY),
        # Gateway
        36009002: info(
            exc.RateLimited, "Too many requests.", "Lower requests_per_second or run fewer tasks at a time."
        ),
        36009003: info(exc.ServiceUnavailable, "The service failed internally.", _LATER),
        36009004: info(exc.InvalidRequest, "The service found a parameter invalid.", _CHECK_REQUEST),
        36009007: info(exc.ServiceUnavailable, "The service timed out internally.", _LATER),
        36009009: info(
            exc.InvalidRequest, "There is no such path.", "Check the path, its version, and api_url in the connection."
        ),
        36009010: info(exc.InvalidRequest, "The path exists, but not with this HTTP method.", "Check the method."),
        36009014: info(
            exc.VersionRetired,
            "This version of the endpoint is unknown or has been switched off.",
            "Use a newer version in the path; streams take it as an option.",
        ),
        36009021: info(exc.InvalidRequest, "The file is too large.", "Send a smaller file."),
        36009022: info(exc.InvalidRequest, "The body could not be read as JSON.", _CHECK_REQUEST),
        36009023: info(exc.InvalidRequest, "This endpoint takes multipart/form-data only.", _CHECK_REQUEST),
        36009033: info(
            exc.IpNotAllowed,
            "This machine's public IP address is not in the app's IP allow list.",
            "Add the workers' outgoing address to the allow list in the Partner Center, or send through a fixed proxy.",
        ),
        36009037: info(
            exc.QuotaExhausted, "The hourly quota of the development shop is used up.", "Continue after the hour."
        ),
        36009043: info(
            exc.ShopInactive, "The shop is not active.", "The seller must reactivate it in the Seller Center."
        ),
        36009044: info(
            exc.ShopInactive,
            "The seller is not active.",
            "The seller must reactivate the account in the Seller Center.",
        ),
        # Access
        101000: info(
            exc.ShopCipherError,
            "The cipher or the token is wrong, or they do not belong together (shop, user type).",
            _CIPHER,
        ),
        105000: info(exc.AccessTokenRefused, "The access token was refused.", _REAUTHORIZE),
        105001: info(
            exc.AccessTokenInvalid,
            "The access token is invalid, or the seller has withdrawn the authorization.",
            f"Rotate the token; if it is refused again: {_REAUTHORIZE}",
        ),
        105002: info(
            exc.AccessTokenExpired,
            "The access token has expired.",
            "Rotate the token; see that the rotation DAG is on and runs more often than once a week.",
        ),
        105003: info(exc.AccessTokenRefused, "The access token was refused.", _REAUTHORIZE),
        105004: info(exc.AccessTokenRefused, "The access token was refused.", _REAUTHORIZE),
        105005: info(
            exc.ScopeMissing,
            "The scope of this endpoint has not been granted to the app or by the seller.",
            "Ask for the scope in the Partner Center, then let the seller authorize again: a rotation does not widen scopes.",
        ),
        106001: info(
            exc.SignatureRefused,
            "The signature does not match the request.",
            "Check the app secret. If it is right, something between here and the service rewrites requests (a proxy?).",
        ),
        106013: info(exc.ShopCipherError, "This endpoint needs a shop cipher and got none.", "Name the shop."),
        66009315: info(exc.ScopeMissing, "No permission for this live room.", "Use the token of the room's owner."),
        # Orders
        10002014: _TEMPORARY,
        10002015: _TEMPORARY,
        10006402: _TEMPORARY,
        10037002: _TEMPORARY,
        10037003: _TEMPORARY,
        10037004: _TEMPORARY,
        21001001: info(exc.ApiError, "There is no such order.", _NOT_FOUND),
        21008111: info(exc.ApiError, "The order belongs to another shop.", _NOT_FOUND),
        # Products
        12019027: info(exc.InvalidRequest, "More than 10 seller SKUs were asked for.", _FEWER),
        12019087: info(exc.InvalidRequest, "More than 10 SKU ids were asked for.", _FEWER),
        12019108: info(exc.InvalidRequest, "The page is invalid.", _CHECK_REQUEST),
        12019109: info(exc.InvalidRequest, "The page size is invalid.", _CHECK_REQUEST),
        12019118: info(exc.InvalidRequest, "The range of create times is invalid.", _CHECK_REQUEST),
        12019119: info(exc.InvalidRequest, "The range of update times is invalid.", _CHECK_REQUEST),
        12019120: info(exc.InvalidRequest, "Too many product ids were asked for.", _FEWER),
        12052180: info(
            exc.ResultWindowTooLarge,
            "The filter matches more than 10,000 products, which cannot be paged through.",
            "Narrow the time range.",
        ),
        # Returns, finance, analytics, customer service, fulfillment
        25001001: info(
            exc.InvalidRequest, "A parameter of the returns or cancellations search is invalid.", _CHECK_REQUEST
        ),
        25020005: info(exc.ApiError, "The return or cancellation was not found.", _NOT_FOUND),
        22005007: info(exc.ApiError, "The withdrawals query was refused.", _CHECK_REQUEST),
        28001007: info(exc.InvalidRequest, "A parameter or date of the analytics query is invalid.", _CHECK_REQUEST),
        28001022: info(exc.InvalidRequest, "A parameter or date of the analytics query is invalid.", _CHECK_REQUEST),
        45101001: info(exc.ServiceUnavailable, "Customer service failed internally.", _LATER),
        45101003: info(exc.InvalidRequest, "A customer-service parameter is invalid.", _CHECK_REQUEST),
        45101004: info(exc.QuotaExhausted, "The daily quota of this endpoint is used up.", "Continue tomorrow."),
        11001027: info(exc.ApiError, "No handover slot is available.", _CHECK_REQUEST),
        11021009: info(exc.ApiError, "No handover slot is available.", _CHECK_REQUEST),
        13017003: info(exc.ApiError, "The export is not available.", _CHECK_REQUEST),
    }


CODES: Final[Mapping[int, CodeInfo]] = MappingProxyType(_table())
"""Every code with a known meaning. A code that is not here becomes :class:`ApiError`, or goes by its HTTP status."""

# 36009004 is an umbrella: which parameter it is about stands only in the message. First match wins; the patterns see the
# message in lower case and without quotes. "access_token" must not match in "page_token" nor "sign" in "design".
PARAMETER_CASES: Final[tuple[tuple[str, CodeInfo], ...]] = (
    (r"\btimestamp\b", CodeInfo(exc.ClockSkewed, "The request's timestamp is outside the service's window.", _CLOCK)),
    (
        r"\b(?:shop_cipher|category_asset_cipher|shop cipher|cipher)\b",
        CodeInfo(
            exc.ShopCipherError,
            "The shop cipher is wrong, or this endpoint does not take one.",
            f"Leave the shop away if the endpoint is not one of a shop's. {_CIPHER}",
        ),
    ),
    (
        r"\b(?:access[_ -]token|x-tts-access-token|token header)\b",
        CodeInfo(exc.AccessTokenInvalid, "The access token header is missing or malformed.", _REAUTHORIZE),
    ),
    (r"\bapp[_ ]?key\b", CodeInfo(exc.AppKeyRefused, "The service does not know the app key.", _APP_KEY)),
    (r"\bapp[_ ]?secret\b", CodeInfo(exc.AppKeyRefused, "The service does not accept the app secret.", _APP_KEY)),
    (r"\b(?:sign|signature)\b", CodeInfo(exc.SignatureRefused, "The signature is missing or wrong.", _APP_KEY)),
    (
        r"\bversion\b",
        CodeInfo(
            exc.InvalidRequest, "The version in the request is invalid.", "Use a version of the endpoint's API page."
        ),
    ),
)
