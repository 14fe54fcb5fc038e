"""This engine, called from a plain script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_tiktokshop.api.app import App
from airflow_provider_tiktokshop.api.client import Shop, StaticToken, TikTokShopClient
from airflow_provider_tiktokshop.extract import extract, read_rows
from tests.benchmarks.extraction.contenders.token_file import TokenFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.extraction.contenders import Job

DISTRIBUTIONS = ("airflow-provider-tiktokshop", "requests", "orjson")


def run(job: Job) -> Iterator[str]:
    """Extract. ``job.options``:

    ``requests_per_second`` is the rate budget, unlimited by default; ``extract`` are options of ``extract``; ``token_file``
    names a file that holds the newest access token; ``s3`` is an endpoint and a bucket to write to instead of the folder.
    """
    options = job.options
    app = App(
        app_key=job.app_key,
        app_secret=job.app_secret,
        api_url=job.url,
        auth_url=job.url,
        requests_per_second=options.get("requests_per_second", 1_000_000),
    )
    file = options.get("token_file")
    client = TikTokShopClient(app, TokenFile(Path(file)) if file else StaticToken(job.access_token))
    shop = Shop(job.shop_id, job.cipher, "GB", "LOCAL", "X")
    more = {"windows": job.windows or None, "lookback": 0, **options.get("extract", {})}
    manifest = extract("orders", client, shop, job.start, job.end, _output(job), **more)
    return (row["id"] for row in read_rows(manifest))


def _output(job: Job) -> Any:
    if "s3" not in job.options:
        return job.folder
    from upath import UPath

    store = job.options["s3"]
    return UPath(f"s3://{store['bucket']}/lake", endpoint_url=store["endpoint"], key="bench", secret="bench")
