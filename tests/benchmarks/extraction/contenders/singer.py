"""A tap of singer-sdk with the schema as documented and the faster of its two message writers.

Its messages are written as gzip lines, as ``tap | gzip`` would: the cheapest target there can be. A stream of the SDK is read
by one thread.
"""

from __future__ import annotations

import gzip
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.pagination import JSONPathPaginator

from airflow_provider_tiktokshop import streams
from airflow_provider_tiktokshop.streams.schema import schema_of
from tests.benchmarks.extraction.contenders import LEVEL, SEARCH
from tests.benchmarks.extraction.contenders.output import ids_of_lines
from tests.benchmarks.extraction.contenders.signed import search_params, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

    from tests.benchmarks.extraction.contenders import Job

DISTRIBUTIONS = ("singer-sdk", "requests", "msgspec")


class Orders(RESTStream):
    """The order search."""

    name = "orders"
    path = SEARCH
    http_method = "POST"
    primary_keys = ("id",)
    replication_key = "update_time"
    is_sorted = True
    payload_as_json = True
    records_jsonpath = "$.data.orders[*]"

    @property
    def url_base(self) -> str:
        """The origin."""
        return str(self.config["url"])

    @property
    def authenticator(self) -> Any:
        """What signs a request."""
        config = self.config

        def signing(request: PreparedRequest) -> PreparedRequest:
            return sign(request, config["app_key"], config["app_secret"], config["access_token"])

        return signing

    def get_new_paginator(self) -> JSONPathPaginator:
        """Return what finds the next page's token."""
        return JSONPathPaginator("$.data.next_page_token")

    def get_url_params(self, context: Any, next_page_token: str | None) -> dict[str, str]:
        """Return the query."""
        params = dict(self.config["params"])
        return {**params, "page_token": next_page_token} if next_page_token else params

    def prepare_request_payload(self, context: Any, next_page_token: str | None) -> dict[str, int]:
        """Return the body."""
        return {"update_time_ge": self.config["start"], "update_time_lt": self.config["end"]}


class TapOrders(Tap):
    """The tap."""

    name = "tap-orders"
    message_writer_class = MsgSpecWriter
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[Orders]:
        """Return the one stream."""
        return [Orders(self, schema=_json_schema(schema_of(streams.get("orders"))))]


class _GzipOutput:
    """Standard output that goes to a gzip file, whose blocks no flush cuts short."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self.buffer = file

    def write(self, text: str) -> int:
        return self.buffer.write(text.encode())

    def flush(self) -> None:
        pass


def run(job: Job) -> Iterator[str]:
    """Run the tap."""
    config = {
        "url": job.url,
        "app_key": job.app_key,
        "app_secret": job.app_secret,
        "access_token": job.access_token,
        "start": job.start,
        "end": job.end,
        "params": search_params(job),
    }
    path, before = job.folder / "orders.singer.gz", sys.stdout
    with gzip.open(path, "wb", compresslevel=LEVEL) as file:
        sys.stdout = _GzipOutput(file)
        try:
            TapOrders(config=config).sync_all()
        finally:
            sys.stdout = before
    return ids_of_lines([path])


def _json_schema(kind: Any) -> dict[str, Any]:
    if isinstance(kind, dict):
        return {"type": ["object", "null"], "properties": {name: _json_schema(of) for name, of in kind.items()}}
    if isinstance(kind, list):
        return {"type": ["array", "null"], "items": _json_schema(kind[0])}
    return {"type": [{"int": "integer", "bool": "boolean"}.get(kind, kind), "null"]}
