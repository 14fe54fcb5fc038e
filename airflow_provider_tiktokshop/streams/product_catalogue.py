"""What products are described with: categories, brands, size charts, makers."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

categories = Stream(
    name="categories",
    family="products",
    doc="Get Categories",
    method="GET",
    path="/product/{version}/categories",
    version="202309",
    list_key="categories",
    primary_key=("id",),
    paging=Paging(token_in=None),
    filters=(
        Filter(name="locale", where="query"),
        Filter(name="keyword", where="query"),
        Filter(name="category_version", where="query"),
        Filter(name="listing_platform", where="query", known=("TIKTOK_SHOP", "TOKOPEDIA")),
        Filter(name="include_prohibited_categories", where="query", kind="boolean"),
        Filter(name="is_live_quick", where="query", kind="boolean"),
    ),
    scope="seller.product.basic",
)

category_attributes = Stream(
    name="category_attributes",
    family="products",
    doc="Get Category Attributes",
    method="GET",
    path="/product/{version}/categories/{category_id}/attributes",
    version="202309",
    list_key="attributes",
    primary_key=("category_id", "id"),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="categories",
        field="id",
        param="category_id",
        where="path",
        into="category_id",
        only=(("is_leaf", True),),
    ),
    filters=(
        Filter(name="locale", where="query"),
        Filter(name="category_version", where="query"),
        Filter(name="is_live_quick", where="query", kind="boolean"),
    ),
    scope="seller.product.basic",
    note="One request a leaf category, of which there are thousands.",
)

category_rules = Stream(
    name="category_rules",
    family="products",
    doc="Get Category Rules",
    method="GET",
    path="/product/{version}/categories/{category_id}/rules",
    version="202309",
    list_key=None,
    primary_key=("category_id",),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="categories",
        field="id",
        param="category_id",
        where="path",
        into="category_id",
        only=(("is_leaf", True),),
    ),
    filters=(Filter(name="category_version", where="query"), Filter(name="locale", where="query")),
    scope="seller.product.basic",
    note="One request a leaf category, of which there are thousands.",
)

global_categories = Stream(
    name="global_categories",
    family="products",
    doc="Get Global Categories",
    method="GET",
    path="/product/{version}/global_categories",
    version="202309",
    list_key="categories",
    primary_key=("id",),
    paging=Paging(token_in=None),
    filters=(
        Filter(name="locale", where="query"),
        Filter(name="keyword", where="query"),
        Filter(name="category_version", where="query"),
    ),
    needs_shop_cipher=False,
    scope="seller.global_product.category.info",
)

global_category_attributes = Stream(
    name="global_category_attributes",
    family="products",
    doc="Get Global Attributes",
    method="GET",
    path="/product/{version}/categories/{category_id}/global_attributes",
    version="202309",
    list_key="attributes",
    primary_key=("category_id", "id"),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="global_categories",
        field="id",
        param="category_id",
        where="path",
        into="category_id",
        only=(("is_leaf", True),),
    ),
    filters=(Filter(name="locale", where="query"), Filter(name="category_version", where="query")),
    needs_shop_cipher=False,
    scope="seller.global_product.category.info",
    note="One request a leaf category, of which there are thousands.",
)

global_category_rules = Stream(
    name="global_category_rules",
    family="products",
    doc="Get Global Category Rules",
    method="GET",
    path="/product/{version}/categories/{category_id}/global_rules",
    version="202309",
    list_key=None,
    primary_key=("category_id",),
    paging=Paging(token_in=None),
    parent=Parent(
        stream="global_categories",
        field="id",
        param="category_id",
        where="path",
        into="category_id",
        only=(("is_leaf", True),),
    ),
    filters=(Filter(name="category_version", where="query"), Filter(name="locale", where="query")),
    needs_shop_cipher=False,
    scope="seller.global_product.category.info",
    note="One request a leaf category, of which there are thousands.",
)

brands = Stream(
    name="brands",
    family="products",
    doc="Get Brands",
    method="GET",
    path="/product/{version}/brands",
    version="202309",
    list_key="brands",
    primary_key=("id",),
    filters=(
        Filter(name="category_id", where="query"),
        Filter(name="is_authorized", where="query", kind="boolean"),
        Filter(name="brand_name", where="query"),
        Filter(name="category_version", where="query"),
    ),
    scope="seller.product.basic",
)

size_charts = Stream(
    name="size_charts",
    family="products",
    doc="Search Size Charts",
    method="POST",
    path="/product/{version}/sizecharts/search",
    version="202407",
    list_key="size_chart",
    primary_key=("template_id",),
    filters=(
        Filter(name="locales", where="query", kind="texts"),
        Filter(name="ids", where="body", kind="texts", most=50),
        Filter(name="keyword", where="body"),
        Filter(name="size_chart_mode", where="body", known=("PRODUCT_SCOPED", "REUSABLE_TEMPLATE")),
    ),
    needs_shop_cipher=False,
    scope="seller.product.basic",
)

manufacturers = Stream(
    name="manufacturers",
    family="products",
    doc="Search Manufacturers",
    method="POST",
    path="/product/{version}/compliance/manufacturers/search",
    version="202501",
    list_key="manufacturers",
    primary_key=("id",),
    filters=(
        Filter(name="manufacturer_ids", where="body", kind="texts"),
        Filter(name="keyword", where="body"),
        Filter(name="locales", where="body", kind="texts"),
    ),
    needs_shop_cipher=False,
    scope="seller.product.basic",
    personal_fields=(
        "regional_profiles.name",
        "regional_profiles.registered_trade_name",
        "regional_profiles.email",
        "regional_profiles.phone_number",
        "regional_profiles.address",
    ),
)

responsible_persons = Stream(
    name="responsible_persons",
    family="products",
    doc="Search Responsible Persons",
    method="POST",
    path="/product/{version}/compliance/responsible_persons/search",
    version="202501",
    list_key="responsible_persons",
    primary_key=("id",),
    filters=(
        Filter(name="responsible_person_ids", where="body", kind="texts"),
        Filter(name="keyword", where="body"),
        Filter(name="locales", where="body", kind="texts"),
    ),
    needs_shop_cipher=False,
    scope="seller.product.basic",
    personal_fields=(
        "regional_profiles.name",
        "regional_profiles.email",
        "regional_profiles.phone_number",
        "regional_profiles.address",
    ),
)

listing_prerequisites = Stream(
    name="listing_prerequisites",
    family="products",
    doc="Check Listing Prerequisites",
    method="GET",
    path="/product/{version}/prerequisites",
    version="202312",
    list_key="check_results",
    primary_key=("check_item",),
    paging=Paging(token_in=None),
    scope="seller.product.basic",
)

STREAMS = (
    categories,
    category_attributes,
    category_rules,
    global_categories,
    global_category_attributes,
    global_category_rules,
    brands,
    size_charts,
    manufacturers,
    responsible_persons,
    listing_prerequisites,
)
