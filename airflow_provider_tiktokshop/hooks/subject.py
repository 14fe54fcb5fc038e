"""Whose rows a stream has: a shop's, or an authorization's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tiktokshop.extract.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_provider_tiktokshop.api.client import TikTokShopClient
    from airflow_provider_tiktokshop.api.tokens import CategoryAsset
    from airflow_provider_tiktokshop.auth.records import Authorization
    from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["category_assets", "line_of", "subject_of", "subjects_of", "targets_of", "unless_refused"]

T = TypeVar("T")

_USERS: Final = {0: "seller", 1: "creator", 3: "partner"}


def subject_of(hook: TikTokShopHook, stream: Stream, category_asset: str | None = None) -> dict[str, Any]:
    """Return what :func:`~airflow_provider_tiktokshop.extract.extract` must know of whose rows it reads.

    :param hook: names the authorization, and the shop.
    :param stream: what is extracted.
    :param category_asset: an affiliate partner's market and category; not needed when there is just one.
    :return: ``shop``, ``open_id``, ``category_asset``.
    :raises OptionError: the authorization is of another kind of user, or covers several category assets.
    """
    authorization = hook.authorization()
    if authorization.user_type != stream.user_type:
        raise OptionError(
            f"Stream {stream.name} takes the authorization of a {_user(stream.user_type)}; "
            f"open_id {authorization.open_id} is a {_user(authorization.user_type)}.",
            advice="Pass the open_id of one.",
        )
    line = line_of(stream)
    return {
        "shop": hook.shop() if any(one.needs_shop_cipher for one in line) else None,
        "open_id": authorization.open_id,
        "category_asset": _asset(hook, category_asset) if any(one.needs_asset_cipher for one in line) else None,
    }


def targets_of(hook: TikTokShopHook, stream: Stream) -> list[dict[str, str]]:
    """Return every subject of a stream once. See :meth:`TikTokShopHook.targets`."""
    line = line_of(stream)
    if any(one.needs_shop_cipher for one in line):
        return hook.shops()
    found: list[dict[str, str]] = []
    for authorization in hook.wiring.authorizations.all():
        if authorization.user_type != stream.user_type or authorization.status.needs_person:
            continue
        target = {"open_id": authorization.open_id}
        if any(one.needs_asset_cipher for one in line):
            assets = unless_refused(hook, authorization, category_assets)
            found += [{**target, "category_asset": asset.id} for asset in assets]
        else:
            found.append(target)
    return sorted(found, key=lambda one: sorted(one.items()))


def unless_refused(
    hook: TikTokShopHook, authorization: Authorization, look_up: Callable[[TikTokShopClient], list[T]]
) -> list[T]:
    """Return what a look-up as one user gives; nothing, with a warning, when that user is refused: the others go on.

    A service that does not answer, or an app that is set up wrongly, is everybody's trouble and raises.
    """
    from airflow_provider_tiktokshop.api.errors import AccessTokenRefused, ScopeMissing, ShopInactive
    from airflow_provider_tiktokshop.auth.reader import AuthorizationUnusable

    client = hook.wiring.client(hook.wiring.authorizations.token_source(authorization))
    try:
        return look_up(client)
    except (AccessTokenRefused, AuthorizationUnusable, ScopeMissing, ShopInactive) as refusal:
        hook.log.warning("Leaving out open_id %s: %s", authorization.open_id, refusal)
        return []


def subjects_of(
    hook: TikTokShopHook, stream: Stream, targets: Iterable[Mapping[str, str]] | None = None
) -> list[dict[str, Any]]:
    """Return what it takes to read a stream of several subjects in one process. See :meth:`TikTokShopHook.subjects`."""
    from airflow_provider_tiktokshop.hooks.tiktokshop import TikTokShopHook

    if targets is None:
        targets = [{}] if hook.open_id or hook.shop_id else targets_of(hook, stream)
    found = []
    for target in targets:
        one = TikTokShopHook(
            hook.tiktokshop_conn_id,
            open_id=target.get("open_id") or hook.open_id,
            shop_id=target.get("shop_id") or hook.shop_id,
        )
        # One store and one pool of connections for all of them.
        one.wiring = hook.wiring
        found.append({"client": one.get_conn(), **subject_of(one, stream, target.get("category_asset"))})
    return found


def category_assets(client: TikTokShopClient) -> list[CategoryAsset]:
    """Return what an affiliate partner's authorization covers, by market and category."""
    from airflow_provider_tiktokshop.api.tokens import CategoryAsset

    rows = client.call("GET", "/authorization/202405/category_assets").get("category_assets") or []
    named = [(f"{row.get('target_market')}-{(row.get('category') or {}).get('id')}", row["cipher"]) for row in rows]
    return sorted((CategoryAsset(name, cipher) for name, cipher in named), key=lambda asset: asset.id)


def _asset(hook: TikTokShopHook, wanted: str | None) -> CategoryAsset:
    assets = category_assets(hook.get_conn())
    chosen = [asset for asset in assets if wanted in {None, "", asset.id}]
    if len(chosen) == 1:
        return chosen[0]
    known = ", ".join(asset.id for asset in assets) or "none"
    raise OptionError(
        f"The partner's authorization covers {len(assets)} category assets, and {wanted or 'none'} is named.",
        advice=f"Pass category_asset, one of: {known}.",
    )


def line_of(stream: Stream) -> list[Stream]:
    """Return a stream and those that it gets its ids from."""
    from airflow_provider_tiktokshop import streams

    line = [stream]
    while (parent := line[-1].parent) is not None:
        line.append(streams.get(parent.stream))
    return line


def _user(kind: int) -> str:
    return _USERS.get(kind, f"user of type {kind}")
