"""What a person would write by hand: sign, post, parse, write. No retries, no pacing, no resume, no manifest."""

from __future__ import annotations

import gzip
import threading
import time
from typing import TYPE_CHECKING

import orjson
import requests

from airflow_provider_tiktokshop.api.signing import sign_request
from tests.benchmarks.extraction.contenders import LEVEL, SEARCH
from tests.benchmarks.extraction.contenders.output import ids_of_lines
from tests.benchmarks.extraction.contenders.signed import search_params

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.extraction.contenders import Job

DISTRIBUTIONS = ("requests", "orjson")


def run(job: Job) -> Iterator[str]:
    """Read every window; more than one in a thread each."""
    files = [job.folder / f"orders-{number}.jsonl.gz" for number in range(job.windows)]
    work = [(job, *window, file) for window, file in zip(job.edges, files, strict=True)]
    if len(work) == 1:
        read(*work[0])
    else:
        threads = [threading.Thread(target=read, args=arguments) for arguments in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return ids_of_lines(files)


def read(job: Job, start: int, end: int, path: Path) -> None:
    """Read one window into a file."""
    session = requests.Session()
    url = job.url + SEARCH
    body = orjson.dumps({"update_time_ge": start, "update_time_lt": end})
    headers = {"x-tts-access-token": job.access_token, "content-type": "application/json"}
    token = ""
    with gzip.open(path, "wb", compresslevel=LEVEL) as file:
        while True:
            query = {**search_params(job), "app_key": job.app_key, "timestamp": str(int(time.time()))}
            if token:
                query["page_token"] = token
            query["sign"] = sign_request(job.app_secret, SEARCH, query, body)
            answer = session.post(url, params=query, data=body, headers=headers, timeout=30)
            answer.raise_for_status()
            data = orjson.loads(answer.content)["data"]
            for row in data.get("orders") or ():
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            token = data.get("next_page_token")
            if not token:
                return
