"""A low-code source of airbyte-cdk with an authenticator of its own, read with eight slices at a time.

Measured is the source: its records are written as gzip JSON lines as they come, without the protocol's envelope that a
destination would have to take off again.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping  # noqa: TC003 - the CDK looks the types of its components up
from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Any

import orjson
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer, Type
from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

from tests.benchmarks.extraction.contenders import LEVEL, SEARCH
from tests.benchmarks.extraction.contenders.output import ids_of_lines
from tests.benchmarks.extraction.contenders.signed import search_params, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

    from tests.benchmarks.extraction.contenders import Job

DISTRIBUTIONS = ("airbyte-cdk", "requests", "orjson")


@dataclass
class SigningAuthenticator(DeclarativeAuthenticator):
    """Signs every request."""

    config: Mapping[str, Any]
    parameters: InitVar[Mapping[str, Any]]

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign it."""
        return sign(request, self.config["app_key"], self.config["app_secret"], self.config["access_token"])

    @property
    def auth_header(self) -> str:
        """The header that holds the token."""
        return "x-tts-access-token"

    @property
    def token(self) -> str:
        """The token."""
        return str(self.config["access_token"])


def run(job: Job) -> Iterator[str]:
    """Read the source and write its records."""
    logger = logging.getLogger("airbyte")
    logger.setLevel(logging.ERROR)
    config = {"app_key": job.app_key, "app_secret": job.app_secret, "access_token": job.access_token}
    stream = {"name": "orders", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    configured = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"}
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": [configured]})
    source = ConcurrentDeclarativeSource(catalog=catalog, config=config, state=[], source_config=manifest(job))
    path = job.folder / "orders.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=LEVEL) as file:
        for message in source.read(logger, config, catalog, []):
            if message.type is Type.RECORD and message.record is not None:
                file.write(orjson.dumps(message.record.data, option=orjson.OPT_APPEND_NEWLINE))
    return ids_of_lines([path])


def manifest(job: Job) -> dict[str, Any]:
    """Return the source as its YAML would read."""
    requester = {
        "type": "HttpRequester",
        "url_base": job.url,
        "path": SEARCH,
        "http_method": "POST",
        "authenticator": {"type": "CustomAuthenticator", "class_name": f"{__name__}.SigningAuthenticator"},
        "request_parameters": search_params(job),
        "request_body_json": {
            "update_time_ge": "{{ stream_interval['start_time'] | int }}",
            # Slices end one second before the next begins.
            "update_time_lt": "{{ (stream_interval['end_time'] | int) + 1 }}",
        },
    }
    paginator = {
        "type": "DefaultPaginator",
        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page_token"},
        "pagination_strategy": {
            "type": "CursorPagination",
            "cursor_value": "{{ response.data.next_page_token }}",
            "stop_condition": "{{ not response.data.next_page_token }}",
        },
    }
    incremental = {
        "type": "DatetimeBasedCursor",
        "cursor_field": "update_time",
        "datetime_format": "%s",
        "start_datetime": {"type": "MinMaxDatetime", "datetime": str(job.start), "datetime_format": "%s"},
        "end_datetime": {"type": "MinMaxDatetime", "datetime": str(job.end - 1), "datetime_format": "%s"},
        "step": f"PT{-(-(job.end - job.start) // job.windows)}S",
        "cursor_granularity": "PT1S",
    }
    orders = {
        "type": "DeclarativeStream",
        "name": "orders",
        "primary_key": "id",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": requester,
            "paginator": paginator,
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["data", "orders"]},
            },
        },
        "incremental_sync": incremental,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {}}},
    }
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["orders"]},
        "streams": [orders],
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": job.windows},
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    }
