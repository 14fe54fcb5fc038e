"""The documented refusals: code, HTTP status and message as the service sends them."""

from __future__ import annotations

__all__ = ["REFUSALS", "Refusal", "refuse"]

# code -> (HTTP status, message). Where no record of the HTTP status exists it is 400, or 401 for what concerns access.
REFUSALS: dict[int, tuple[int, str]] = {
    36004001: (200, "rt has expired"),
    36004004: (200, "invalid auth code"),
    36004005: (200, "can not find related auth record"),
    36009002: (429, "Too many requests"),
    36009003: (500, "Internal error"),
    36009004: (400, "Invalid parameter"),
    36009007: (504, "Request timeout"),
    36009009: (404, "Invalid path"),
    36009010: (405, "Invalid HTTP method"),
    36009014: (400, "Invalid version"),
    36009022: (400, "The request body cannot be parsed"),
    36009033: (403, "IP address is not in the allow list"),
    36009037: (429, "Sandbox hourly request limit reached"),
    36009043: (401, "Shop is inactive"),
    36009044: (401, "Seller is inactive"),
    45101004: (200, "The daily request quota is exhausted"),
    101000: (401, "The access token does not match this user type or cipher"),
    105001: (401, "access token is invalid"),
    105002: (401, "Expired credentials"),
    105005: (401, "Access denied: the app or seller has not granted the scope of this API"),
    106001: (401, "sign is invalid"),
    106013: (400, "shop_cipher is missing"),
    21001001: (200, "Order not found"),
    21008111: (200, "Order does not belong to the shop"),
    12019108: (200, "Invalid page"),
    12052180: (200, "The query matches more results than can be paged through; narrow the filters"),
}


class Refusal(Exception):
    """An answer with a non-zero code."""

    def __init__(self, code: int, message: str, status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers


def refuse(
    code: int, message: str | None = None, *, status: int | None = None, headers: tuple[tuple[str, str], ...] = ()
) -> Refusal:
    """Build the refusal for ``code``; message and HTTP status default to the documented ones."""
    known_status, known_message = REFUSALS.get(code, (200, "Error"))
    return Refusal(code, known_message if message is None else message, status or known_status, headers)
