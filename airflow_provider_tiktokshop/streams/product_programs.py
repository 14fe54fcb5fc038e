"""What the platform suggests to list, and the key product program."""

from __future__ import annotations

from airflow_provider_tiktokshop.streams.base import DAY, Cursor, Filter, Paging, Parent, Stream

__all__ = ["STREAMS"]

opportunity_submissions = Stream(
    name="opportunity_submissions",
    family="products",
    doc="Get Submission Records",
    method="GET",
    path="/product/{version}/opportunities/submissions",
    version="202604",
    list_key="data.submissions",
    primary_key=("id",),
    paging=Paging(size_max=20),
    cursors=(Cursor(field="submit_time", ge="submit_time_ge", lt="submit_time_lt", where="query"),),
    default_cursor="submit_time",
    lookback=30 * DAY,
    filters=(
        Filter(name="status", where="query"),
        Filter(name="opportunity_id", where="query"),
        Filter(name="product_id", where="query"),
    ),
    note="Submissions are reviewed later, so the last 30 days are read again.",
)

opportunity_detail = Stream(
    name="opportunity_detail",
    family="products",
    doc="Get Opportunity Detail",
    method="GET",
    path="/product/{version}/opportunities/{opportunity_id}",
    version="202604",
    list_key="opportunity",
    primary_key=("id",),
    paging=Paging(token_in=None),
    lookback=30 * DAY,
    parent=Parent(stream="opportunity_submissions", field="opportunity_id", param="opportunity_id", where="path"),
    filters=(Filter(name="locale", where="query"),),
    note="One request a submission.",
)

product_key_programs = Stream(
    name="product_key_programs",
    family="products",
    doc="List Product SKPP Statuses",
    method="POST",
    path="/product/{version}/skpps/search",
    version="202606",
    list_key="products",
    primary_key=("product_id",),
    version_field="update_time",
    paging=Paging(token_in="page_no"),  # noqa: S106 - a place, not a secret
    filters=(
        Filter(name="locale", where="query"),
        Filter(name="product_ids", where="body", kind="texts"),
        Filter(name="skpp_status", where="body"),
    ),
    carry=("update_time",),
    note="Products in the key product program (SKPP), with their scores.",
)

product_key_program_detail = Stream(
    name="product_key_program_detail",
    family="products",
    doc="Get Product SKPP Detail",
    method="GET",
    path="/product/{version}/skpps/{product_id}",
    version="202606",
    list_key=None,
    primary_key=("product_id",),
    version_field="update_time",
    paging=Paging(token_in=None),
    parent=Parent(stream="product_key_programs", field="product_id", param="product_id", where="path"),
    filters=(Filter(name="locale", where="query"),),
    note="One request a product.",
)

product_key_program_summary = Stream(
    name="product_key_program_summary",
    family="products",
    doc="Get Shop SKPP Summary",
    method="GET",
    path="/product/{version}/skpps/sum",
    version="202606",
    list_key="shop_summary",
    primary_key=("shop_id",),
    paging=Paging(token_in=None),
    shop_field="shop_id",
)

STREAMS = (
    opportunity_submissions,
    opportunity_detail,
    product_key_programs,
    product_key_program_detail,
    product_key_program_summary,
)
