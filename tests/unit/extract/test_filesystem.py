"""One directory, wherever it is."""

from __future__ import annotations

import io
import multiprocessing
import pathlib
import sys

import fsspec
import pytest
from upath import UPath

from airflow_provider_tiktokshop.extract.errors import AnotherRunError, OptionError
from airflow_provider_tiktokshop.extract.filesystem import LocalDirectory, RemoteDirectory, open_directory


def test_a_file_is_replaced_read_listed_moved_and_removed(directory):
    with directory.lock():
        assert directory.read("a.json") is None
        assert directory.size("a.json") is None
        directory.replace("a.json", b"one", durable=True)
        directory.replace("a.json", b"three")
        directory.upload("_work/b", io.BytesIO(b"part"))
        assert (directory.read("a.json"), directory.size("a.json")) == (b"three", 5)
        assert directory.names() == ["a.json"]
        assert directory.names("_work") == ["b"]
        directory.move("_work/b", "b")
        directory.move("b", "a.json")
        assert directory.names() == ["a.json"]
        with directory.open("a.json") as file:
            assert file.read() == b"part"
        directory.remove("a.json")
        directory.remove("a.json")
        directory.upload("_work/c", io.BytesIO(b"part"))
        directory.remove_below("_work")
        directory.remove_below("_work")
        directory.settle()
        assert directory.names() == directory.names("_work") == []


@pytest.mark.parametrize(
    "output",
    ["/data/lake", pathlib.Path("/data/lake"), UPath("/data/lake"), UPath("file:///data/lake"), "file:///data/lake"],
)
def test_a_local_path_is_local_however_it_is_written(output):
    found = open_directory(output, "orders", "shop_id=1")
    assert isinstance(found, LocalDirectory)
    assert found.url("manifest.json") == "/data/lake/orders/shop_id=1/manifest.json"


@pytest.mark.parametrize("output", ["memory://lake/x", UPath("memory://lake/x")])
def test_a_url_is_reached_through_its_file_system(output):
    found = open_directory(output, "orders", "shop_id=1")
    assert isinstance(found, RemoteDirectory)
    assert found.url("manifest.json") == "memory://lake/x/orders/shop_id=1/manifest.json"
    found.replace("manifest.json", b"{}")
    assert UPath("memory://lake/x/orders/shop_id=1/manifest.json").read_bytes() == b"{}"


def test_airflows_object_storage_path_is_taken_as_it_is():
    from airflow.sdk import ObjectStoragePath

    # Airflow registers its schemes by provider; without one there is only the local disk.
    found = open_directory(ObjectStoragePath("file:///data/lake"), "orders")
    assert isinstance(found, LocalDirectory)
    assert found.url() == "/data/lake/orders"


class PathOfAStore(pathlib.PosixPath):
    """As universal-pathlib before 0.3 made them, and Airflow 3.1 still does: pathlib's by class, a store's by meaning."""

    protocol = "memory"
    fs = fsspec.filesystem("memory")

    @property
    def path(self):
        return str(self)


def test_a_path_of_a_store_that_is_also_one_of_pathlib_is_not_taken_for_a_local_one():
    found = open_directory(PathOfAStore("/lake"), "orders")
    assert isinstance(found, RemoteDirectory)
    found.replace("manifest.json", b"{}")
    assert UPath("memory://lake/orders/manifest.json").read_bytes() == b"{}"


def test_a_url_that_names_a_connection_is_airflows_and_refused_where_airflow_is_not(monkeypatch):
    import airflow.sdk

    made = []
    monkeypatch.setattr(airflow.sdk, "ObjectStoragePath", lambda url: made.append(url) or UPath("memory://lake"))
    assert isinstance(open_directory("s3://my_aws@lake/x", "orders"), RemoteDirectory)
    assert made == ["s3://my_aws@lake/x"]
    monkeypatch.delitem(sys.modules, "airflow.sdk")
    with pytest.raises(OptionError, match="names an Airflow connection"):
        open_directory("s3://my_aws@lake/x", "orders")


def test_what_is_no_path_is_refused():
    with pytest.raises(OptionError, match="output is a int"):
        open_directory(5)


def _try_to_lock(path, answer):
    try:
        with LocalDirectory(path).lock():
            answer.put("locked")
    except AnotherRunError as refused:
        answer.put(str(refused))


def test_a_local_directory_keeps_other_processes_out_until_it_is_let_go(tmp_path):
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()

    def other():
        process = context.Process(target=_try_to_lock, args=(tmp_path, answer))
        process.start()
        process.join()
        return answer.get()

    with LocalDirectory(tmp_path).lock():
        assert "Another process is extracting" in other()
    assert other() == "locked"
