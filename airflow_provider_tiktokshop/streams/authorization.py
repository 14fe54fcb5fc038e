"""What an authorization covers: shops, category assets, permissions."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Paging, Stream

__all__ = ["STREAMS"]

authorized_shops = Stream(
    name="authorized_shops",
    family="authorization",
    doc="Get Authorized Shops",
    method="GET",
    path="/authorization/{version}/shops",
    version="202309",
    list_key="shops",
    primary_key=("id",),
    paging=Paging(token_in=None),
    needs_shop_cipher=False,
    scope="seller.authorization.info",
    note="The only source of a shop's cipher.",
)

authorized_category_assets = Stream(
    name="authorized_category_assets",
    family="authorization",
    doc="Get Authorized Category Assets",
    method="GET",
    path="/authorization/{version}/category_assets",
    version="202405",
    list_key="category_assets",
    primary_key=("cipher",),
    paging=Paging(token_in=None),
    needs_shop_cipher=False,
    user_type=3,
    scope="partner.authorization.info",
)

active_shops = Stream(
    name="active_shops",
    family="authorization",
    doc="Get Active Shops",
    method="GET",
    path="/seller/{version}/shops",
    version="202309",
    list_key="shops",
    primary_key=("id",),
    paging=Paging(token_in=None),
    needs_shop_cipher=False,
    scope="seller.shop.info",
)

seller_permissions = Stream(
    name="seller_permissions",
    family="authorization",
    doc="Get Global Product Permission",
    method="GET",
    path="/seller/{version}/permissions",
    version="202309",
    list_key="permissions",
    primary_key=("permission",),
    paging=Paging(token_in=None),
    needs_shop_cipher=False,
    scope="seller.shop.info",
    scalar="permission",
)

shop_groups = Stream(
    name="shop_groups",
    family="authorization",
    doc="Get Shop Group and Related Shops",
    method="GET",
    path="/seller/{version}/shop_groups",
    version="202601",
    list_key="shop_group_data.shops",
    primary_key=("shop_id",),
    paging=Paging(token_in=None),
    needs_shop_cipher=False,
)

STREAMS = (authorized_shops, authorized_category_assets, active_shops, seller_permissions, shop_groups)
