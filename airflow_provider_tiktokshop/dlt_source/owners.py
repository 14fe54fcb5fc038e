"""Whose rows are loaded: what reads them, and the columns that tell them apart in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.extract.errors import OptionError
from airflow_provider_tiktokshop.streams.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from typing_extensions import TypeIs

    from airflow_provider_tiktokshop.api.client import Shop, TikTokShopClient
    from airflow_provider_tiktokshop.api.tokens import CategoryAsset
    from airflow_provider_tiktokshop.streams.base import Stream

__all__ = ["Hook", "Owner", "is_hook", "owners_of", "shop_column"]


class Hook(Protocol):
    """What of :class:`~airflow_provider_tiktokshop.hooks.tiktokshop.TikTokShopHook` is needed here."""

    @property
    def wiring(self) -> Any:
        """What belongs to the app."""
        ...

    def subjects(self, stream: Stream, targets: Iterable[Mapping[str, str]] | None = None) -> list[dict[str, Any]]:
        """Return what it takes to read a stream of several subjects."""
        ...


def is_hook(connection: TikTokShopClient | Hook) -> TypeIs[Hook]:
    """Return whether it is a hook, and no client. A hook is Airflow's, and Airflow may be missing: so by what it can do."""
    return hasattr(connection, "subjects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A shop, or an authorization, whose rows a stream has.

    :param client: reads them.
    :param shop: the shop, ``None`` for what belongs to none.
    :param open_id: the authorization, for what belongs to no shop.
    :param category_asset: an affiliate partner's market and category.
    :param columns: what its rows get: ``{"shop_id": "7495…"}``. The names are the same for all owners of a stream.
    """

    client: TikTokShopClient
    shop: Shop | None
    open_id: str | None
    category_asset: CategoryAsset | None
    columns: Mapping[str, str]

    @property
    def name(self) -> str:
        """What it is called in the state: ``shop_id=7495…``."""
        return " ".join(f"{column}={value}" for column, value in self.columns.items())


def owners_of(
    stream: Stream,
    connection: TikTokShopClient | Hook,
    shops: Iterable[Any] | None,
    *,
    open_id: str | None,
    category_asset: CategoryAsset | None,
) -> tuple[Owner, ...]:
    """Return whose rows of a stream are to be loaded.

    :param connection: a hook, or a client.
    :param shops: for a hook ``[{"open_id": …, "shop_id": …}]``, for a client its shops; ``None`` for all.
    :param open_id: a client's authorization, for streams that belong to no shop.
    :param category_asset: a client's market and category.
    :raises OptionError: ``shops`` does not fit the connection, there are none, or ``open_id`` is missing.
    """
    if is_hook(connection):
        targets = None if shops is None else list(shops)
        if targets is not None and not all(isinstance(target, dict) for target in targets):
            raise OptionError(
                f"shops is {targets!r:.80}.", advice='With a hook it is a list as hook.shops() gives: [{"shop_id": …}].'
            )
        subjects = connection.subjects(stream, targets)
    elif any(one.needs_shop_cipher for one in _line(stream)):
        found = connection.shops() if shops is None else list(shops)
        if not all(hasattr(shop, "cipher") for shop in found):
            raise OptionError(
                "shops holds what is no Shop.", advice="With a client, hand in what client.shops() gives."
            )
        subjects = [{"client": connection, "shop": shop} for shop in found]
    elif not open_id:
        raise OptionError(
            f"Stream {stream.name} belongs to no shop, and open_id is not given.",
            advice="Hand in the open_id that came with the access token: it tells one authorization's rows from another's.",
        )
    else:
        subjects = [{"client": connection, "open_id": open_id, "category_asset": category_asset}]
    if not subjects:
        raise OptionError(
            f"There is nobody whose {stream.name} could be read.",
            advice="Let a seller authorize the app, or name shops that an authorization covers.",
        )
    # What belongs to a seller is the same for all shops of that seller.
    return tuple({owner.name: owner for owner in (_owner(stream, **subject) for subject in subjects)}.values())


def shop_column(stream: Stream) -> str:
    """Return the column that says whose shop a row is from.

    A few streams have a ``shop_id`` that is another shop's, as that of a bestselling product is.
    """
    theirs = "shop_id" in schema_of(stream) and stream.shop_field != "shop_id"
    return "seller_shop_id" if theirs else "shop_id"


def _owner(
    stream: Stream,
    *,
    client: TikTokShopClient,
    shop: Shop | None = None,
    open_id: str | None = None,
    category_asset: CategoryAsset | None = None,
) -> Owner:
    columns: dict[str, str] = {}
    if shop is not None:
        columns[shop_column(stream)] = shop.id
    else:
        columns["open_id"] = str(open_id)
        if category_asset is not None:
            columns["category_asset"] = category_asset.id
    return Owner(client=client, shop=shop, open_id=open_id, category_asset=category_asset, columns=columns)


def _line(stream: Stream) -> list[Stream]:
    line = [stream]
    while (parent := line[-1].parent) is not None:
        line.append(streams.get(parent.stream))
    return line
