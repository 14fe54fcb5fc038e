"""A real S3-compatible server on loopback, in a process of its own, with one bucket."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import uuid
from types import TracebackType
from typing import Any

import requests

from tests.support.processes import free_port
from tests.support.waiting import wait_until

__all__ = ["ObjectStore"]

# Holding its standard input ties it to this process: it ends even when this one is killed.
SERVE = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"""
KEYS = {"aws_access_key_id": "test-access-key", "aws_secret_access_key": "test-secret-key"}
REGION = "us-east-1"


class ObjectStore:
    """moto's server; a context manager. What is in it is looked at with boto3, past the file system under test."""

    bucket = "lake"

    def __init__(self) -> None:
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        # Airflow keeps one file system per connection id for as long as a process lives.
        self.conn_id = f"s3_{port}"
        self._port = port
        self._server: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._client: Any = None

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection that leads here, of the Amazon provider's type."""
        extra = {"endpoint_url": self.endpoint, "region_name": REGION}
        key, secret = KEYS.values()
        return {"conn_type": "aws", "login": key, "password": secret, "extra": extra}

    @property
    def environment(self) -> dict[str, str]:
        """What makes the connection known to a process."""
        return {f"AIRFLOW_CONN_{self.conn_id.upper()}": json.dumps(self.connection)}

    def url(self, prefix: str = "") -> str:
        """A URL that names the connection; by default of a prefix that nobody uses yet."""
        return f"s3://{self.conn_id}@{self.bucket}/{prefix or uuid.uuid4().hex}"

    def keys(self, below: str) -> list[str]:
        """The keys below a URL, relative to it, sorted."""
        prefix = below.split("/", 3)[3].rstrip("/") + "/"
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return sorted(entry["Key"].removeprefix(prefix) for page in pages for entry in page.get("Contents", []))

    def read(self, url: str) -> bytes:
        """The content of an object."""
        answer = self._client.get_object(Bucket=self.bucket, Key=url.split("/", 3)[3])
        return bytes(answer["Body"].read())

    def write(self, url: str, content: bytes) -> None:
        """Put an object there, as another process would."""
        self._client.put_object(Bucket=self.bucket, Key=url.split("/", 3)[3], Body=content)

    def __enter__(self) -> ObjectStore:
        import boto3

        command = [sys.executable, "-c", SERVE, str(self._port)]
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._log, stderr=self._log)
        try:
            wait_until(self._listens, timeout=60, what=self._said)
            self._client = boto3.client("s3", endpoint_url=self.endpoint, region_name=REGION, **KEYS)
            self._client.create_bucket(Bucket=self.bucket)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.communicate()
        self._log.close()

    def _listens(self) -> bool:
        if self._server is None or self._server.poll() is not None:
            raise RuntimeError(f"moto ended: {self._said()}")
        try:
            return requests.get(f"{self.endpoint}/moto-api/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-2000:]
