"""Products, their stock, and what could be better about them."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import EVER, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

_TIMES = (
    Cursor(field="update_time", ge="update_time_ge", lt="update_time_le", where="body", inclusive_end=True),
    Cursor(field="create_time", ge="create_time_ge", lt="create_time_le", where="body", inclusive_end=True),
)

products = Stream(
    name="products",
    family="products",
    doc="Search Products",
    method="POST",
    path="/product/{version}/products/search",
    version="202502",
    list_key="products",
    primary_key=("id",),
    version_field="update_time",
    cursors=_TIMES,
    default_cursor="update_time",
    result_cap=10_000,
    filters=(
        Filter(
            name="status",
            where="body",
            known=(
                "ACTIVATE",
                "ALL",
                "DELETED",
                "DRAFT",
                "FAILED",
                "FREEZE",
                "PENDING",
                "PLATFORM_DEACTIVATED",
                "SELLER_DEACTIVATED",
            ),
        ),
        Filter(name="seller_skus", where="body", kind="texts"),
        Filter(name="category_version", where="body", known=("v1", "v2")),
        Filter(name="listing_quality_tiers", where="body", kind="texts", known=("EXCELLENT", "FAIR", "GOOD", "POOR")),
        Filter(name="listing_platforms", where="body", kind="texts", known=("TIKTOK_SHOP", "TOKOPEDIA")),
        Filter(name="audit_status", where="body", kind="texts", known=("APPROVED", "AUDITING", "FAILED")),
        Filter(name="sku_ids", where="body", kind="texts", most=10),
        Filter(name="sns_filter", where="body", known=("CONFIGURED", "ELIGIBLE")),
        Filter(name="return_draft_version", where="body", kind="boolean"),
        Filter(name="locale", where="body"),
        Filter(name="include_live_quick_products", where="body", kind="boolean"),
    ),
    scope="seller.product.basic",
    note="A query ends after 10,000 products, so windows with more are split.",
)

product_detail = Stream(
    name="product_detail",
    family="products",
    doc="Get Product",
    method="GET",
    path="/product/{version}/products/{product_id}",
    version="202309",
    list_key=None,
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(stream="products", field="id", param="product_id", where="path"),
    filters=(
        Filter(name="return_under_review_version", where="query", kind="boolean"),
        Filter(name="return_draft_version", where="query", kind="boolean"),
        Filter(name="locale", where="query"),
    ),
    scope="seller.product.basic",
    note="One request a product.",
)

inventory = Stream(
    name="inventory",
    family="products",
    doc="Inventory Search",
    method="POST",
    path="/product/{version}/inventory/search",
    version="202309",
    list_key="inventory",
    primary_key=("product_id",),
    paging=Paging(token_in=None),
    lookback=EVER,
    parent=Parent(stream="products", field="id", param="product_ids", where="body", batch=100),
    scope="seller.product.basic",
    personal_fields=("skus.total_available_inventory_distribution.creator_inventory.creator_name",),
    note=(
        "Stock as it is now. It changes while its product does not, so that all products are asked for, whatever "
        "the interval."
    ),
)

product_diagnoses = Stream(
    name="product_diagnoses",
    family="products",
    doc="Get Product Diagnoses",
    method="GET",
    path="/product/{version}/products/diagnoses",
    version="202405",
    list_key="products",
    primary_key=("id",),
    paging=Paging(token_in=None),
    lookback=EVER,
    parent=Parent(
        stream="products", field="id", param="product_ids", where="query", batch=200, only=(("status", "ACTIVATE"),)
    ),
    scope="serller.product.optimize",
    note=("Advice as it is now, for live products. It changes while its product does not, so that all are asked for."),
)

product_suggestions = Stream(
    name="product_suggestions",
    family="products",
    doc="Get Recommended Product Title And Description",
    method="GET",
    path="/product/{version}/products/suggestions",
    version="202405",
    list_key="products",
    primary_key=("id",),
    paging=Paging(token_in=None),
    lookback=EVER,
    parent=Parent(
        stream="products", field="id", param="product_ids", where="query", batch=20, only=(("status", "ACTIVATE"),)
    ),
    scope="serller.product.optimize",
    note=("Advice as it is now, for live products. It changes while its product does not, so that all are asked for."),
)

product_seo_words = Stream(
    name="product_seo_words",
    family="products",
    doc="Get Products SEO Words",
    method="GET",
    path="/product/{version}/products/seo_words",
    version="202405",
    list_key="products",
    primary_key=("id",),
    paging=Paging(token_in=None),
    lookback=EVER,
    parent=Parent(
        stream="products", field="id", param="product_ids", where="query", batch=20, only=(("status", "ACTIVATE"),)
    ),
    scope="seller.product.basic",
    note=("Advice as it is now, for live products. It changes while its product does not, so that all are asked for."),
)

replicated_products = Stream(
    name="replicated_products",
    family="products",
    doc="Get Global Replicated Products",
    method="GET",
    path="/product/{version}/products/{product_id}/replicated_products",
    version="202507",
    list_key="replicated_products",
    primary_key=("source_product_id", "shop_id", "product_id"),
    paging=Paging(token_in=None),
    parent=Parent(stream="products", field="id", param="product_id", where="path", into="source_product_id"),
    scope="seller.product.basic",
    note="One request a product.",
)

global_products = Stream(
    name="global_products",
    family="products",
    doc="Search Global Products",
    method="POST",
    path="/product/{version}/global_products/search",
    version="202312",
    list_key="global_products",
    primary_key=("id",),
    version_field="update_time",
    cursors=_TIMES,
    default_cursor="update_time",
    result_cap=10_000,
    filters=(
        Filter(name="status", where="body", known=("DELETED", "DRAFT", "PUBLISHED", "UNPUBLISHED")),
        Filter(name="seller_skus", where="body", kind="texts"),
    ),
    needs_shop_cipher=False,
    scope="seller.global_product.info",
    note="Being replaced by replication market by market. The result limit of product search is assumed.",
)

global_product_detail = Stream(
    name="global_product_detail",
    family="products",
    doc="Get Global Product",
    method="GET",
    path="/product/{version}/global_products/{global_product_id}",
    version="202309",
    list_key=None,
    primary_key=("id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(stream="global_products", field="id", param="global_product_id", where="path"),
    needs_shop_cipher=False,
    scope="seller.global_product.info",
    personal_fields=("manufacturer.name", "manufacturer.address", "manufacturer.phone_number", "manufacturer.email"),
    note="One request a product.",
)

STREAMS = (
    products,
    product_detail,
    inventory,
    product_diagnoses,
    product_suggestions,
    product_seo_words,
    replicated_products,
    global_products,
    global_product_detail,
)
