"""Whose data a client reads: the access token, and the shop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["CategoryAsset", "Shop", "StaticToken", "TokenSource"]


class TokenSource(Protocol):
    """Where the client gets its access token, anew for every request."""

    def current(self) -> str:
        """Return the access token to use now."""
        ...

    def after_refusal(self, refused_token: str) -> str:
        """Return another token after the service refused one with 105001 or 105002.

        :param refused_token: the token that was refused.
        :returns: a newer token; the refused one again when there is none, and the refusal is then raised.
        :raises TikTokShopError: when it is known why there is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token that somebody else keeps alive, for scripts and tests.

    :param access_token: the token.
    """

    access_token: str = field(repr=False)

    def current(self) -> str:
        """Return the token."""
        return self.access_token

    def after_refusal(self, refused_token: str) -> str:  # noqa: ARG002
        """Return the token again: there is no other."""
        return self.access_token


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop that an authorization covers. Its name is left out on purpose: it can be a person's.

    :param id: the shop's id.
    :param cipher: what requests name the shop by.
    :param region: two-letter country.
    :param seller_type: ``LOCAL`` or ``CROSS_BORDER``.
    :param code: the shop's code in the Seller Center.
    """

    id: str
    cipher: str = field(repr=False)
    region: str = ""
    seller_type: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class CategoryAsset:
    """One market and category that an affiliate partner's authorization covers.

    :param id: what it is called here: ``{target_market}-{category id}``, because the service gives it no id.
    :param cipher: what requests name it by.
    """

    id: str
    cipher: str = field(repr=False)
