"""The consent page: what a user sees behind an authorize link, and the redirect that follows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from airflow_provider_tiktokshop.emulator.accounts import Account
    from airflow_provider_tiktokshop.emulator.state import Emulator, World

__all__ = ["REDIRECTED", "consent_router"]

REDIRECTED = "/_emulator/redirected"
_SELLER_PAGE, _CREATOR_PAGE = "/open/authorize", "/alliance/creator/auth"
_SHOWN_ACCOUNTS = 50
_HEADERS = {
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *",
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "form{border:1px solid #ccc;border-radius:8px;padding:1rem;margin:1rem 0}label{display:block}"
    "button{font:inherit;padding:.4rem 1.2rem;margin:.8rem .5rem 0 0}textarea{width:100%;font:14px monospace}"
)


class _Refused(Exception):
    """The link or the form is wrong; the text is for the person who looks at it."""


def consent_router(emulator: Emulator) -> APIRouter:
    """Return the routes of the consent pages, and of the page that stands in for the app's redirect URL."""
    router = APIRouter()

    @router.get(_SELLER_PAGE)
    async def seller_page(request: Request) -> Response:
        return _show(emulator.world, _SELLER_PAGE, dict(request.query_params))

    @router.get(_CREATOR_PAGE)
    async def creator_page(request: Request) -> Response:
        return _show(emulator.world, _CREATOR_PAGE, dict(request.query_params))

    @router.post(_SELLER_PAGE)
    async def seller_answer(request: Request) -> Response:
        return _answer(emulator, _SELLER_PAGE, await _form(request))

    @router.post(_CREATOR_PAGE)
    async def creator_answer(request: Request) -> Response:
        return _answer(emulator, _CREATOR_PAGE, await _form(request))

    @router.get(REDIRECTED)
    async def redirected(request: Request) -> Response:
        url = f"{emulator.url}{REDIRECTED}?{request.url.query}"
        return _page(
            "You were redirected",
            "<p>Here the app would take over. Without a callback of its own, paste this URL where it asks for it:</p>"
            f"<textarea readonly rows=6>{escape(url)}</textarea>",
        )

    return router


async def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)


def _page(title: str, content: str, status: int = 200) -> HTMLResponse:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    return HTMLResponse(f"{head}<h1>{escape(title)}</h1>{content}</html>", status, _HEADERS)


def _check_link(world: World, page: str, link: dict[str, str]) -> None:
    if page == _SELLER_PAGE and link.get("service_id") != world.service_id:
        raise _Refused("The service does not exist. An authorize link takes the service_id, not the app_key.")
    if page == _CREATOR_PAGE and link.get("app_key") != world.app_key:
        raise _Refused("The app does not exist. A creator's authorize link takes the app_key.")
    if page == _CREATOR_PAGE and not link.get("state"):
        raise _Refused("A creator's authorize link needs a state.")


def _accounts(world: World, page: str) -> list[Account]:
    kinds = {1} if page == _CREATOR_PAGE else {0, 3}
    return [account for account in world.accounts.values() if account.user_type in kinds]


def _show(world: World, page: str, link: dict[str, str]) -> Response:
    try:
        _check_link(world, page, link)
    except _Refused as refused:
        return _page("This link does not work", f"<p>{escape(str(refused))}</p>", 404)
    accounts = _accounts(world, page)
    forms = "".join(_account_form(account, page, link) for account in accounts[:_SHOWN_ACCOUNTS])
    if len(accounts) > _SHOWN_ACCOUNTS:
        forms += f"<p>… and {len(accounts) - _SHOWN_ACCOUNTS} more, who can answer by form only.</p>"
    note = "<p>This is the emulator. Choose whom to act as, and what the app may have access to.</p>"
    return _page("Authorize Example App", note + (forms or "<p>There is nobody who could authorize.</p>"))


def _account_form(account: Account, page: str, link: dict[str, str]) -> str:
    hidden: dict[str, str] = {name: link[name] for name in ("service_id", "app_key", "state") if name in link}
    hidden |= {"open_id": account.open_id, "chosen": "1"}
    inputs = "".join(f'<input type=hidden name="{escape(n)}" value="{escape(v)}">' for n, v in hidden.items())
    shops = "".join(
        f'<label><input type=checkbox name=shop_ids value="{escape(shop.id)}" checked> {escape(shop.name)} '
        f"({escape(shop.region)}, {escape(shop.id)})</label>"
        for shop in account.shops
    )
    kind = {0: "Seller", 1: "Creator", 3: "Partner"}[account.user_type]
    return (
        f'<form method=post action="{page}"><h2>{kind} {escape(account.name or account.open_id)}</h2>{inputs}{shops}'
        "<button name=decision value=accept>Authorize</button><button name=decision value=reject>Reject</button></form>"
    )


def _answer(emulator: Emulator, page: str, form: dict[str, list[str]]) -> Response:
    world = emulator.world
    one = {name: values[-1] for name, values in form.items()}
    try:
        _check_link(world, page, one)
        query = _decide(world, page, one, form)
    except _Refused as refused:
        return _page("This does not work", f"<p>{escape(str(refused))}</p>", 400)
    if one.get("state") and not one.get("app_store"):
        query["state"] = one["state"]
    target = world.options.redirect_url or emulator.url + REDIRECTED
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(query)}", 302, _HEADERS)


def _decide(world: World, page: str, one: dict[str, str], form: dict[str, list[str]]) -> dict[str, str]:
    account = next((one_of for one_of in _accounts(world, page) if one_of.open_id == one.get("open_id")), None)
    if account is None:
        raise _Refused("No such user can authorize here: open_id must be one of those on the page.")
    if one.get("decision") == "reject":
        return {"code": "null", "error": "auth_denied"}
    if one.get("decision") != "accept":
        raise _Refused("decision must be accept or reject.")
    owned = {shop.id for shop in account.shops}
    # The page's own form says that boxes were shown; without that, no shop named means all of them.
    shop_ids = tuple(form.get("shop_ids", () if one.get("chosen") else sorted(owned)))
    if (owned and not shop_ids) or not set(shop_ids) <= owned:
        raise _Refused("Tick at least one shop, and only this user's.")
    scopes = tuple(form.get("scopes", account.scopes))
    if not set(scopes) <= set(account.scopes):
        raise _Refused("The app has no such scope.")
    duration = one.get("duration", "")
    if duration and not (duration.isdigit() and int(duration) > 0):
        raise _Refused("duration is a number of seconds.")
    code = world.tokens.consent(account, shop_ids, scopes, int(duration) if duration else None)
    # The service is known to add these three; a reader must not stumble over them.
    return {"app_key": world.app_key, "code": code.value, "locale": "en-GB", "shop_region": account.region}
