"""What the browser's address says after the consent page, as people paste it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from airflow_provider_tiktokshop.api.errors import TikTokShopError

__all__ = ["AuthorizationDenied", "Redirect", "parse_redirect"]

_PASTE = "paste the whole address that the browser shows after consenting; it contains ?code=…"


class AuthorizationDenied(TikTokShopError):
    """The seller declined, or TikTok Shop redirected with an error."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """What a redirect brought.

    :param code: to be exchanged for a token pair; lives 30 minutes, works once.
    :param state: what the link was made with; ``None`` in a bare code, and where the seller began in the App Store.
    :param app_key: the app that was consented to, where TikTok Shop tells.
    """

    code: str = field(repr=False)
    state: str | None = field(default=None, repr=False)
    app_key: str | None = None


def parse_redirect(redirect: str) -> Redirect:
    """Read a pasted redirect URL, query string or bare code.

    :raises AuthorizationDenied: the redirect says that the seller declined.
    :raises TikTokShopError: there is no code in it; the text does not repeat what was pasted.
    """
    text = redirect.strip()
    try:
        query = urlsplit(text).query
    except ValueError:
        query = ""
    query = query or (text.lstrip("?") if "code=" in text or "error=" in text else "")
    if not query:
        if text and "/" not in text and " " not in text:
            return Redirect(text)
        raise TikTokShopError("there is no code in what was given", advice=_PASTE)
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    if error := fields.get("error"):
        raise AuthorizationDenied(
            f"the authorization was not given: {error[:80]}",
            advice="the seller declined on the consent page; open the link again and accept",
        )
    code = fields.get("code")
    if not code or code == "null":
        raise TikTokShopError("the redirect has no code", advice=_PASTE)
    return Redirect(code, fields.get("state"), fields.get("app_key"))
