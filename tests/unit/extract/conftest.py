"""Directories to write to: a local one, and one that is reached through fsspec only."""

from __future__ import annotations

import uuid

import pytest

from airflow_provider_tiktokshop.extract.filesystem import LocalDirectory, RemoteDirectory


@pytest.fixture(params=["local", "remote"])
def directory(request, tmp_path):
    if request.param == "local":
        made = LocalDirectory(tmp_path / "interval")
        made.path.mkdir()
        return made
    import fsspec

    path = f"/{uuid.uuid4().hex}"
    return RemoteDirectory(fsspec.filesystem("memory"), path, f"memory:/{path}")
