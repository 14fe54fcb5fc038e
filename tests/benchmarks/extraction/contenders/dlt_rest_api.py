"""dlt's ``rest_api`` source into its filesystem destination, as JSON lines.

Set as its performance guide says: whole pages are handed on, nothing is unpacked into child tables, intermediate files are not
compressed, and orjson is there for dlt to use. dlt writes its output with gzip's level 9 and lets nobody choose.
``parallelized`` windows are resources that land in the same table, read by eight threads.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Before dlt is imported. It must not report home, nor look its configuration up in Airflow, which it would import for that.
os.environ.update(
    {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
        "EXTRACT__DATA_WRITER__DISABLE_COMPRESSION": "true",
        "EXTRACT__WORKERS": "8",
    }
)

import dlt  # noqa: E402
from dlt.common.configuration import configspec  # noqa: E402
from dlt.common.typing import TSecretStrValue  # noqa: E402
from dlt.destinations import filesystem  # noqa: E402
from dlt.sources.helpers.rest_client.auth import AuthConfigBase  # noqa: E402
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402

from tests.benchmarks.extraction.contenders import SEARCH  # noqa: E402
from tests.benchmarks.extraction.contenders.output import ids_of_lines  # noqa: E402
from tests.benchmarks.extraction.contenders.signed import search_params, sign  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

    from tests.benchmarks.extraction.contenders import Job

DISTRIBUTIONS = ("dlt", "requests", "orjson")


@configspec
class SigningAuth(AuthConfigBase):
    """Signs every request."""

    app_key: str = None
    app_secret: TSecretStrValue = None
    access_token: TSecretStrValue = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign it."""
        return sign(request, self.app_key, self.app_secret, self.access_token)


def run(job: Job) -> Iterator[str]:
    """Extract, normalize and load."""
    source = rest_api_source(
        {
            "client": {
                "base_url": job.url,
                "auth": SigningAuth(job.app_key, job.app_secret, job.access_token),
                "paginator": JSONResponseCursorPaginator("data.next_page_token", cursor_param="page_token"),
            },
            "resource_defaults": {
                "table_name": "orders",
                "primary_key": "id",
                "write_disposition": "append",
                "max_table_nesting": 0,
            },
            "resources": [_window(job, number) for number in range(job.windows)],
        }
    )
    if job.windows > 1:
        # The source's own "parallelized" has no effect on a resource without a parent.
        for resource in source.resources.values():
            resource.parallelize()
    pipeline = dlt.pipeline(
        "orders",
        pipelines_dir=str(job.folder / "pipelines"),
        destination=filesystem(bucket_url=(job.folder / "bucket").as_uri()),
        dataset_name="shop",
    )
    pipeline.run(source, loader_file_format="jsonl")
    return ids_of_lines(sorted((job.folder / "bucket" / "shop" / "orders").iterdir()))


def _window(job: Job, number: int) -> dict[str, Any]:
    start, end = job.edges[number]
    return {
        "name": f"orders_{number}",
        "endpoint": {
            "path": SEARCH,
            "method": "POST",
            "params": search_params(job),
            "json": {"update_time_ge": start, "update_time_lt": end},
            "data_selector": "data.orders",
        },
    }
